// Every page that people see besides those of the first start, in every language, and the keyboard alone on the way.
import { allow, deny, launch, login, password, person, quiet } from './browser.mjs'
import { arrival, listen } from './callback.mjs'
import { check, equal, holds, setting, watch } from './checks.mjs'
import { focused, see, speaks } from './look.mjs'

const { client, issuer, scripts, users } = setting
const EVERYTHING = 'openid profile email address phone offline_access'

/** The verifier of the challenge below (RFC 7636, appendix B). */
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'

function authorize(more) {
  const url = new URL(`${issuer}/authorize`)
  url.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: client.redirect_uri,
    response_type: 'code',
    scope: EVERYTHING,
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    state: 'pages',
    ...more,
  })
  return url.href
}

/** What the app gets for the code in its address. */
async function idToken(arrived) {
  const code = arrived.searchParams.get('code')
  const { client_id, redirect_uri } = client
  const body = { grant_type: 'authorization_code', code, client_id, redirect_uri, code_verifier: VERIFIER }
  const answer = await fetch(`${issuer}/oauth2/token`, { method: 'POST', body: new URLSearchParams(body) })
  return (await answer.json()).id_token
}

/** As if the form on the page had come from elsewhere. */
const forge = (page) => page.evaluate(() => { document.querySelector('[name=csrf]').value = 'forged' })

/** One language: its visitor, and the names of its photographs. */
class Visit {
  constructor(browser, language) {
    this.browser = browser
    this.language = language
    this.user = users[language]
    this.locale = { en: 'en-US', de: 'de-DE', fr: 'fr-FR', es: 'es-MX', 'zh-Hans': 'zh-CN' }[language]
  }

  async arrive() {
    const page = await person(this.browser, { javaScriptEnabled: scripts, locale: this.locale })
    watch(page)
    return page
  }

  async see(page, name) {
    await check(`the page ${name} speaks ${this.language}`, () => speaks(page, this.language))
    await see(page, `${name}-${this.language}`)
  }

  async signingIn() {
    const page = await this.arrive()
    await page.goto(authorize())
    await this.see(page, 'login')
    await login({ ...this.user, password: 'not the password at all' })(page)
    await page.locator('[role=alert]').first().waitFor()
    await this.see(page, 'login-wrong')
    await login(this.user)(page)
    await page.locator('#consent-allow').waitFor()
    await this.see(page, 'consent')
    await page.goto(authorize({ scope: 'openid calendar.read calendar.write files' }))
    await this.see(page, 'consent-resources')
    const claims = { userinfo: { given_name: null, birthdate: null, email: null }, id_token: { zoneinfo: null } }
    await page.goto(authorize({ scope: 'openid', claims: JSON.stringify(claims) }))
    await this.see(page, 'consent-claims')
    await page.goto(authorize({ prompt: 'select_account' }))
    await this.see(page, 'account-chooser')
    const other = { id_token: { sub: { value: '00000000-0000-4000-8000-000000000000' } } }
    await page.goto(authorize({ claims: JSON.stringify(other), login_hint: 'charles@example.com' }))
    await this.see(page, 'account-chooser-hint')
    await page.goto(authorize({ prompt: 'login' }))
    await this.see(page, 'login-again')
    await password({ ...this.user, password: 'not the password at all' })(page)
    await page.locator('[role=alert]').first().waitFor()
    await this.see(page, 'login-again-wrong')
    await page.goto(`${issuer}/account`)
    await this.see(page, 'account')
    return page
  }

  /** The sections of the account, and what each says of a mistake. */
  async account(page) {
    for (const section of ['profile', 'email', 'password', 'sessions', 'apps', 'security', 'security/sign-ins', 'data']) {
      await page.goto(`${issuer}/account/${section}`)
      await this.see(page, `account-${section.replace('/', '-')}`)
    }
    const wrong = async (section, fields, button) => {
      await page.goto(`${issuer}/account/${section}`)
      for (const [id, value] of Object.entries(fields)) await page.locator(`#${id}`).fill(value)
      await page.locator(`#${button}`).click()
      await page.locator('[role=alert]').first().waitFor()
      await this.see(page, `account-${section}-wrong`)
    }
    await wrong('profile', { 'profile-birthdate': 'yesterday' }, 'profile-submit')
    await wrong('email', { 'email-new': this.user.email }, 'email-submit')
    await wrong('password', { 'password-current': 'not it at all', 'password-new': 'letmein' }, 'password-submit')
    await wrong('data', { 'delete-password': 'not it at all' }, 'delete-submit')
    await page.goto(`${issuer}/account/profile`)
    await page.locator('#profile-nickname').fill('Countess')
    await page.locator('#profile-submit').click()
    await page.locator('#notice').waitFor()
    await this.see(page, 'account-profile-saved')
  }

