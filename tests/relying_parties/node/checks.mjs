// One line per check; the first failure ends the program with the page that was on the screen.
import { mkdirSync } from 'node:fs'

export const setting = JSON.parse(process.env.SIGNET_RELYING_PARTY)

let page

/** The page that a failure shows to whoever reads the output. */
export function watch(current) {
  page = current
}

/** Runs `action`, prints its outcome under `name`, and hands on its value. */
export async function check(name, action) {
  let value
  try {
    value = await action()
  } catch (error) {
    console.log(`FAILED  ${setting.title}: ${name}`)
    console.log(`        ${String(error?.stack ?? error).split('\n').join('\n        ')}`)
    if (error?.cause) console.log('        cause:', error.cause)
    await showPage()
    process.exit(1)
  }
  console.log(`ok      ${setting.title}: ${name}`)
  return value
}

export function equal(actual, expected, what) {
  if (actual !== expected) throw new Error(`${what} is ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`)
}

export function holds(condition, what) {
  if (!condition) throw new Error(`not so: ${what}`)
}

/** The error that `action` must end with: `matches` says whether it is the right one. */
export async function fails(action, matches, what) {
  let value
  try {
    value = await action()
  } catch (error) {
    if (matches(error)) return error
    throw error
  }
  throw new Error(`${what} was expected, but there was ${JSON.stringify(value)}`)
}

export const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000))

async function showPage() {
  if (!page || page.isClosed()) return
  try {
    mkdirSync(setting.screenshots, { recursive: true })
    const file = `${setting.screenshots}/failure.png`
    await page.screenshot({ path: file, fullPage: true })
    const text = await page.locator('body').innerText({ timeout: 2000 })
    console.log(`        the page was ${page.url()} (${file}):`)
    console.log(`        | ${text.slice(0, 1500).split('\n').join('\n        | ')}`)
  } catch (error) {
    console.log(`        the page could not be shown: ${error.message}`)
  }
}
