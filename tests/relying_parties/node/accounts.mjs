// The whole life of an account, as people live it: registered, confirmed by a mail that went through a real mail server,
// used for an app, changed, forgotten, recovered, exported and deleted.
import { readFile } from 'node:fs/promises'
import { allow, launch, login, person, quiet } from './browser.mjs'
import { listen } from './callback.mjs'
import { check, equal, holds, setting, watch } from './checks.mjs'
import { see, speaks } from './look.mjs'
import { link, mail, unopened } from './mailbox.mjs'

const { client, issuer, scripts } = setting
const LOCALES = { en: 'en-US', de: 'de-DE', fr: 'fr-FR', es: 'es-MX', 'zh-Hans': 'zh-CN' }
const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) '
  + 'Version/18.5 Mobile/15E148 Safari/604.1'
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0'
/** The verifier of the challenge below (RFC 7636, appendix B). */
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
const SCOPE = 'openid profile email offline_access calendar.read'

function authorize() {
  const query = { client_id: client.client_id, redirect_uri: client.redirect_uri, response_type: 'code', scope: SCOPE,
    state: 'life', code_challenge: CHALLENGE, code_challenge_method: 'S256' }
  return `${issuer}/authorize?${new URLSearchParams(query)}`
}

/** The app asks the token endpoint; `[status, body]`. */
async function ask(parameters) {
  const body = new URLSearchParams({ client_id: client.client_id, ...parameters })
  const answer = await fetch(`${issuer}/oauth2/token`, { method: 'POST', body })
  return [answer.status, await answer.json()]
}

/** What userinfo tells the app, or nothing. */
async function userinfo(access_token) {
  const answer = await fetch(`${issuer}/oauth2/userinfo`, { headers: { authorization: `Bearer ${access_token}` } })
  return answer.status === 200 ? await answer.json() : undefined
}

/** A program that opens the links of mails before people do, to look for malware. */
async function scan(address) {
  for (const method of ['HEAD', 'GET', 'GET']) {
    const answer = await fetch(address, { method })
    equal(answer.status, 200, `what a scanner gets for ${method}`)
  }
}

class Life {
  constructor(browser, language) {
    this.browser = browser
    this.language = language
    this.email = `ida-${language.toLowerCase()}@example.com`
    this.password = 'seven violet lanterns'
  }

  /** Another browser, which is in nobody's books. */
  async browserOf(userAgent) {
    const page = await person(this.browser, { javaScriptEnabled: scripts, locale: LOCALES[this.language], userAgent })
    watch(page)
    return page
  }

  async see(page, name) {
    await check(`the page ${name} speaks ${this.language}`, () => speaks(page, this.language))
    await see(page, `${name}-${this.language}`)
  }

  check(name, action) {
    return check(`${this.language}: ${name}`, async () => {
      const value = await action()
      quiet()
      return value
    })
  }

  /** Once: whoever opens dead links one after another must wait. */
  async once(action) {
    if (this.language === 'en') await this.check('the link works once', action)
  }

  async signIn(page) {
    await login({ username: this.email, password: this.password })(page)
  }

  async isSignedOut(page) {
    await page.goto(`${issuer}/account`)
    await page.locator('#login-submit').waitFor()
  }

  /** Allows the app what it asks, if it has to ask; its tokens. */
  async arrive(page) {
    await page.locator('#consent-allow, #arrived').first().waitFor()
    if (await page.locator('#consent-allow').isVisible()) await allow(page)
    await page.locator('#arrived').waitFor()
    const code = new URL(page.url()).searchParams.get('code')
    const redeem = { grant_type: 'authorization_code', code, redirect_uri: client.redirect_uri, code_verifier: VERIFIER }
    const [status, tokens] = await ask(redeem)
    equal(status, 200, 'the answer of the token endpoint')
    return tokens
  }

