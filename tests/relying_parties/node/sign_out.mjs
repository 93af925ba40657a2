// Signing out of everything in a real browser, over https: apps' frames, apps that are told behind the browser's back, and
// apps that watch the session.
import { acrossSites, login, quiet } from './browser.mjs'
import { listen, moods, saw, seen } from './apps.mjs'
import { check, equal, holds, pause, setting, watch } from './checks.mjs'
import { see } from './look.mjs'

const { issuer, port, user } = setting
const FLAGS = ['--ignore-certificate-errors', '--host-resolver-rules=MAP *.example 127.0.0.1']
const HARBOUR = `https://harbour.example:${port}`
const BOOKS = `https://books.example:${port}`
const EVIL = `https://evil.example:${port}`
const HANG = () => pause(30)
/** The verifier of the challenge below (RFC 7636, appendix B). */
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

/** Signs in to an app, by the pages that come; what the app learned. */
async function visit(page, client_id, app) {
  const redirect_uri = `${app}/callback`
  const query = { client_id, redirect_uri, response_type: 'code', scope: 'openid profile', state: 'in',
    code_challenge: CHALLENGE, code_challenge_method: 'S256' }
  await page.goto(`${issuer}/authorize?${new URLSearchParams(query)}`)
  if (await page.locator('#login-submit').isVisible()) await login(user)(page)
  await page.waitForURL(`${redirect_uri}?*`)
  const arrived = new URL(page.url()).searchParams
  const body = { grant_type: 'authorization_code', code: arrived.get('code'), client_id, redirect_uri, code_verifier: VERIFIER }
  const answer = await fetch(`${issuer}/oauth2/token`, { method: 'POST', body: new URLSearchParams(body) })
  const { id_token } = await answer.json()
  return { id_token, claims: claims(id_token), session_state: arrived.get('session_state') }
}

/** The apps' frames try to lead the whole window away, and the browser says that they may not. */
const sandboxed = (complaint) => /navigation of the top-level window is sandboxed/.test(complaint)

const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'))

const signOut = (id_token) => {
  const query = { id_token_hint: id_token, post_logout_redirect_uri: `${HARBOUR}/signed-out`, state: 'a b&c' }
  return `${issuer}/logout?${new URLSearchParams(query)}`
}

async function both(options) {
  const page = await acrossSites(FLAGS, { ignoreHTTPSErrors: true, ...options })
  watch(page)
  const harbour = await visit(page, 'harbour', HARBOUR)
  const books = await visit(page, 'books', BOOKS)
  return { page, harbour, books }
}

/** The frame of this app has been loaded with exactly what the specification says. */
async function framed(host, { claims }) {
  const { query, cookie } = await saw(`the frame of ${host}`, (one) => one.host === host && one.path === '/front')
  equal([...query.keys()].join(), host.startsWith('books') ? 'tenant,iss,sid' : 'iss,sid', 'the parameters')
  equal(query.get('iss'), issuer, 'iss')
  equal(query.get('sid'), claims.sid, 'sid')
  equal(cookie, `app=${host}`, 'the cookie of the app')
}