  /** The ways to an account: registering, and a forgotten password. */
  async entering() {
    const page = await this.arrive()
    await page.goto(authorize())
    await page.locator('#login-register').click()
    await this.see(page, 'register')
    const register = async (password) => {
      await page.locator('#register-email').fill(`newcomer-${this.language}@example.com`)
      await page.locator('#register-name').fill('Ida Rhodes')
      await page.locator('#register-password').fill(password)
      await page.locator('#register-submit').click()
    }
    await register('password')
    await page.locator('[role=alert]').first().waitFor()
    await this.see(page, 'register-wrong')
    await register('seven violet lanterns')
    await page.locator('#registered').waitFor()
    await this.see(page, 'registered')
    await page.goto(authorize())
    await page.locator('#login-forgot').click()
    await this.see(page, 'forgot')
    await page.locator('#forgot-login').fill('nobody@example.com')
    await page.locator('#forgot-submit').click()
    await page.locator('#reset-asked').waitFor()
    await this.see(page, 'reset-asked')
    await page.goto(`${issuer}/account/reset?token=used`)
    await this.see(page, 'dead-link')
    await page.context().close()
  }

  async trying(page) {
    await page.goto(`${issuer}/try`)
    await this.see(page, 'try')
    await page.locator('#try-start').click()
    await this.see(page, 'try-consent')
    await deny(page)
    await this.see(page, 'try-stopped')
    await page.goto(`${issuer}/try`)
    await page.locator('#try-start').click()
    await allow(page)
    await page.locator('#try-result').waitFor()
    await this.see(page, 'try-result')
  }

  async errors(page) {
    await page.goto(authorize({ redirect_uri: `${client.redirect_uri}/elsewhere` }))
    await check('a wrong redirect URI is shown with its trace id, not followed', async () => {
      holds(page.url().startsWith(`${issuer}/authorize?`), 'the address is still ours')
      holds((await page.locator('#error-trace-id').innerText()).length === 16, 'there is a trace id')
      holds(await page.locator('#error-code').isVisible(), 'there is a code')
    })
    await this.see(page, 'error-redirect-uri')
    const errors = {
      'error-unknown-client': authorize({ client_id: 'nobody' }),
      'error-expired': `${issuer}/authorize/00000000-0000-4000-8000-000000000000/login`,
      'error-not-found': `${issuer}/no-such-page`,
      'error-method': `${issuer}/account/sign-out`,
      'error-trace': `${issuer}/errors/aaaabbbbccccdddd`,
    }
    for (const [name, address] of Object.entries(errors)) {
      await page.goto(address)
      await this.see(page, name)
    }
    await page.goto(authorize({ prompt: 'login' }))
    await forge(page)
    await page.locator('#login-password').fill(this.user.password)
    await page.locator('#login-submit').click()
    await page.locator('[role=alert]').first().waitFor()
    await this.see(page, 'login-stale')
    await page.goto(`${issuer}/logout`)
    await forge(page)
    await page.locator('#logout-confirm').click()
    await page.locator('#error-trace-id').waitFor()
    await this.see(page, 'error-forged')
    await page.goto(authorize({ prompt: 'login' }))
    await page.context().clearCookies()
    await page.reload()
    await this.see(page, 'error-cookies')
    await page.context().close()
  }

  async signingOut() {
    const page = await this.arrive()
    await page.goto(authorize({ scope: 'openid', prompt: 'consent' }))
    await login(this.user)(page)
    const arriving = arrival()
    arriving.catch(() => {})
    await allow(page)
    const id_token_hint = await idToken(await arriving)
    await page.locator('#arrived').waitFor()
    await page.goto(`${issuer}/logout`)
    await this.see(page, 'logout')
    await page.goto(`${issuer}/logout?${new URLSearchParams({ client_id: client.client_id })}`)
    await this.see(page, 'logout-client')
    const post_logout_redirect_uri = 'https://elsewhere.example/'
    await page.goto(`${issuer}/logout?${new URLSearchParams({ id_token_hint, post_logout_redirect_uri })}`)
    await this.see(page, 'error-post-logout')
    await page.goto(`${issuer}/logged-out`)
    await this.see(page, 'logged-out')
    await page.context().close()
  }

  async throttling() {
    const page = await this.arrive()
    await page.goto(authorize())
    const stranger = { username: `stranger-${this.language}`, password: 'one guess after another' }
    await check('who guesses must wait', async () => {
      for (let guess = 0; guess < 9; guess += 1) {
        await login(stranger)(page)
        await page.locator('[role=alert]').first().waitFor()
        if (/2\s?(seconds|Sekunden|secondes|segundos|秒)/.test(await page.locator('[role=alert]').first().innerText())) return
      }
      throw new Error('nine guesses went through')
    })
    await this.see(page, 'login-throttled')
    await page.context().close()
  }
}

