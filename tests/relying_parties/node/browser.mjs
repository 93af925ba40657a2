// Headless Chromium, and the hands of a person on Signet's pages.
import { chromium } from 'playwright-core'
import { setting } from './checks.mjs'

const FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-proxy-server',
]

/** Playwright gives it a user-data directory of its own and removes that at the end. */
export function launch() {
  return chromium.launch({ executablePath: setting.chromium, headless: true, chromiumSandbox: false, args: FLAGS })
}

/** A person at a browser of their own, without cookies. */
export async function person(browser, options = {}) {
  const context = await browser.newContext({ locale: 'en-US', ...options })
  context.setDefaultTimeout(15_000)
  return await context.newPage()
}

/** Steps at the pages of an authorization, in the order in which they are expected. */
export const login = (user = setting.user) => async (page) => {
  await page.locator('#login-username').fill(user.username)
  await page.locator('#login-password').fill(user.password)
  await page.locator('#login-submit').click()
}

/** When the page already knows who signs in again. */
export const password = (user = setting.user) => async (page) => {
  await page.locator('#login-password').waitFor()
  const name = page.locator('#login-username')
  if (await name.isEditable().catch(() => false)) await name.fill(user.username)
  await page.locator('#login-password').fill(user.password)
  await page.locator('#login-submit').click()
}

export const allow = async (page) => page.locator('#consent-allow').click()
export const deny = async (page) => page.locator('#consent-deny').click()
