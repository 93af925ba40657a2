// What the web apps of the suite have in common: discovery, and a round trip by the person's browser.
import * as client from 'openid-client'
import { importJWK } from 'jose'
import { arrival } from './callback.mjs'
import { equal, holds, setting } from './checks.mjs'

export const PROFILE = 'openid profile email offline_access'
export const invalidGrant = (error) => error instanceof client.ResponseBodyError && error.error === 'invalid_grant'
export const refusedWith = (code) => (error) => error instanceof client.AuthorizationResponseError && error.error === code

/** Discovery, as an app does it at its start. Signatures are checked, although TLS would excuse that. */
export function discover(id, authentication, metadata, ...extensions) {
  return client.discovery(new URL(setting.issuer), id, metadata, authentication, {
    execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks, ...extensions],
  })
}

/** The app's own key for an algorithm. */
export async function privateKey(algorithm) {
  const jwk = setting.keys[algorithm].private
  return { key: await importJWK(jwk, algorithm), kid: jwk.kid }
}

/** Sends the person to Signet, lets them act, and returns what the callback received. */
export function authorize(config, page, parameters, ...steps) {
  return authorizeBy((all) => client.buildAuthorizationUrl(config, all), config, page, parameters, ...steps)
}

/** The same with an address that `build` makes of the parameters. */
export async function authorizeBy(build, config, page, parameters, ...steps) {
  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const nonce = client.randomNonce()
  const url = await build({
    redirect_uri: setting.callback,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    ...parameters,
  })
  const arriving = arrival()
  arriving.catch(() => {})
  await page.goto(url.href)
  for (const step of steps) await step(page)
  const arrived = await arriving
  // The next step must not overtake the browser on its way.
  await page.locator('#arrived').waitFor()
  // Only the browser knows what stands behind the #.
  const received = arrived instanceof URL ? new URL(page.url()) : arrived
  const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true }
  return { received, checks, redeem: (more) => client.authorizationCodeGrant(config, received, { ...checks, ...more }) }
}

export async function signIn(config, page, parameters, ...steps) {
  const { redeem } = await authorize(config, page, parameters, ...steps)
  return await redeem(parameters.max_age ? { maxAge: Number(parameters.max_age) } : {})
}

export function complete(tokens, scope) {
  equal(tokens.token_type, 'bearer', 'token_type')
  holds(tokens.expires_in > 0, 'expires_in is positive')
  holds(tokens.refresh_token, 'there is a refresh token')
  equal(tokens.claims().iss, setting.issuer, 'iss')
  if (tokens.scope !== undefined) {
    equal(tokens.scope.split(' ').sort().join(' '), scope.split(' ').sort().join(' '), 'scope')
  }
}
