// Signing in with Google, GitHub and another Signet, as people do it.
import { allow, launch, login, person } from './browser.mjs'
import { listen } from './callback.mjs'
import { check, equal, holds, setting, watch } from './checks.mjs'
import * as doubles from './doubles.mjs'
import { see } from './look.mjs'

const { client, issuer, scripts, ports, other, user } = setting
/** The verifier of the challenge below (RFC 7636, appendix B). */
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

function authorize(more = {}) {
  const query = { client_id: client.client_id, redirect_uri: client.redirect_uri, response_type: 'code',
    scope: 'openid email', state: 'life', code_challenge: CHALLENGE, code_challenge_method: 'S256', ...more }
  return `${issuer}/authorize?${new URLSearchParams(query)}`
}

/** A browser that nobody has used, at the login page of an app. */
async function fresh(more) {
  const page = await person(browser, { javaScriptEnabled: scripts, locale: 'en-US' })
  watch(page)
  await page.goto(authorize(more))
  return page
}

/** What the app learns of whose code the page has brought to it. */
async function learned(page) {
  await page.locator('#consent-allow, #arrived').first().waitFor()
  if (await page.locator('#consent-allow').isVisible()) await allow(page)
  await page.locator('#arrived').waitFor()
  const code = new URL(page.url()).searchParams.get('code')
  const body = { client_id: client.client_id, grant_type: 'authorization_code', code, redirect_uri: client.redirect_uri, code_verifier: VERIFIER }
  const answer = await fetch(`${issuer}/oauth2/token`, { method: 'POST', body: new URLSearchParams(body) })
  equal(answer.status, 200, 'the answer of the token endpoint')
  const { access_token, id_token } = await answer.json()
  const claims = JSON.parse(Buffer.from(id_token.split('.')[1], 'base64url').toString())
  const told = await fetch(`${issuer}/oauth2/userinfo`, { headers: { authorization: `Bearer ${access_token}` } })
  return { ...claims, ...(await told.json()) }
}

const by = (name) => (page) => page.locator(`#login-provider-${name}`).click()

async function google(double) {
  let page = await fresh()
  await see(page, 'login-providers')
  const first = await check('somebody comes by Google, and the app learns who it is', async () => {
    await by('google')(page)
    await page.locator('#continue-0').click()
    const claims = await learned(page)
    equal(`${claims.email} ${claims.email_verified} ${claims.acr} ${claims.amr}`, `${double.people[0].email} true aal1 federated`, 'what the app learns')
    return claims.sub
  })
  await check('the next time it is the same person', async () => {
    page = await fresh()
    await by('google')(page)
    await page.locator('#continue-0').click()
    equal((await learned(page)).sub, first, 'sub')
  })
  await check('idp_hint leads there by itself', async () => {
    page = await fresh({ idp_hint: 'google' })
    await page.locator('#continue-0').waitFor()
  })
  await check('who says no there can sign in another way', async () => {
    await page.locator('#cancel').click()
    await page.locator('#provider-denied').waitFor()
  })
  await see(page, 'provider-denied')
  await page.locator('#provider-back').click()
  await page.locator('#login-submit').waitFor()
  await check('while Google is away, the page says so', async () => {
    await by('google')(page)
    Object.assign(double, { mood: 'failing', moodAt: doubles.documents.google.paths.token })
    await page.locator('#continue-0').click()
    await page.locator('#provider-away').waitFor()
    double.mood = 'normal'
  })
  await see(page, 'provider-away')
  await check('and the other ways in go on to work', async () => {
    await page.locator('#provider-back').click()
    await login(user)(page)
    equal((await learned(page)).email, user.email, 'email')
  })
}

async function github(double) {
  let page = await fresh()
  await check('somebody comes by GitHub', async () => {
    await by('github')(page)
    await page.locator('#continue-0').click()
    const claims = await learned(page)
    equal(claims.email_verified, true, 'email_verified')
  })
  const nobody = { ...double.people[0], id: 1815, login: 'nobody', email: null, emails: [] }
  double.people = [nobody]
  page = await fresh()
  await check('somebody without an address is asked for one', async () => {
    await by('github')(page)
    await page.locator('#continue-0').click()
    await page.locator('#enrol-email').waitFor()
  })
  await see(page, 'enrol')
  await check('and goes on to the app', async () => {
    await page.locator('#enrol-email').fill('nobody@example.org')
    await page.locator('#enrol-submit').click()
    const claims = await learned(page)
    holds(!claims.email_verified, 'nobody has confirmed the address yet')
  })
}