  async registers() {
    this.page = await this.browserOf()
    const { page, email } = this
    await this.check('somebody who comes from an app registers', async () => {
      await page.goto(authorize())
      await page.locator('#login-register').click()
      await page.locator('#register-email').fill(email)
      await page.locator('#register-name').fill('Ida Rhodes')
      await page.locator('#register-password').fill(this.password)
      await page.locator('#register-submit').click()
      await page.locator('#registered').waitFor()
    })
    await mail(email, '/account/verify?')
    await this.check('nobody signs in before the address is confirmed: another link comes', async () => {
      const other = await this.browserOf()
      await other.goto(`${issuer}/account`)
      await this.signIn(other)
      await other.locator('[role=alert]').first().waitFor()
      await other.context().close()
    })
    const confirming = await this.check('a scanner that opens it does not use it up', async () => {
      const address = link(await mail(email, '/account/verify?'), '/account/verify')
      await scan(address)
      return address
    })
    await page.goto(confirming)
    await this.see(page, 'verify')
    await this.check('the link with the wrong password confirms nothing', async () => {
      await page.locator('#verify-password').fill('somebody else registered')
      await page.locator('#verify-submit').click()
      await page.locator('[role=alert]').first().waitFor()
    })
    await this.see(page, 'verify-wrong')
    this.tokens = await this.check('confirmed, the person goes on to the app', async () => {
      await page.locator('#verify-password').fill(this.password)
      await page.locator('#verify-submit').click()
      const tokens = await this.arrive(page)
      const { sub, email: address, email_verified } = await userinfo(tokens.access_token)
      equal(`${address} ${email_verified}`, `${email} true`, 'what the app learns')
      this.sub = sub
      return tokens
    })
    await this.once(async () => {
      await page.goto(confirming)
      await page.locator('#dead-link').waitFor()
    })
  }

  /** A person tries the API at `/docs`, by name and password. */
  async triesTheApi() {
    const page = await person(this.browser)
    watch(page)
    const elsewhere = (complaint) => complaint.includes('Content Security Policy') && !complaint.includes(`'${issuer}`)
    await check('the button Authorize of Swagger UI takes a name and a password', async () => {
      await page.goto(`${issuer}/docs`)
      await page.locator('.auth-wrapper .authorize').first().click()
      const dialog = page.locator('.modal-ux')
      await dialog.locator('#oauth_username').fill(this.email)
      await dialog.locator('#oauth_password').fill(this.password)
      await dialog.locator('.auth-container:has(#oauth_username) button.authorize').click()
      await dialog.locator('button', { hasText: 'Logout' }).waitFor()
      await dialog.locator('.close-modal').click()
      const me = page.locator('.opblock-get', { has: page.locator('[data-path="/api/v1/me"]') })
      await me.locator('.opblock-summary-control').click()
      await me.getByRole('button', { name: 'Try it out' }).click()
      await me.getByRole('button', { name: 'Execute' }).click()
      await me.locator('.live-responses-table', { hasText: this.email }).waitFor()
      await page.screenshot({ path: `${setting.screenshots}/${setting.folder}/docs-authorized.png` })
      quiet(elsewhere)
    })
    await page.context().close()
  }

  async changesThePassword() {
    const { page, email } = this
    this.phone = await this.browserOf(IPHONE)
    await this.check('signing in at a new device is told by mail', async () => {
      await this.phone.goto(`${issuer}/account`)
      await this.signIn(this.phone)
      await this.phone.locator('#account-email').waitFor()
      const { text } = await mail(email, '/account/sessions')
      holds(/Safari/.test(text) && /iPhone|iOS/.test(text), `it names the device: ${text}`)
    })
    await this.check('another password', async () => {
      await page.goto(`${issuer}/account/password`)
      await page.locator('#password-current').fill(this.password)
      this.password = 'eleven copper umbrellas'
      await page.locator('#password-new').fill(this.password)
      await page.locator('#password-submit').click()
      await page.locator('#notice').waitFor()
      await mail(email, '/account/forgot')
    })
    await this.check('whoever changed it stays signed in, and nobody else', async () => {
      await page.goto(`${issuer}/account`)
      await page.locator('#account-email').waitFor()
      await this.isSignedOut(this.phone)
    })
  }

