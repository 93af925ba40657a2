// Second factors as people use them: an authenticator app whose codes another library computes, recovery codes, and passkeys
// of a virtual authenticator.
import { readFile } from 'node:fs/promises'
import { Secret, TOTP } from 'otpauth'
import { allow, launch, login, person, quiet } from './browser.mjs'
import { listen } from './callback.mjs'
import { check, equal, holds, pause, setting, watch } from './checks.mjs'
import { see, speaks } from './look.mjs'

const { client, issuer, scripts } = setting
const LOCALES = { en: 'en-US', de: 'de-DE', fr: 'fr-FR', es: 'es-MX', 'zh-Hans': 'zh-CN' }
/** The verifier of the challenge below (RFC 7636, appendix B). */
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

function authorize(more = {}) {
  const query = { client_id: client.client_id, redirect_uri: client.redirect_uri, response_type: 'code', scope: 'openid',
    state: 'life', code_challenge: CHALLENGE, code_challenge_method: 'S256', ...more }
  return `${issuer}/authorize?${new URLSearchParams(query)}`
}

/** What the ID token says of the sign-in whose code the page has brought to the app. */
async function claims(page, client_id = client.client_id) {
  await page.locator('#consent-allow, #arrived').first().waitFor()
  if (await page.locator('#consent-allow').isVisible()) await allow(page)
  await page.locator('#arrived').waitFor()
  const code = new URL(page.url()).searchParams.get('code')
  const body = { client_id, grant_type: 'authorization_code', code, redirect_uri: client.redirect_uri, code_verifier: VERIFIER }
  const answer = await fetch(`${issuer}/oauth2/token`, { method: 'POST', body: new URLSearchParams(body) })
  equal(answer.status, 200, 'the answer of the token endpoint')
  const { id_token } = await answer.json()
  return JSON.parse(Buffer.from(id_token.split('.')[1], 'base64url').toString())
}

const isAal2 = ({ acr, amr }, ...means) => equal(`${acr} ${amr}`, `aal2 ${[...means]}`, 'what the app learns of the sign-in')

/** An authenticator app, which shows a code every 30 seconds. */
class Phone {
  constructor(secret) {
    this.totp = new TOTP({ secret: Secret.fromBase32(secret.replaceAll(' ', '')) })
  }

  shows() {
    this.last = Math.floor(Date.now() / 30_000)
    return this.totp.generate()
  }

  /** A code counts once: the next one. */
  async next() {
    const wait = (this.last + 1) * 30_000 - Date.now()
    if (wait > 0) await pause(wait / 1000 + 0.2)
    return this.shows()
  }
}

class Person {
  constructor(browser, language, user) {
    Object.assign(this, { browser, language, user })
  }

  async opens(path = '/account') {
    this.page = await this.fresh()
    await this.page.goto(path.startsWith('http') ? path : `${issuer}${path}`)
    return this.page
  }

  /** A browser that nobody has used. */
  async fresh() {
    const page = await person(this.browser, { javaScriptEnabled: scripts, locale: LOCALES[this.language] })
    watch(page)
    return page
  }

  async signsIn(page = this.page) {
    await login(this.user)(page)
  }

  async see(name, page = this.page) {
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
}

/** A phone in the pocket: an authenticator app and recovery codes. */
async function authenticatorApp(browser, language) {
  const ida = new Person(browser, language, setting.people[language].app)
  let page = await ida.opens()
  await ida.signsIn()
  await page.goto(`${issuer}/account/factors`)
  await ida.see('factors-none')
  await page.locator('#factors-begin').click()
  await page.locator('#factor-qr').waitFor()
  await ida.see('factors-begun')
  const phone = new Phone(await page.locator('#factor-secret').innerText())
  await ida.check('a wrong code sets nothing up', async () => {
    await page.locator('#factor-code').fill('000000')
    await page.locator('#factors-confirm').click()
    await page.locator('#factor-code-problem').waitFor()
  })
  const codes = await ida.check('the first code sets it up, and recovery codes come with it', async () => {
    await page.locator('#factor-code').fill(phone.shows())
    await page.locator('#factors-confirm').click()
    const codes = (await page.locator('#recovery-codes').innerText()).trim().split('\n')
    equal(codes.length, 10, 'the number of codes')
    return codes
  })
  await ida.see('recovery-codes')
  await ida.check('the codes can be kept as a file', async () => {
    const coming = page.waitForEvent('download')
    await page.locator('#codes-download').click()
    const text = await readFile(await (await coming).path(), 'utf8')
    holds(codes.every((code) => text.includes(code)), `all are in it: ${text.length} characters`)
  })
  await page.locator('#codes-on').click()
  await ida.see('factors-app')

  page = await ida.opens(authorize())
  await ida.signsIn()
  await page.locator('#factor-code').waitFor()
  await ida.see('factor')
  await page.locator('#factor-code').fill('000000')
  await page.locator('#factor-submit').click()
  await page.locator('#factor-problem').waitFor()
  await ida.see('factor-wrong')
  await page.locator('#factor-recovery').click()
  await ida.see('factor-recovery')
  await ida.check('without the phone, a recovery code lets in', async () => {
    await page.locator('#factor-code').fill(codes[0].toUpperCase().replaceAll('-', ' '))
    await page.locator('#factor-submit').click()
    isAal2(await claims(page), 'pwd', 'recovery_code', 'mfa')
  })
  if (language !== 'en') return
  await ida.check('with it, the code of the moment does, and this browser is trusted', async () => {
    page = await ida.opens(authorize())
    await ida.signsIn()
    await page.locator('#factor-code').fill(await phone.next())
    await page.locator('#factor-trust').check()
    await page.locator('#factor-submit').click()
    isAal2(await claims(page), 'pwd', 'otp', 'mfa')
  })
  await ida.check('where it is trusted, the password is enough, but not for two factors', async () => {
    await page.goto(`${issuer}/logout`)
    await page.locator('#logout-confirm').click()
    await page.goto(authorize())
    await ida.signsIn()
    const { acr, amr } = await claims(page)
    equal(`${acr} ${amr}`, 'aal1 pwd', 'what the app learns')
    await page.goto(authorize({ acr_values: 'aal2' }))
    await page.locator('#factor-code').fill(await phone.next())
    await page.locator('#factor-submit').click()
    isAal2(await claims(page), 'pwd', 'otp', 'mfa')
  })
  await page.goto(`${issuer}/account/factors`)
  await ida.see('factors-trusted')
  await ida.check('removed, it is asked for no more', async () => {
    await page.locator('#factors-remove').click()
    await page.locator('#notice').waitFor()
    page = await ida.opens(authorize())
    await ida.signsIn()
    equal((await claims(page)).acr, 'aal1', 'the level')
  })
}

/** An authenticator in the machine, with a finger on it while `present`. */
async function authenticator(page) {
  const session = await page.context().newCDPSession(page)
  await session.send('WebAuthn.enable')
  const options = { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true,
    isUserVerified: true, automaticPresenceSimulation: true, defaultBackupEligibility: false }
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', { options })
  return {
    credentials: async () => (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
    add: (credential) => session.send('WebAuthn.addCredential', { authenticatorId, credential }),
    verified: (isUserVerified) => session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified }),
    present: (enabled) => session.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled }),
  }
}

