// openid-client (npm) as the relying party, Chromium as the person's browser.
import * as client from 'openid-client'
import { launch, person, login, password, allow, deny, quiet } from './browser.mjs'
import { listen } from './callback.mjs'
import { check, equal, fails, holds, pause, setting, watch } from './checks.mjs'
import { frontChannel, requestObjects } from './front_channel.mjs'
import { backchannel } from './logout.mjs'
import { registration } from './registration.mjs'
import { PROFILE, authorize, complete, discover, invalidGrant, refusedWith, signIn } from './relying_party.mjs'
import { algorithms, assertions } from './tokens.mjs'

const { clients, user } = setting

async function webClient(browser) {
  const { client_id: id, client_secret: secret } = clients.web
  const page = await person(browser)
  watch(page)
  const config = await check('discovery', async () => {
    const config = await discover(id, client.ClientSecretBasic(secret))
    equal(config.serverMetadata().issuer, setting.issuer, 'issuer')
    holds(config.serverMetadata().supportsPKCE(), 'PKCE with S256 is announced')
    return config
  })
  const first = await check('code flow with PKCE, client_secret_basic: login, consent, tokens, ID token', async () => {
    const tokens = await signIn(config, page, { scope: PROFILE, prompt: 'consent' }, login(), allow)
    complete(tokens, PROFILE)
    return tokens
  })
  await check('userinfo has the claims of the scopes', async () => {
    const claims = await client.fetchUserInfo(config, first.access_token, first.claims().sub)
    equal(claims.email, user.email, 'email')
    equal(claims.given_name, user.given_name, 'given_name')
    equal(claims.family_name, user.family_name, 'family_name')
  })
  await check('a second request needs no page: same subject, same auth_time', async () => {
    const tokens = await signIn(config, page, { scope: 'openid profile', prompt: 'none', max_age: '3600' })
    equal(tokens.claims().sub, first.claims().sub, 'sub')
    return tokens
  })
  await check('max_age sends the person to the login again, auth_time is later', async () => {
    const before = await signIn(config, page, { scope: 'openid', max_age: '3600' })
    await pause(2.2)
    const tokens = await signIn(config, page, { scope: 'openid', max_age: '1' }, password())
    holds(tokens.claims().auth_time > before.claims().auth_time, 'auth_time is later')
    equal(tokens.claims().sub, first.claims().sub, 'sub')
  })
  await codes(config, page)
  await refreshing(config, first)
  await introspectionAndRevocation(config, page)
  await check('a person who declines: access_denied', async () => {
    const { redeem } = await authorize(config, page, { scope: 'openid email', prompt: 'consent' }, deny)
    await fails(redeem, refusedWith('access_denied'), 'access_denied')
  })
  await logout(config, page)
  await page.context().close()
}

async function codes(config, page) {
  await check('a code is worth tokens once; its access token dies with the second attempt', async () => {
    const { redeem } = await authorize(config, page, { scope: 'openid' })
    const tokens = await redeem()
    await fails(redeem, invalidGrant, 'invalid_grant')
    const token = await client.tokenIntrospection(config, tokens.access_token)
    equal(token.active, false, 'active')
  })
  await check('a code with a wrong code_verifier is refused', async () => {
    const { redeem } = await authorize(config, page, { scope: 'openid' })
    const pkceCodeVerifier = client.randomPKCECodeVerifier()
    await fails(() => redeem({ pkceCodeVerifier }), invalidGrant, 'invalid_grant')
  })
}

async function refreshing(config, first) {
  const second = await check('refresh rotates the refresh token', async () => {
    const tokens = await client.refreshTokenGrant(config, first.refresh_token)
    complete(tokens, PROFILE)
    holds(tokens.refresh_token !== first.refresh_token, 'the refresh token is new')
    holds(tokens.access_token !== first.access_token, 'the access token is new')
    equal(tokens.claims().sub, first.claims().sub, 'sub')
    await client.fetchUserInfo(config, tokens.access_token, first.claims().sub)
    return tokens
  })
  await check('a spent refresh token, after the grace window, is refused and ends its family', async () => {
    await pause(setting.refresh_grace + 1.2)
    await fails(() => client.refreshTokenGrant(config, first.refresh_token), invalidGrant, 'invalid_grant')
    await fails(() => client.refreshTokenGrant(config, second.refresh_token), invalidGrant, 'invalid_grant')
    const token = await client.tokenIntrospection(config, second.access_token)
    equal(token.active, false, 'active')
  })
}