/** The same address there and here proves nothing until its person has signed in here once. */
async function another() {
  const there = async (page) => {
    await by('other')(page)
    await page.waitForURL((url) => url.href.startsWith(other.issuer))
    await page.locator('#login-username, #consent-allow').first().waitFor()
    if (await page.locator('#login-username').isVisible()) await login(other.user)(page)
    await page.locator('#consent-allow, #connect-sign-in, #connect-yes, #arrived').first().waitFor()
    if (page.url().startsWith(other.issuer)) await allow(page)
  }
  let page = await fresh()
  await check('who has an account here already signs in to it once', async () => {
    await there(page)
    await page.locator('#connect-sign-in').waitFor()
  })
  await see(page, 'connect-sign-in')
  await page.locator('#connect-sign-in').click()
  await login(user)(page)
  await page.locator('#connect-yes').waitFor()
  await see(page, 'connect')
  const sub = await check('and connects it', async () => {
    await page.locator('#connect-yes').click()
    const claims = await learned(page)
    equal(claims.email, user.email, 'email')
    return claims.sub
  })
  await check('from then on the other Signet opens the account', async () => {
    page = await fresh()
    await there(page)
    const claims = await learned(page)
    equal(`${claims.sub} ${claims.amr}`, `${sub} federated`, 'who it is')
  })
}

const ACCOUNT = `${issuer}/account/providers`

/** What the person of the page connects, closes and leaves in their account; the other Signet has let them in. */
async function account(double) {
  double.people = [double.people[0], doubles.documents.google.accounts.grace]
  let page = await fresh()
  await login(user)(page)
  await page.locator('#consent-allow, #arrived').first().waitFor()
  await page.goto(ACCOUNT)
  await check('what is connected stands in the account', async () => {
    await page.locator('#providers-connected li').waitFor()
    equal(await page.locator('#providers-connected li').count(), 1, 'connected accounts')
  })
  await check('another is connected from there', async () => {
    await page.locator('#connect-google').click()
    await page.locator('#continue-1').click()
    await page.locator('#notice').waitFor()
    equal(await page.locator('#providers-connected li').count(), 2, 'connected accounts')
  })
  await see(page, 'account-providers')
  await check('and opens the account', async () => {
    const other = await fresh()
    await by('google')(other)
    await other.locator('#continue-1').click()
    equal((await learned(other)).email, user.email, 'email')
  })
  await check('what is disconnected opens it no more', async () => {
    await page.locator('#providers-connected li', { hasText: 'Google' }).locator('button').click()
    await page.locator('#notice').waitFor()
    equal(await page.locator('#providers-connected li').count(), 1, 'connected accounts')
    const other = await fresh()
    await by('google')(other)
    await other.locator('#continue-1').click()
    await other.locator('#consent-allow, #arrived, #connect-sign-in, #enrol-submit').first().waitFor()
    if (await other.locator('#consent-allow, #arrived').count()) holds((await learned(other)).email !== user.email, 'it is another account')
  })

  page = await fresh()
  await by('google')(page)
  await page.locator('#continue-0').click()
  await page.locator('#consent-allow, #arrived').first().waitFor()
  await page.goto(ACCOUNT)
  await check('the only way into an account stays', async () => {
    await page.locator('#providers-connected li button').click()
    await page.locator('#complaint, .notice.bad').first().waitFor()
    equal(await page.locator('#providers-connected li').count(), 1, 'connected accounts')
  })
  await see(page, 'account-providers-last')
  await page.goto(`${issuer}/account/password`)
  await see(page, 'account-password-first')
  await check('with a first password it may go', async () => {
    await page.locator('#password-new').fill('seven violet lanterns by the sea')
    await page.locator('#password-submit').click()
    await page.locator('#notice').waitFor()
    await page.goto(ACCOUNT)
    await page.locator('#providers-connected li button').click()
    await page.locator('#notice').waitFor()
    equal(await page.locator('#providers-connected li').count(), 0, 'connected accounts')
  })
  await see(page, 'account-providers-none')
}

/** Signing out here goes on to the other Signet, and comes back. */
async function out() {
  const page = await fresh()
  await by('other')(page)
  await page.waitForURL((url) => url.href.startsWith(other.issuer))
  await login(other.user)(page)
  await page.locator('#consent-allow, #arrived').first().waitFor()
  if (page.url().startsWith(other.issuer)) {
    await allow(page)
    await page.waitForURL((url) => !url.href.startsWith(other.issuer))
  }
  await page.goto(`${issuer}/account`)
  await check('who signs out here is signed out there as well', async () => {
    await page.locator('#account-sign-out').click()
    await page.locator('#signing-out, #logged-out').first().waitFor()
    if (await page.locator('#signing-out').isVisible()) {
      if (!scripts) await see(page, 'signing-out-onward')
      await page.locator('#signing-out-continue').click().catch(() => {})
    }
    await page.locator('#logged-out').waitFor()
    equal(new URL(page.url()).origin, issuer, 'where it ends')
    await page.goto(`${other.issuer}/account`)
    await page.locator('#login-submit').waitFor()
  })
}

const app = await listen()
const at = { google: await doubles.google(ports.google), github: await doubles.github(ports.github, ports.api) }
const browser = await launch()
try {
  await google(at.google)
  await github(at.github)
  await another()
  await account(at.google)
  await out()
} finally {
  await browser.close()
  app.closeAllConnections()
  app.close()
  await Promise.all([at.google.down(), at.github.down(), at.github.api.down()])
}