  async changesTheAddress() {
    const { page, email } = this
    this.email = `rhodes-${this.language.toLowerCase()}@example.com`
    const [confirming, keeping] = await this.check('another address: both are written to', async () => {
      await page.goto(`${issuer}/account/email`)
      await page.locator('#email-new').fill(this.email)
      await page.locator('#email-submit').click()
      await page.locator('#notice').waitFor()
      const [asked, warned] = [await mail(this.email, '/account/email/confirm?'), await mail(email, '/account/email/keep?')]
      holds(!warned.text.includes(this.email), 'the old address does not learn all of the new one')
      return [link(asked, '/account/email/confirm'), link(warned, '/account/email/keep')]
    })
    await scan(keeping)
    await page.goto(keeping)
    await this.see(page, 'question-keep-email')
    await scan(confirming)
    await page.goto(confirming)
    await this.see(page, 'question-confirm-email')
    await this.check('the link in the new mailbox changes it', async () => {
      await page.locator('#question-submit').click()
      await page.locator('#announced-on').waitFor()
    })
    await this.see(page, 'email-confirmed')
    await this.check('the account has the new address', async () => {
      await page.locator('#announced-on').click()
      equal(await page.locator('#account-email').innerText(), this.email, 'the address')
      await mail(email, '')
    })
  }

  async forgets() {
    const { page, email } = this
    await this.check('signed out, the person has forgotten the password', async () => {
      await page.goto(`${issuer}/logout`)
      await page.locator('#logout-confirm').click()
      await page.locator('#logged-out').waitFor()
      await page.goto(authorize())
      await page.locator('#login-forgot').click()
      await page.locator('#forgot-login').fill(email.toUpperCase())
      await page.locator('#forgot-submit').click()
      await page.locator('#reset-asked').waitFor()
    })
    const resetting = link(await mail(email, '/account/reset?'), '/account/reset')
    await scan(resetting)
    await page.goto(resetting)
    await this.see(page, 'reset')
    await this.check('the password of before is not taken again', async () => {
      await page.locator('#reset-password').fill('seven violet lanterns')
      await page.locator('#reset-submit').click()
      await page.locator('[role=alert]').first().waitFor()
    })
    await this.see(page, 'reset-wrong')
    await this.check('another is, and is told by mail', async () => {
      this.password = 'forty marble staircases'
      await page.locator('#reset-password').fill(this.password)
      await page.locator('#reset-submit').click()
      await page.locator('#reset-done').waitFor()
      await mail(email, '/account/forgot')
    })
    await this.see(page, 'reset-done')
    await this.once(async () => {
      const other = await this.browserOf()
      await other.goto(resetting)
      await other.locator('#dead-link').waitFor()
      await other.context().close()
    })
    await this.check('who signs in with it goes on to the app', async () => {
      equal((await ask({ grant_type: 'refresh_token', refresh_token: this.tokens.refresh_token }))[1].error,
        'invalid_grant', 'what the app gets for what it had before')
      await page.locator('#announced-on').click()
      await this.signIn(page)
      this.tokens = await this.arrive(page)
    })
  }

  async looksAfterDevices() {
    const { page } = this
    const other = await this.browserOf(FIREFOX)
    await other.goto(`${issuer}/account`)
    await this.signIn(other)
    await other.locator('#account-email').waitFor()
    await mail(this.email, '/account/sessions')
    await this.check('both devices are listed, and this one is marked', async () => {
      await page.goto(`${issuer}/account/sessions`)
      const names = await page.locator('[id^="device-"]').allInnerTexts()
      equal(names.length, 2, `the number of devices (${names})`)
      holds(/Chrom/.test(names[0]) && /Firefox/.test(names[1]), `this one first: ${names}`)
      equal(await page.locator('[id^="end-"]').count(), 1, 'how many can be ended')
    })
    await this.see(page, 'account-sessions-two')
    await this.check('ending one signs it out, and this one stays', async () => {
      await page.locator('[id^="end-"]').click()
      await page.locator('#notice').waitFor()
      equal(await page.locator('[id^="device-"]').count(), 1, 'the number of devices')
      await this.isSignedOut(other)
    })
    await other.context().close()
    await this.phone.context().close()
  }

