// Back-channel logout: the apps of a session hear of its end, each by a token of its own.
import * as client from 'openid-client'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { person, login, allow } from './browser.mjs'
import { logoutTokens } from './callback.mjs'
import { check, equal, holds, setting, watch } from './checks.mjs'
import { discover, signIn } from './relying_party.mjs'
import { byKey } from './tokens.mjs'

const { clients } = setting
const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

export async function backchannel(browser) {
  const page = await person(browser)
  watch(page)
  const { client_id: id, client_secret: secret } = clients.told
  const config = await discover(id, client.ClientSecretBasic(secret))
  await check('back-channel logout is announced, with sid', () => {
    equal(config.serverMetadata().backchannel_logout_supported, true, 'backchannel_logout_supported')
    equal(config.serverMetadata().backchannel_logout_session_supported, true, 'backchannel_logout_session_supported')
  })
  const apps = { told: { config, algorithm: 'RS256' } }
  for (const algorithm of ['ES256', 'EdDSA']) {
    const metadata = { id_token_signed_response_alg: algorithm }
    apps[algorithm] = { config: await discover(clients[algorithm].client_id, await byKey(algorithm), metadata), algorithm }
  }
  const parameters = { scope: 'openid', prompt: 'consent' }
  await check('one person signs in to three apps, in one session', async () => {
    for (const [name, app] of Object.entries(apps)) {
      const steps = name === 'told' ? [login(), allow] : [allow]
      app.claims = (await signIn(app.config, page, parameters, ...steps)).claims()
    }
  })
  const tokens = await check('a logout by one app reaches all three, and no other', async () => {
    const last = await signIn(config, page, { scope: 'openid' })
    const url = client.buildEndSessionUrl(config, { id_token_hint: last.id_token, post_logout_redirect_uri: setting.signed_out })
    await page.goto(url.href)
    await page.locator('#signed-out').waitFor()
    return await logoutTokens(3)
  })
  for (const [name, app] of Object.entries(apps)) {
    const title = `the logout token signed by ${app.algorithm}: typ, iss, aud, events, sub, sid, no nonce`
    await check(title, () => verify(app, tokens[name]))
  }
  await page.context().close()
}

/** OpenID Connect Back-Channel Logout 1.0, section 2.6. */
async function verify({ config, algorithm, claims }, token) {
  const { issuer, jwks_uri: keys } = config.serverMetadata()
  const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(keys)), {
    issuer,
    audience: config.clientMetadata().client_id,
    typ: 'logout+jwt',
    algorithms: [algorithm],
    requiredClaims: ['iat', 'exp', 'jti'],
    maxTokenAge: '2m',
  })
  equal(payload.sub, claims.sub, 'sub')
  equal(payload.sid, claims.sid, 'sid')
  equal(JSON.stringify(payload.events), JSON.stringify({ [EVENT]: {} }), 'events')
  holds(!('nonce' in payload), 'there is no nonce')
}