async function passkeys(browser, language) {
  const ida = new Person(browser, language, setting.people[language].key)
  let page = await ida.opens()
  await ida.signsIn()
  await page.goto(`${issuer}/account/factors`)
  let device = await authenticator(page)
  await ida.check('a passkey is made, and recovery codes come with it', async () => {
    await page.locator('#passkey-name').fill('The blue key')
    await page.locator('#passkey-add').click()
    await page.locator('#recovery-codes').waitFor()
    equal((await device.credentials()).length, 1, 'the number of passkeys on the device')
    await page.locator('#codes-on').click()
    holds((await page.locator('main').innerText()).includes('The blue key'), 'it has its name')
  })
  await ida.see('factors-passkey')
  /** A browser with the passkey, as its counter stands, at a page; nobody touches it before `present`. */
  async function withPasskey(address, present) {
    const [credential] = await device.credentials()
    page = await ida.fresh()
    ida.page = page
    device = await authenticator(page)
    await device.present(present)
    await device.add(credential)
    await page.goto(address)
  }

  await withPasskey(authorize(), false)
  await page.locator('#login-passkey').waitFor()
  await ida.see('login-passkey')
  await ida.check('who does not confirm is told, and can sign in another way', async () => {
    await device.verified(false)
    await device.present(true)
    await page.locator('#login-passkey').click()
    await page.locator('#login-passkey-problem').waitFor()
  })
  await ida.see('login-passkey-problem')
  await ida.check('by the button, nobody types a name or a password', async () => {
    await device.verified(true)
    await page.locator('#login-passkey').click()
    isAal2(await claims(page), 'hwk', 'user', 'mfa')
  })
  await ida.check('where the browser fills in names, it does by itself', async () => {
    await withPasskey(authorize(), true)
    isAal2(await claims(page), 'hwk', 'user', 'mfa')
  })
  await withPasskey(authorize(), false)
  await ida.signsIn()
  await page.locator('#factor-passkey').waitFor()
  await ida.see('factor-passkey')
  await ida.check('after a password it is the second step', async () => {
    await device.present(true)
    await page.locator('#factor-passkey').click()
    isAal2(await claims(page), 'pwd', 'hwk', 'user', 'mfa')
  })
  await page.goto(`${issuer}/account/factors`)
  await ida.check('it is called something else, and removed', async () => {
    await page.locator('summary').click()
    await page.locator('[id^="new-name-"]').fill('The green key')
    await page.locator('[id^="save-name-"]').click()
    await page.locator('#notice').waitFor()
    holds((await page.locator('main').innerText()).includes('The green key'), 'it has its new name')
    await page.locator('[id^="remove-"]').click()
    await page.locator('#notice').waitFor()
  })
  await ida.check('removed, it opens nothing', async () => {
    await withPasskey(authorize(), true)
    await page.locator('#login-problem').waitFor()
  })
  await ida.see('login-passkey-wrong')
}

/** An app that wants two factors of somebody who has one: set up on the way, and on to the app. */
async function onTheWay(browser, language) {
  const ida = new Person(browser, language, setting.people[language].new)
  const page = await ida.opens(authorize({ client_id: 'vault' }))
  await ida.signsIn()
  await page.locator('#factor-qr').waitFor()
  await ida.see('factor-set-up')
  await ida.check('set up in the sign-in, the person goes on to the app', async () => {
    if (scripts) {
      await authenticator(page)
      await page.locator('#factor-new-passkey').click()
    } else {
      const phone = new Phone(await page.locator('#factor-secret').innerText())
      await page.locator('#factor-code').fill(phone.shows())
      await page.locator('#factor-submit').click()
    }
    await page.locator('#recovery-codes').waitFor()
    await page.locator('#codes-on').click()
    isAal2(await claims(page, 'vault'), ...(scripts ? ['pwd', 'hwk', 'user', 'mfa'] : ['pwd', 'otp', 'mfa']))
  })
}

const server = await listen()
const browser = await launch()
try {
  for (const language of Object.keys(setting.people)) {
    await authenticatorApp(browser, language)
    if (scripts) await passkeys(browser, language)
    await onTheWay(browser, language)
  }
} finally {
  await browser.close()
  server.closeAllConnections()
  server.close()
}
