// Headless Chromium, and the hands of a person on Signet's pages.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
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

const complaints = []

/** Playwright gives it a user-data directory of its own and removes that at the end. */
export function launch() {
  return chromium.launch({ executablePath: setting.chromium, headless: true, chromiumSandbox: false, args: FLAGS })
}

const ORDINARY = { locale: 'en-US', viewport: { width: 1280, height: 900 } }

/** A person at a browser of their own, without cookies. */
export async function person(browser, options = {}) {
  return await heard(await browser.newContext({ ...ORDINARY, ...options }))
}

/** The same at an ordinary profile, which lets pages of one site keep cookies inside pages of another: Playwright's own
    contexts are private windows, which do not. Closing the page's context ends the browser; whoever started us removes
    the profile. */
export async function acrossSites(flags, options = {}) {
  const profile = mkdtempSync(join(setting.profiles, 'profile-'))
  mkdirSync(join(profile, 'Default'))
  const preferences = { profile: { cookie_controls_mode: 0, block_third_party_cookies: false } }
  writeFileSync(join(profile, 'Default', 'Preferences'), JSON.stringify(preferences))
  const launched = { executablePath: setting.chromium, headless: true, chromiumSandbox: false, args: [...FLAGS, ...flags] }
  const context = await chromium.launchPersistentContext(profile, { ...launched, ...ORDINARY, ...options })
  return await heard(context)
}

async function heard(context) {
  context.setDefaultTimeout(15_000)
  context.on('console', listen)
  context.on('weberror', (error) => complaints.push(`${error.page()?.url()}: ${error.error()}`))
  return await context.newPage()
}

/** Everything that a browser reports of a page of ours is a mistake, but not that an error page has an error's status. */
function listen(message) {
  const { url } = message.location()
  const isPage = url === message.page()?.url() && /the server responded with a status of [45]\d\d/.test(message.text())
  const isOurs = url.startsWith(setting.issuer) || message.page()?.url().startsWith(setting.issuer)
  const isPolicy = message.text().includes('Content Security Policy')
  if (['error', 'warning'].includes(message.type()) && !isPage && (isOurs || isPolicy)) {
    complaints.push(`${message.page()?.url()}: ${message.text()}`)
  }
}

/** What browsers have complained about since it was last asked for. */
export const complained = () => complaints.splice(0).map((complaint) => `the browser complains of ${complaint}`)

/** Throws when a browser has complained, unless every complaint is one that `expected` says to be right. */
export function quiet(expected = () => false) {
  const wrong = complained().filter((complaint) => !expected(complaint))
  if (wrong.length) throw new Error(wrong.join('\n'))
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
