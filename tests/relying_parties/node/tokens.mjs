// How apps prove themselves, and what their tokens and answers are signed and encrypted with.
import * as client from 'openid-client'
import { decodeProtectedHeader } from 'jose'
import { allow } from './browser.mjs'
import { published } from './callback.mjs'
import { check, equal, setting } from './checks.mjs'
import { PROFILE, authorize, complete, discover, privateKey, signIn } from './relying_party.mjs'

const { clients, user } = setting
const consenting = { scope: PROFILE, prompt: 'consent' }

/** Everything for which an app authenticates. */
async function authenticated(config, page) {
  const tokens = await signIn(config, page, consenting, allow)
  complete(tokens, PROFILE)
  complete(await client.refreshTokenGrant(config, tokens.refresh_token), PROFILE)
  equal((await client.tokenIntrospection(config, tokens.access_token)).active, true, 'active')
  await client.tokenRevocation(config, tokens.refresh_token)
}

export async function byKey(algorithm) {
  // The library's own name for it, Ed25519 (RFC 9864), is not yet that of OpenID Connect.
  const named = { [client.modifyAssertion]: (header) => (header.alg = algorithm) }
  return client.PrivateKeyJwt(await privateKey(algorithm), named)
}

export async function assertions(page) {
  await check('client_secret_jwt', async () => {
    const { client_id: id, client_secret: secret } = clients['secret-jwt']
    await authenticated(await discover(id, client.ClientSecretJwt(secret)), page)
  })
  await check('private_key_jwt with keys at a jwks_uri; a new key counts at once', async () => {
    const { client_id: id } = clients['jwks-uri']
    for (const algorithm of ['ES256', 'PS256']) {
      published.keys = [setting.keys[algorithm].public]
      await authenticated(await discover(id, await byKey(algorithm)), page)
    }
  })
}

export async function algorithms(page) {
  for (const algorithm of ['RS256', 'PS256', 'ES256', 'EdDSA']) await signing(page, algorithm)
  for (const algorithm of ['RSA-OAEP-256', 'ECDH-ES']) await encrypting(page, algorithm)
}

async function signing(page, algorithm) {
  const config = await discover(clients[algorithm].client_id, await byKey(algorithm), {
    id_token_signed_response_alg: algorithm,
    userinfo_signed_response_alg: algorithm,
    introspection_signed_response_alg: algorithm,
  })
  const tokens = await check(`private_key_jwt and an ID token, both signed by ${algorithm}`, async () => {
    const tokens = await signIn(config, page, consenting, allow)
    complete(tokens, PROFILE)
    equal(decodeProtectedHeader(tokens.id_token).alg, algorithm, 'alg')
    complete(await client.refreshTokenGrant(config, tokens.refresh_token), PROFILE)
    return tokens
  })
  await check(`userinfo and introspection, both signed by ${algorithm}`, () => answers(config, tokens))
}

/** The library refuses answers in clear or by other algorithms, when it is told of these. */
async function answers(config, tokens) {
  const claims = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)
  equal(claims.email, user.email, 'email')
  equal(claims.iss, setting.issuer, 'iss')
  const told = await client.tokenIntrospection(config, tokens.access_token)
  equal(told.active, true, 'active')
  equal(told.sub, tokens.claims().sub, 'sub')
}

async function encrypting(page, algorithm) {
  const { client_id: id, client_secret: secret } = clients[algorithm]
  const key = { ...(await privateKey(algorithm)), alg: algorithm }
  const decrypting = (config) => client.enableDecryptingResponses(config, ['A256GCM', 'A128CBC-HS256'], key)
  const metadata = { userinfo_signed_response_alg: 'RS256', introspection_signed_response_alg: 'RS256' }
  const config = await discover(id, client.ClientSecretBasic(secret), metadata, decrypting)
  const tokens = await check(`an ID token encrypted by ${algorithm}`, async () => {
    const tokens = await signIn(config, page, consenting, allow)
    complete(tokens, PROFILE)
    equal(decodeProtectedHeader(tokens.id_token).alg, algorithm, 'alg')
    return tokens
  })
  await check(`userinfo and introspection, both encrypted by ${algorithm}`, () => answers(config, tokens))
  await check(`hybrid flow with ID tokens encrypted by ${algorithm}`, async () => {
    const hybrid = await discover(id, client.ClientSecretBasic(secret), metadata, decrypting, client.useCodeIdTokenResponseType)
    const { redeem } = await authorize(hybrid, page, consenting, allow)
    complete(await redeem(), PROFILE)
  })
}
