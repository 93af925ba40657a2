// What travels through the browser: hybrid and implicit answers, as fragment and as posted form, and requests in tokens.
import * as client from 'openid-client'
import { login, allow, deny } from './browser.mjs'
import { published } from './callback.mjs'
import { check, equal, fails, holds, setting } from './checks.mjs'
import { PROFILE, authorize, authorizeBy, complete, discover, privateKey, refusedWith } from './relying_party.mjs'

const { clients, user } = setting
const consenting = { scope: PROFILE, prompt: 'consent' }
const posted = { response_mode: 'form_post' }

/** One page for all: the person signs in once. */
export async function frontChannel(page) {
  const { client_id: id, client_secret: secret } = clients.browser
  const hybrid = await discover(id, client.ClientSecretBasic(secret), undefined, client.useCodeIdTokenResponseType)
  await check('hybrid flow, code id_token: nonce and c_hash hold in the fragment, the code is worth tokens', async () => {
    const { received, redeem } = await authorize(hybrid, page, consenting, login(), allow)
    equal(received.search, '', 'the query')
    holds(received.hash.includes('id_token='), 'the ID token is in the fragment')
    complete(await redeem(), PROFILE)
  })
  await check('hybrid flow with response_mode=form_post', async () => {
    const { received, redeem } = await authorize(hybrid, page, { ...consenting, ...posted }, allow)
    equal(received.method, 'POST', 'the method')
    complete(await redeem(), PROFILE)
  })
  await check('hybrid flow: the ID token with another code is refused by its c_hash', async () => {
    const first = await authorize(hybrid, page, { scope: 'openid' })
    const second = await authorize(hybrid, page, { scope: 'openid' })
    const fragment = new URLSearchParams(first.received.hash.slice(1))
    fragment.set('code', new URLSearchParams(second.received.hash.slice(1)).get('code'))
    first.received.hash = fragment.toString()
    await fails(first.redeem, (error) => error.cause?.cause?.claim === 'c_hash', 'a mismatch')
    equal((await second.redeem()).claims().iss, setting.issuer, 'iss')
  })
  await check('hybrid flow: a person who declines, in the fragment', async () => {
    const { received, redeem } = await authorize(hybrid, page, consenting, deny)
    equal(received.search, '', 'the query')
    await fails(redeem, refusedWith('access_denied'), 'access_denied')
  })
  await implicit(page, id)
}

async function implicit(page, id) {
  const config = await discover(id, client.None(), undefined, client.useIdTokenResponseType)
  const scope = 'openid email'
  for (const [title, mode] of [['in the fragment', {}], ['with response_mode=form_post', posted]]) {
    await check(`implicit id_token ${title}: nonce, signature, the claims of the scopes`, async () => {
      const { received, checks } = await authorizeBy(plain(config), config, page, { scope, ...mode })
      equal(received instanceof URL, mode !== posted, 'the answer is an address')
      const claims = await client.implicitAuthentication(config, received, checks.expectedNonce, checks)
      equal(claims.email, user.email, 'email')
      equal(claims.at_hash, undefined, 'at_hash')
    })
  }
  await check('implicit id_token: a person who declines, in the fragment', async () => {
    const { received, checks } = await authorizeBy(plain(config), config, page, { scope, prompt: 'consent' }, deny)
    const refused = () => client.implicitAuthentication(config, received, checks.expectedNonce, checks)
    await fails(refused, refusedWith('access_denied'), 'access_denied')
  })
}

/** Where no code comes there is nothing for PKCE to protect. */
const plain = (config) => ({ code_challenge: _, code_challenge_method: __, ...parameters }) =>
  client.buildAuthorizationUrl(config, parameters)

export async function requestObjects(page) {
  const { client_id: id, client_secret: secret } = clients.request
  const config = await discover(id, client.ClientSecretBasic(secret))
  for (const algorithm of ['RS256', 'PS256', 'ES256', 'EdDSA']) {
    await check(`a request object signed by ${algorithm}`, async () => {
      const { redeem } = await authorizeBy(await signed(config, algorithm), config, page, consenting, allow)
      complete(await redeem(), PROFILE)
    })
  }
  await check('a request object by reference', async () => {
    const build = async (parameters) => {
      const url = await (await signed(config, 'ES256'))(parameters)
      published.request = url.searchParams.get('request')
      return client.buildAuthorizationUrl(config, { request_uri: new URL('/request.jwt', setting.callback).href })
    }
    const { redeem } = await authorizeBy(build, config, page, consenting, allow)
    complete(await redeem(), PROFILE)
  })
  await check('without a request object the client that needs one is refused', async () => {
    const { redeem } = await authorize(config, page, consenting)
    await fails(redeem, refusedWith('invalid_request_object'), 'invalid_request_object')
  })
}

async function signed(config, algorithm) {
  const key = await privateKey(algorithm)
  // The library's own name for it, Ed25519 (RFC 9864), is not yet that of OpenID Connect.
  const named = { [client.modifyAssertion]: (header) => (header.alg = algorithm) }
  return (parameters) => client.buildAuthorizationUrlWithJAR(config, parameters, key, named)
}
