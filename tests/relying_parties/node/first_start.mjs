// A person's first start: from the set-up link on the terminal to the tokens on the screen; then every other page.
// Each page is looked at on a desktop and a phone, light and dark, and by axe (WCAG 2.2 AA).
import { mkdirSync } from 'node:fs'
import axe from 'axe-core'
import { launch, person, login } from './browser.mjs'
import { check, equal, holds, setting, watch } from './checks.mjs'

const MOST_CLICKS = 5
const SIZES = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } }
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']
const { link, scripts, user, client } = setting
const folder = `${setting.screenshots}/${scripts ? 'scripts' : 'no-scripts'}`
const administrator = {
  email: 'grace@example.com',
  username: 'grace',
  name: 'Grace Hopper',
  password: 'nanoseconds on a wire 1906',
}

/** Photographs the page as it stands and lets axe look at it; returns nothing, refuses what is wrong. */
async function look(page, name) {
  const problems = []
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport)
      await page.screenshot({ path: `${folder}/${name}-${size}-${colorScheme}.png`, fullPage: true })
      const width = await page.evaluate(() => document.documentElement.scrollWidth)
      if (width > viewport.width) problems.push(`${size}: the page is ${width} wide and scrolls sideways`)
      // axe needs timers, which a browser without scripts does not run.
      if (scripts) problems.push(...(await accessibility(page)).map((problem) => `${size}, ${colorScheme}: ${problem}`))
    }
  }
  await page.setViewportSize(SIZES.desktop)
  if (problems.length) throw new Error(`${name}:\n${[...new Set(problems)].join('\n')}`)
}

async function accessibility(page) {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate((values) => axe.run({ runOnly: { type: 'tag', values } }), RULES)
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${help}: ${node.target.join(' ')} ${node.any[0]?.message ?? ''}`),
  )
}

const see = (page, name) => check(`the page ${name} is well made`, () => look(page, name))

/** Counts what a person has to click; opening the link of the terminal is the first. */
async function firstStart(browser) {
  const page = await person(browser, { javaScriptEnabled: scripts, viewport: SIZES.desktop })
  watch(page)
  let clicks = 0
  const click = async (locator) => {
    clicks += 1
    await locator.click()
  }
  await check('the set-up link opens', async () => {
    clicks += 1
    const answer = await page.goto(link)
    equal(answer.status(), 200, 'the status')
  })
  await see(page, 'set-up')
  await check('the first administrator is made', async () => {
    for (const [name, value] of Object.entries(administrator)) await page.locator(`#setup-${name}`).fill(value)
    await click(page.locator('#setup-submit'))
    await page.locator('#try-start').waitFor()
  })
  await see(page, 'set-up-done')
  await check('Try a sign-in shows requests, responses, tokens and claims', async () => {
    await click(page.locator('#try-start'))
    await page.waitForLoadState()
    if (await page.locator('#login-submit').isVisible()) {
      await page.locator('#login-username').fill(administrator.username)
      await page.locator('#login-password').fill(administrator.password)
      await click(page.locator('#login-submit'))
    }
    if (await page.locator('#consent-allow').isVisible()) await click(page.locator('#consent-allow'))
    await page.locator('#try-result').waitFor()
    const text = (await page.locator('main').textContent()) ?? ''
    for (const part of ['code_challenge', 'code_verifier', 'grant_type', 'id_token', 'access_token', 'RS256',
      'auth_time', 'at+jwt', 'email_verified', administrator.email]) {
      holds(text.includes(part), `the page shows ${part}`)
    }
  })
  await check(`it took ${clicks} clicks, at most ${MOST_CLICKS}`, () => holds(clicks <= MOST_CLICKS, 'few clicks'))
  await see(page, 'try-result')
  await check('the set-up link works once', async () => {
    const stranger = await person(browser, { javaScriptEnabled: scripts })
    const answer = await stranger.goto(link)
    holds(answer.status() >= 400 && answer.status() < 500, `the status is 4xx, not ${answer.status()}`)
    await stranger.context().close()
  })
  return page
}

const authorize = (more) => {
  const url = new URL(`${setting.issuer}/authorize`)
  url.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: client.redirect_uri,
    response_type: 'code',
    scope: 'openid profile email address phone offline_access',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    state: 'pages',
    ...more,
  })
  return url.href
}

async function otherPages(browser, page) {
  await page.goto(`${setting.issuer}/account`)
  await see(page, 'account')
  await page.goto(`${setting.issuer}/try`)
  await see(page, 'try')
  await page.goto(authorize({ prompt: 'select_account' }))
  await see(page, 'account-chooser')
  await page.goto(authorize({ prompt: 'login' }))
  await see(page, 'login-again')
  await page.goto(authorize({ redirect_uri: `${client.redirect_uri}/elsewhere` }))
  await check('a wrong redirect URI is shown with its trace id, not followed', async () => {
    holds(page.url().startsWith(`${setting.issuer}/authorize?`), 'the address is still ours')
    holds((await page.locator('#error-trace-id').innerText()).length >= 16, 'there is a trace id')
    holds(await page.locator('#error-code').isVisible(), 'there is a code')
  })
  await see(page, 'error')
  await page.goto(`${setting.issuer}/logout`)
  await see(page, 'logout')
  await page.locator('#logout-confirm').click()
  await page.locator('#logged-out').waitFor()
  await see(page, 'logged-out')
  await page.goto(`${setting.issuer}/no-such-page`)
  await see(page, 'not-found')
}

async function pagesOfAStranger(browser) {
  const page = await person(browser, { javaScriptEnabled: scripts, viewport: SIZES.desktop })
  watch(page)
  await page.goto(authorize({}))
  await see(page, 'login')
  await login({ ...user, password: 'not the password at all' })(page)
  await page.locator('[role=alert]').first().waitFor()
  await see(page, 'login-wrong')
  await login()(page)
  await page.locator('#consent-allow').waitFor()
  await see(page, 'consent')
  await page.context().close()
}

async function pagesInGerman(browser) {
  const page = await person(browser, { javaScriptEnabled: scripts, viewport: SIZES.desktop, locale: 'de-DE' })
  watch(page)
  await page.goto(authorize({}))
  await check('the pages speak German to a German browser', async () => {
    equal(await page.locator('html').getAttribute('lang'), 'de', 'lang')
  })
  await see(page, 'login-de')
  await login()(page)
  await page.locator('#consent-allow').waitFor()
  await see(page, 'consent-de')
  await page.context().close()
}

mkdirSync(folder, { recursive: true })
const browser = await launch()
try {
  const page = await firstStart(browser)
  await otherPages(browser, page)
  await pagesOfAStranger(browser)
  await pagesInGerman(browser)
} finally {
  await browser.close()
}
