// Dynamic registration: apps that come by an initial access token, sign people in, and manage what they registered.
import * as client from 'openid-client'
import { decodeProtectedHeader } from 'jose'
import { person, login, allow } from './browser.mjs'
import { logoutTokens } from './callback.mjs'
import { check, equal, fails, holds, setting, watch } from './checks.mjs'
import { PROFILE, authorize, complete, discover, privateKey, signIn } from './relying_party.mjs'
import { byKey } from './tokens.mjs'

const execute = [client.allowInsecureRequests, client.enableNonRepudiationChecks]
const issuer = new URL(setting.issuer)
const app = { redirect_uris: [setting.callback], client_name: 'An app of its own accord', contacts: ['ops@example.com'] }
const refreshing = { grant_types: ['authorization_code', 'refresh_token'] }
const consenting = { scope: PROFILE, prompt: 'consent' }
const initial = { initialAccessToken: setting.registration_token }
/** Members that a client may not send back (RFC 7592, section 2.2). */
const ASSIGNED = ['registration_client_uri', 'registration_access_token', 'client_secret_expires_at', 'client_id_issued_at']
const challenged = (error) => error instanceof client.WWWAuthenticateChallengeError && error.status === 401

/** Registers; what comes back is ready to use. */
function register(metadata, authentication, ...extensions) {
  const options = { ...initial, execute: [...execute, ...extensions] }
  return client.dynamicClientRegistration(issuer, { ...app, ...refreshing, ...metadata }, authentication, options)
}

export async function registration(browser) {
  const page = await person(browser)
  watch(page)
  await refusals()
  await check('an app registers itself with its key and for logouts, and signs a person in', async () => {
    const config = await register({
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [setting.keys.ES256.public] },
      id_token_signed_response_alg: 'PS256',
      post_logout_redirect_uris: [setting.signed_out],
      backchannel_logout_uri: new URL('/told/registered', setting.callback).href,
      backchannel_logout_session_required: true,
    }, await byKey('ES256'))
    const tokens = await signIn(config, page, consenting, login(), allow)
    complete(tokens, PROFILE)
    equal(decodeProtectedHeader(tokens.id_token).alg, 'PS256', 'alg')
    complete(await client.refreshTokenGrant(config, tokens.refresh_token), PROFILE)
    const parameters = { id_token_hint: tokens.id_token, post_logout_redirect_uri: setting.signed_out }
    await page.goto(client.buildEndSessionUrl(config, parameters).href)
    await page.locator('#signed-out').waitFor()
    holds((await logoutTokens(1)).registered, 'it was told of the logout')
  })
  await check('an app registers itself for a secret, and signs a person in', async () => {
    const config = await register({ token_endpoint_auth_method: 'client_secret_post' })
    equal(config.clientMetadata().client_secret_expires_at, 0, 'client_secret_expires_at')
    complete(await signIn(config, page, consenting, login(), allow), PROFILE)
  })
  await check('an app registers itself for client_secret_jwt', async () => {
    const registered = (await register({ token_endpoint_auth_method: 'client_secret_jwt' })).clientMetadata()
    const config = await discover(registered.client_id, client.ClientSecretJwt(registered.client_secret))
    complete(await signIn(config, page, consenting, allow), PROFILE)
  })
  await hybrid(page)
  await management(page)
  await page.context().close()
}

async function refusals() {
  await check('without an initial access token nobody registers', async () => {
    const register = () => client.dynamicClientRegistration(issuer, app, undefined, { execute })
    await fails(register, challenged, 'a challenge')
  })
  await check('what is wrong with a registration is named', async () => {
    const metadata = { redirect_uris: [`${setting.callback}#fragment`], id_token_signed_response_alg: 'none' }
    const named = /id_token_signed_response_alg/
    const refused = (error) => error.error === 'invalid_redirect_uri' && named.test(error.error_description)
    await fails(() => register(metadata), refused, 'invalid_redirect_uri')
  })
}

async function hybrid(page) {
  await check('an app registers itself for the hybrid flow with encrypted ID tokens', async () => {
    const key = { ...(await privateKey('ECDH-ES')), alg: 'ECDH-ES' }
    const decrypting = (config) => client.enableDecryptingResponses(config, ['A256GCM'], key)
    const metadata = {
      token_endpoint_auth_method: 'client_secret_post',
      response_types: ['code id_token'],
      grant_types: ['authorization_code', 'implicit', 'refresh_token'],
      jwks: { keys: [setting.keys['ECDH-ES'].public] },
      id_token_encrypted_response_alg: 'ECDH-ES',
      id_token_encrypted_response_enc: 'A256GCM',
    }
    const config = await register(metadata, undefined, decrypting, client.useCodeIdTokenResponseType)
    const { redeem } = await authorize(config, page, consenting, allow)
    complete(await redeem(), PROFILE)
  })
}

/** RFC 7592, which the library leaves to the app. */
async function management(page) {
  const config = await register({ token_endpoint_auth_method: 'client_secret_post' })
  const { registration_client_uri: uri, registration_access_token: token, client_id: id } = config.clientMetadata()
  const manage = async (method, body, credential = token) => {
    const headers = { authorization: `Bearer ${credential}`, ...(body && { 'content-type': 'application/json' }) }
    const answer = await fetch(uri, { method, headers, body: body && JSON.stringify(body) })
    return { status: answer.status, registered: answer.status === 200 ? await answer.json() : undefined }
  }
  const current = await check('an app reads and renames its registration', async () => {
    const { status, registered } = await manage('GET')
    equal(status, 200, 'the status')
    equal(registered.client_id, id, 'client_id')
    equal(registered.client_name, app.client_name, 'client_name')
    const next = { ...registered, client_name: 'Renamed' }
    for (const name of ASSIGNED) delete next[name]
    const replaced = await manage('PUT', next)
    equal(replaced.registered?.client_name, 'Renamed', 'client_name')
    return replaced.registered.registration_access_token ?? token
  })
  await check('an app removes its registration: nobody knows it any more', async () => {
    const tokens = await signIn(config, page, consenting, allow)
    equal((await manage('DELETE', undefined, current)).status, 204, 'the status')
    equal((await manage('GET', undefined, current)).status, 401, 'the status')
    await fails(() => client.refreshTokenGrant(config, tokens.refresh_token), challenged, 'a challenge')
  })
}