  async revokesTheApp() {
    const { page, tokens } = this
    await page.goto(`${issuer}/account/apps`)
    await this.see(page, 'account-apps-one')
    await this.check('an app whose access is revoked has nothing left', async () => {
      holds(await userinfo(tokens.access_token), 'before, it reads userinfo')
      await page.locator('#revoke-1').click()
      await page.locator('#notice').waitFor()
      equal(await page.locator('[id^="revoke-"]').count(), 0, 'the number of apps')
      equal(await userinfo(tokens.access_token), undefined, 'what userinfo tells it')
      const [status, { error }] = await ask({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token })
      equal(`${status} ${error}`, '400 invalid_grant', 'what it gets for its refresh token')
    })
  }

  async exports() {
    const { page } = this
    await this.check('everything that is known of the person is one document', async () => {
      await page.goto(`${issuer}/account/data`)
      const coming = page.waitForEvent('download')
      await page.locator('#export-submit').click()
      const text = await readFile(await (await coming).path(), 'utf8')
      const { id, email } = JSON.parse(text).account
      equal(`${id} ${email}`, `${this.sub} ${this.email}`, 'whom it is about')
      for (const secret of [this.password, '$argon2', this.tokens.refresh_token, this.tokens.access_token]) {
        holds(!text.includes(secret), `no secret is in it: ${secret.slice(0, 8)}`)
      }
    })
  }

  async deletes() {
    const { page, email } = this
    await this.check('an account is deleted with its password', async () => {
      await page.goto(`${issuer}/account/data`)
      await page.locator('#delete-password').fill(this.password)
      await page.locator('#delete-submit').click()
      await page.locator('#deletion-planned, #deleted').first().waitFor()
    })
    if (setting.grace) await this.thinksAgain()
    await this.check('whoever has deleted it cannot sign in, and is told nothing of why', async () => {
      await this.isSignedOut(page)
      await this.signIn(page)
      await page.locator('[role=alert]').first().waitFor()
    })
    await this.check('no mail came that was not expected', () => {
      const left = unopened(email).map(({ subject }) => subject)
      // That it is gone: where it is gone at once.
      equal(left.length, setting.grace ? 0 : 1, `the number of mails that nobody has opened (${left})`)
    })
    await page.context().close()
  }

  /** Within the days that are left for it. */
  async thinksAgain() {
    const { page, email } = this
    await this.see(page, 'deletion-planned')
    const keeping = link(await mail(email, '/account/keep?'), '/account/keep')
    await scan(keeping)
    await page.goto(keeping)
    await this.see(page, 'question-keep-account')
    await this.check('a deletion is taken back by the link', async () => {
      await page.locator('#question-submit').click()
      await page.locator('#account-kept').waitFor()
    })
    await this.see(page, 'account-kept')
    await this.check('and planned again', async () => {
      await page.goto(`${issuer}/account/data`)
      await this.signIn(page)
      await page.locator('#delete-password').fill(this.password)
      await page.locator('#delete-submit').click()
      await page.locator('#deletion-planned').waitFor()
      await mail(email, '/account/keep?')
    })
  }
}

const server = await listen()
const browser = await launch()
try {
  for (const language of setting.languages) {
    const life = new Life(browser, language)
    await life.registers()
    if (scripts && language === 'en') await life.triesTheApi()
    await life.changesThePassword()
    await life.changesTheAddress()
    await life.forgets()
    await life.looksAfterDevices()
    await life.revokesTheApp()
    await life.exports()
    await life.deletes()
  }
} finally {
  await browser.close()
  // Also those that were opened for nothing, or it waits for them.
  server.closeAllConnections()
  server.close()
}
