// Looks at a page as it stands: photographs for people (desktop and phone, light and dark), axe for WCAG 2.2 AA, a
// narrow window, the keyboard, and what the browser complains about.
import { mkdirSync } from 'node:fs'
import axe from 'axe-core'
import { complained } from './browser.mjs'
import { check, equal, setting } from './checks.mjs'

const SIZES = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } }
/** WCAG 1.4.10: 1280 pixels at 400 %. */
const NARROW = { width: 320, height: 640 }
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
const folder = `${setting.screenshots}/${setting.folder}`
mkdirSync(folder, { recursive: true })

/** One check, which says all that is wrong with the page. */
export const see = (page, name) =>
  check(`the page ${name} is well made`, async () => {
    const problems = []
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      for (const [size, viewport] of Object.entries(SIZES)) {
        await page.setViewportSize(viewport)
        await page.screenshot({ path: `${folder}/${name}-${size}-${colorScheme}.png`, fullPage: true })
        problems.push(...(await tooWide(page, viewport)))
        // axe needs timers, which a browser without scripts does not run.
        if (setting.scripts) problems.push(...(await accessibility(page)).map((p) => `${size}, ${colorScheme}: ${p}`))
      }
    }
    await page.setViewportSize(NARROW)
    problems.push(...(await tooWide(page, NARROW)))
    await page.setViewportSize(SIZES.desktop)
    if (setting.scripts) problems.push(...(await keyboard(page)))
    problems.push(...complained())
    if (problems.length) throw new Error([...new Set(problems)].join('\n'))
  })

async function tooWide(page, { width }) {
  const needed = await page.evaluate(() => document.documentElement.scrollWidth)
  return needed > width ? [`the page scrolls sideways: it needs ${needed} of ${width} pixels`] : []
}

async function accessibility(page) {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate((values) => axe.run({ runOnly: { type: 'tag', values } }), RULES)
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${help}: ${node.target.join(' ')} ${node.any[0]?.message ?? ''}`),
  )
}

/** Tab reaches everything that can be used, in the order in which it stands, and each shows that it has the focus. */
async function keyboard(page) {
  await page.evaluate(() => {
    document.activeElement?.blur()
    getSelection().removeAllRanges()
    const usable = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]'
    const all = [...document.querySelectorAll(usable)].filter((e) => e.checkVisibility() && e.tabIndex >= 0)
    all.forEach((element, index) => element.setAttribute('data-stop', index))
    window.stops = all.map((element) => element.id || element.textContent.trim())
  })
  const expected = await page.evaluate(() => window.stops)
  const problems = []
  const reached = []
  // Between the last and the first the focus is the browser's own.
  for (let step = 0; step <= expected.length; step += 1) {
    await page.keyboard.press('Tab')
    const { stop, shows } = await page.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement)
      const shows = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2
      return { stop: document.activeElement.getAttribute('data-stop'), shows }
    })
    if (stop === null) continue
    reached.push(expected[Number(stop)])
    if (!shows) problems.push(`keyboard: ${reached.at(-1)} has the focus and does not show it`)
  }
  // Tab begins at a field with autofocus: the order is right if it is the same when it is begun at the first.
  const start = reached.indexOf(expected[0])
  const order = [...reached.slice(start), ...reached.slice(0, Math.max(start, 0))].slice(0, expected.length)
  if (order.join() !== expected.join()) {
    problems.push(`keyboard: Tab goes through ${order.join(' → ')}; on the page stand ${expected.join(' → ')}`)
  }
  return problems
}

/** The element that has the focus, by its id. */
export const focused = (page) => page.evaluate(() => document.activeElement?.id)

/** The language of the page and of nothing else on it than what says so itself. */
export async function speaks(page, language) {
  equal(await page.locator('html').getAttribute('lang'), language, 'the language of the page')
}