async function everything() {
  const { page, harbour, books } = await both()
  const watching = await page.context().newPage()
  await watching.goto(`${HARBOUR}/watch`)
  const message = `harbour ${harbour.session_state}`
  const ask = (text) => watching.evaluate((text) => window.ask(text), text)
  await check('the session frame says unchanged', async () => equal(await ask(message), 'unchanged', 'the answer'))
  await check('looking around changes nothing', async () => {
    await page.goto(`${issuer}/account`)
    equal(await ask(message), 'unchanged', 'the answer')
  })
  await check('the session frame says error to what it cannot read', async () => {
    for (const text of ['', 'harbour', `${message} x`, 'harbour hash', 'harbour .salt', { client: 'harbour' }]) {
      equal(await ask(text), 'error', `the answer to ${JSON.stringify(text)}`)
    }
  })
  await check('another app, and another origin, learn nothing but changed', async () => {
    equal(await ask(`books ${harbour.session_state}`), 'changed', 'the answer')
    const evil = await page.context().newPage()
    await evil.goto(`${EVIL}/watch`)
    equal(await evil.evaluate((text) => window.ask(text), message), 'changed', 'the answer')
    await evil.close()
  })
  await check('a logout loads the frame of each app, then goes back with state', async () => {
    seen.length = 0
    await page.goto(signOut(harbour.id_token))
    await page.waitForURL(`${HARBOUR}/signed-out?*`)
    equal(new URL(page.url()).search, '?state=a+b%26c', 'only state')
    await framed('harbour.example', harbour)
    await framed('books.example', books)
  })
  await check('each app was told behind the browser as well', async () => {
    for (const [app, { claims: { sid, sub } }] of Object.entries({ harbour, books })) {
      const told = await saw(`the logout token of ${app}`, (one) => one.path === '/told' && one.query.get('app') === app)
      const token = claims(told.token)
      equal(`${token.aud} ${token.sid} ${token.sub}`, `${app} ${sid} ${sub}`, 'whom it is for and about')
    }
  })
  await check('the session frame says changed', async () => equal(await ask(message), 'changed', 'the answer'))
  await check('the person is signed out', async () => {
    await page.goto(`${issuer}/account`)
    await page.locator('#login-submit').waitFor()
  })
  await page.context().close()
}

async function patience() {
  await check('a frame that hangs holds up nobody for long', async () => {
    const { page, harbour } = await both()
    moods['books.example'] = HANG
    seen.length = 0
    const begun = Date.now()
    await page.goto(signOut(harbour.id_token), { waitUntil: 'commit' })
    await page.waitForURL(`${HARBOUR}/signed-out?*`)
    const took = (Date.now() - begun) / 1000
    holds(took > 4 && took < 9, `it goes on after five seconds, not after ${took}`)
    await framed('harbour.example', harbour)
    await page.context().close()
    delete moods['books.example']
  })
  await check('without scripts it goes on by itself too', async () => {
    const { page, harbour, books } = await both({ javaScriptEnabled: false })
    seen.length = 0
    await page.goto(signOut(harbour.id_token), { waitUntil: 'commit' })
    await page.waitForURL(`${HARBOUR}/signed-out?*`)
    await framed('harbour.example', harbour)
    await framed('books.example', books)
    await page.context().close()
  })
  await check('a person who does not want to wait goes on at once', async () => {
    const { page, harbour } = await both()
    moods['books.example'] = HANG
    await page.goto(signOut(harbour.id_token), { waitUntil: 'commit' })
    await page.locator('#signing-out-continue').click()
    await page.waitForURL(`${HARBOUR}/signed-out?*`, { timeout: 3000 })
    await page.context().close()
    delete moods['books.example']
  })
}

/** Looks at the pages, in both languages; the one on the way is held by leaving out the script that goes on. */
async function looks() {
  for (const [language, locale] of Object.entries({ en: 'en-US', de: 'de-DE' })) {
    const { page, harbour } = await both({ locale })
    const still = await page.context().newPage()
    watch(still)
    await still.route('**/static/signet.js*', (route) => route.fulfill({ contentType: 'text/javascript', body: '' }))
    await still.goto(signOut(harbour.id_token))
    await still.waitForLoadState()
    quiet(sandboxed)
    await see(still, `signing-out-${language}`)
    await page.context().close()
    const again = await both({ locale })
    moods.books = HANG
    const begun = Date.now()
    await again.page.goto(`${issuer}/account`)
    await again.page.locator('#account-sign-out').click()
    await again.page.locator('#logged-out-apps').waitFor()
    await check('the page says who was told and who was not, and in time', async () => {
      const said = await again.page.locator('#logged-out-apps li').allInnerTexts()
      equal(said.length, 2, 'the number of sentences')
      holds(said.every((sentence) => sentence.trim().startsWith('1 ')), said.join(' / '))
      holds(Date.now() - begun < 9000, 'the page came in time')
    })
    watch(again.page)
    quiet(sandboxed)
    await see(again.page, `logged-out-apps-${language}`)
    delete moods.books
    await again.page.context().close()
  }
}

const server = await listen()
try {
  await everything()
  await patience()
  await looks()
} finally {
  server.closeAllConnections()
  // Also those that were opened for nothing, or it waits for them.
  server.closeAllConnections()
  server.close()
}