/** A person who has no mouse signs in, agrees and signs out. */
async function keyboardOnly(browser) {
  const user = users.en
  const page = await person(browser)
  watch(page)
  const press = (key) => page.keyboard.press(key)
  await check('with the keyboard alone: Enter signs in', async () => {
    await page.goto(authorize({ scope: 'openid', prompt: 'consent' }))
    equal(await focused(page), 'login-username', 'the focus')
    await page.keyboard.type(user.username)
    await press('Tab')
    equal(await focused(page), 'login-password', 'the focus')
    await page.keyboard.type(user.password)
    await press('Enter')
    await page.locator('#consent-allow').waitFor()
  })
  await check('with the keyboard alone: the password can be shown and is hidden again', async () => {
    await page.goto(authorize({ scope: 'openid', prompt: 'login' }))
    equal(await focused(page), 'login-password', 'the focus')
    await page.keyboard.type('secret')
    await press('Tab')
    await press('Space')
    equal(await page.locator('#login-password').getAttribute('type'), 'text', 'the type of the field')
    equal(await focused(page), 'login-password', 'the focus')
    await page.keyboard.type(' more')
    await press('Enter')
    await page.locator('[role=alert]').first().waitFor()
    equal(await page.locator('#login-password').getAttribute('type'), 'password', 'the type of the field')
  })
  await check('with the keyboard alone: Enter allows', async () => {
    await page.goto(authorize({ scope: 'openid', prompt: 'consent' }))
    await page.locator('#consent-allow').focus()
    const arriving = arrival()
    await press('Enter')
    holds((await arriving).searchParams.get('code'), 'there is a code')
    await page.locator('#arrived').waitFor()
  })
  await check('with the keyboard alone: Enter signs out', async () => {
    await page.goto(`${issuer}/logout`)
    for (let step = 0; step < 5 && (await focused(page)) !== 'logout-confirm'; step += 1) await press('Tab')
    await press('Enter')
    await page.locator('#logged-out').waitFor()
  })
  await page.context().close()
}

/** `response_mode=form_post`: by itself where scripts run, by the button where they do not. */
async function formPost(visit) {
  const page = await visit.arrive()
  await page.goto(authorize({ scope: 'openid', prompt: 'consent', response_mode: 'form_post' }))
  await login(visit.user)(page)
  const arriving = arrival()
  arriving.catch(() => {})
  await allow(page)
  if (!scripts) {
    await see(page, `form-post-${visit.language}`)
    await page.locator('main button').click()
  }
  await check('form_post arrives', async () => {
    const received = await arriving
    equal(received.method, 'POST', 'the method')
    holds(new URLSearchParams(await received.text()).get('code'), 'there is a code')
    quiet()
  })
  await page.context().close()
}

/** Swagger UI and ReDoc work with what stands in the page; what they ask of other origins is refused. */
async function documents(browser) {
  const page = await person(browser)
  watch(page)
  const fromElsewhere = (complaint) => {
    const addresses = complaint.match(/https?:\/\/[^\s'"]+/g) ?? []
    return complaint.includes('Content Security Policy') && addresses.some((address) => !address.startsWith(issuer))
  }
  await check('Swagger UI shows the contract and can call it', async () => {
    await page.goto(`${issuer}/docs`)
    await page.locator('#operations-tag-default, .opblock').first().waitFor()
    const operation = page.locator('.opblock', { hasText: '/health/live' })
    await operation.locator('.opblock-summary-control').click()
    await operation.getByRole('button', { name: 'Try it out' }).click()
    await operation.getByRole('button', { name: 'Execute' }).click()
    await operation.locator('.live-responses-table .response-col_status', { hasText: '200' }).waitFor()
    await page.screenshot({ path: `${setting.screenshots}/${setting.folder}/docs.png` })
    quiet(fromElsewhere)
  })
  await check('ReDoc shows the contract and searches it', async () => {
    await page.goto(`${issuer}/redoc`)
    await page.locator('h1', { hasText: 'Signet' }).waitFor()
    await page.getByPlaceholder('Search...').pressSequentially('server')
    await page.locator('[data-role="search:results"]', { hasText: 'What this server can do' }).waitFor()
    await page.screenshot({ path: `${setting.screenshots}/${setting.folder}/redoc.png` })
    quiet(fromElsewhere)
  })
  await page.context().close()
}

/** The server's tables were taken away: what is left is to say so. */
async function broken(browser) {
  for (const language of setting.languages) {
    const visit = new Visit(browser, language)
    const page = await visit.arrive()
    const answer = await page.goto(authorize())
    equal(answer.status(), 500, 'the status')
    await visit.see(page, 'error-failed')
    await page.context().close()
  }
}

async function everything(browser) {
  for (const language of setting.languages) {
    const visit = new Visit(browser, language)
    await visit.entering()
    const page = await visit.signingIn()
    await visit.account(page)
    await visit.trying(page)
    await visit.errors(page)
    await visit.signingOut()
    await formPost(visit)
    await visit.throttling()
  }
  if (scripts) {
    await keyboardOnly(browser)
    await documents(browser)
  }
}

const server = await listen()
const browser = await launch()
try {
  await (setting.broken ? broken(browser) : everything(browser))
} finally {
  await browser.close()
  // Also those that were opened for nothing, or it waits for them.
  server.closeAllConnections()
  server.close()
}