async function introspectionAndRevocation(config, page) {
  const id = config.clientMetadata().client_id
  const consenting = { scope: PROFILE, prompt: 'consent' }
  const tokens = await check('introspection tells about a live token', async () => {
    const tokens = await signIn(config, page, consenting, allow)
    const told = await client.tokenIntrospection(config, tokens.access_token)
    equal(told.active, true, 'active')
    equal(told.client_id, id, 'client_id')
    equal(told.sub, tokens.claims().sub, 'sub')
    equal((await client.tokenIntrospection(config, 'no-such-token')).active, false, 'active')
    return tokens
  })
  await check('a revoked access token is dead, its refresh token lives', async () => {
    await client.tokenRevocation(config, tokens.access_token)
    equal((await client.tokenIntrospection(config, tokens.access_token)).active, false, 'active')
    await client.refreshTokenGrant(config, tokens.refresh_token)
  })
  await check('a revoked refresh token ends all tokens of the grant', async () => {
    const others = await signIn(config, page, consenting, allow)
    await client.tokenRevocation(config, others.refresh_token)
    await fails(() => client.refreshTokenGrant(config, others.refresh_token), invalidGrant, 'invalid_grant')
    equal((await client.tokenIntrospection(config, others.access_token)).active, false, 'active')
  })
}

async function logout(config, page) {
  await check('RP-initiated logout returns to the app with its state', async () => {
    const tokens = await signIn(config, page, { scope: 'openid' })
    const state = client.randomState()
    const url = client.buildEndSessionUrl(config, {
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: setting.signed_out,
      state,
    })
    await page.goto(url.href)
    await page.locator('#signed-out').waitFor()
    equal(page.url(), `${setting.signed_out}?state=${state}`, 'the address')
  })
  await check('after the logout prompt=none gives login_required', async () => {
    const { redeem } = await authorize(config, page, { scope: 'openid', prompt: 'none' })
    await fails(redeem, refusedWith('login_required'), 'login_required')
  })
}

async function otherWebClients(browser) {
  const page = await person(browser)
  watch(page)
  await check('client_secret_post, response_mode=form_post', async () => {
    const { client_id: id, client_secret: secret } = clients.post
    const config = await discover(id, client.ClientSecretPost(secret))
    const parameters = { scope: PROFILE, response_mode: 'form_post', prompt: 'consent' }
    const { received, redeem } = await authorize(config, page, parameters, login(), allow)
    equal(received.method, 'POST', 'the method')
    const tokens = await redeem()
    complete(tokens, PROFILE)
    complete(await client.refreshTokenGrant(config, tokens.refresh_token), PROFILE)
  })
  await check('response_mode=form_post carries errors too', async () => {
    const { client_id: id, client_secret: secret } = clients.post
    const config = await discover(id, client.ClientSecretPost(secret))
    const parameters = { scope: 'openid', response_mode: 'form_post', prompt: 'consent' }
    const { received, redeem } = await authorize(config, page, parameters, deny)
    equal(received.method, 'POST', 'the method')
    await fails(redeem, refusedWith('access_denied'), 'access_denied')
  })
  await check('client_credentials by a machine', async () => {
    const { client_id: id, client_secret: secret } = clients.machine
    const config = await discover(id, client.ClientSecretBasic(secret))
    const tokens = await client.clientCredentialsGrant(config)
    equal(tokens.refresh_token, undefined, 'refresh_token')
    const told = await client.tokenIntrospection(config, tokens.access_token)
    equal(told.active, true, 'active')
    equal(told.client_id, id, 'client_id')
  })
  await page.context().close()
}

/** The apps of the settings file, and one person who allows them all. */
async function furtherWebClients(browser) {
  const page = await person(browser)
  watch(page)
  await frontChannel(page)
  await requestObjects(page)
  await assertions(page)
  await algorithms(page)
  await page.context().close()
}

/** The app itself runs in the page (spa.html): metadata, JWKS, token, userinfo and revocation across origins. */
async function singlePageApp(browser) {
  const page = await person(browser)
  watch(page)
  const app = `${new URL(setting.callback).origin}/spa`
  const outcome = async () => {
    await page.locator('#outcome:not(:empty)').waitFor()
    return JSON.parse(await page.locator('#outcome').innerText())
  }
  await check('a single-page app without a secret, in the browser, across origins', async () => {
    await page.goto(`${app}#${encodeURIComponent(JSON.stringify({ issuer: setting.issuer, id: clients.spa.client_id }))}`)
    await page.locator('#sign-in').click()
    await login()(page)
    await allow(page)
    const told = await outcome()
    equal(told.error, undefined, 'error')
    equal(told.claims.iss, setting.issuer, 'iss')
    equal(told.claims.aud, clients.spa.client_id, 'aud')
    equal(told.userinfo.email, user.email, 'email')
    equal(told.rotated, true, 'rotated')
    equal(told.revoked, 'invalid_grant', 'the refresh token after its revocation')
  })
  await page.context().close()
}

const server = await listen()
const browser = await launch()
try {
  await webClient(browser)
  await otherWebClients(browser)
  await furtherWebClients(browser)
  await backchannel(browser)
  await registration(browser)
  await singlePageApp(browser)
  // The single-page app tries a refresh token that it has revoked.
  const refused = (complaint) => complaint.includes('/spa?') && complaint.includes('status of 400')
  await check('the browser had nothing to complain about', () => quiet(refused))
} finally {
  await browser.close()
  // Also those that were opened for nothing, or it waits for them.
  server.closeAllConnections()
  server.close()
}
