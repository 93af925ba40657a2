// A person's first start: from the set-up link on the terminal to the tokens on the screen, without a single setting.
import { launch, person } from './browser.mjs'
import { check, equal, holds, pause, setting, watch } from './checks.mjs'
import { see, speaks } from './look.mjs'

const MOST_CLICKS = 5
const LANGUAGES = { 'en-US': 'en', 'de-DE': 'de', 'fr-FR': 'fr', 'es-MX': 'es', 'zh-CN': 'zh-Hans' }
const { issuer, link, scripts } = setting
const administrator = {
  email: 'grace@example.com',
  name: 'Grace Hopper',
  username: 'grace',
  password: 'nanoseconds on a wire 1906',
}

/** A person who gets everything wrong that can be wrong. It spends nothing: the link is still good. */
async function mistakes(browser, locale, language) {
  const suffix = language === 'en' ? '' : `-${language}`
  const page = await person(browser, { javaScriptEnabled: scripts, locale })
  watch(page)
  await page.goto(link)
  await speaks(page, language)
  await see(page, `set-up${suffix}`)
  await check('mistakes in the set-up are named, and cost nothing', async () => {
    await page.locator('#setup-email').fill('grace@example')
    await page.locator('#setup-name').fill('Grace Hopper')
    await page.locator('#setup-username').fill('grace hopper!')
    await page.locator('#setup-password').fill('grace hopper')
    // The browser's own checks would stop some of it.
    await page.evaluate(() => { document.querySelector('form').noValidate = true })
    await page.locator('#setup-submit').click()
    await page.locator('#setup-password-problem').waitFor()
    equal(await page.locator('#setup-name').inputValue(), 'Grace Hopper', 'what was typed')
    equal(await page.locator('#setup-password').inputValue(), '', 'the password')
  })
  await see(page, `set-up-problems${suffix}`)
  await page.context().close()
}

/** Without a mail server the administrator reads here what would be mailed. */
async function outbox(page) {
  await page.goto(`${issuer}/outbox`)
  await page.locator('#outbox-empty').waitFor()
  await see(page, 'outbox-empty')
  await page.goto(`${issuer}/account/forgot`)
  await page.locator('#forgot-login').fill(administrator.email)
  await page.locator('#forgot-submit').click()
  await page.locator('#reset-asked').waitFor()
  for (const language of Object.values(LANGUAGES)) {
    await page.goto(`${issuer}/language?${new URLSearchParams({ lang: language, back: '/outbox' })}`)
    await check(`the outbox speaks ${language}`, async () => {
      for (let tries = 0; tries < 100 && !(await page.locator('#outbox-mails').isVisible()); tries += 1) {
        await pause(0.1)
        await page.reload()
      }
      await speaks(page, language)
    })
    await see(page, `outbox-${language}`)
    await page.locator('#outbox-mails a').first().click()
    await page.waitForURL(/outbox\/./)
    await see(page, `outbox-mail-${language}`)
  }
}

/** Counts what a person has to click; opening the link of the terminal is the first. */
async function firstStart(browser) {
  const page = await person(browser, { javaScriptEnabled: scripts })
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
      'auth_time', 'at+jwt', 'email_verified', 'jwks_uri', administrator.email]) {
      holds(text.includes(part), `the page shows ${part}`)
    }
  })
  await check(`it took ${clicks} clicks, at most ${MOST_CLICKS}`, () => holds(clicks <= MOST_CLICKS, 'few clicks'))
  await see(page, 'try-result')
  await outbox(page)
  await check('the set-up link works once', async () => {
    await page.context().clearCookies()
    const answer = await page.goto(link)
    holds(answer.status() >= 400 && answer.status() < 500, `the status is 4xx, not ${answer.status()}`)
  })
  await see(page, 'set-up-over')
}

const browser = await launch()
try {
  for (const [locale, language] of Object.entries(LANGUAGES)) await mistakes(browser, locale, language)
  await firstStart(browser)
} finally {
  await browser.close()
}
