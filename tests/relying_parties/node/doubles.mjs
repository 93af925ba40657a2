// Google and GitHub on loopback, for suites with a browser. What they send stands in tests/doubles/*.json, with the page
// where each shape was read; the Rust tests have doubles that send the same and can do more (tests/it/harness/doubles).
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
import { pause } from './checks.mjs'

/** Suites run at the root of the tree. */
const read = (name) => JSON.parse(readFileSync(`tests/doubles/${name}.json`, 'utf8'))
export const documents = { google: read('google'), github: read('github') }

const random = (bytes) => randomBytes(bytes).toString('base64url')
const sha256 = (text) => createHash('sha256').update(text).digest()
const escape = (text) => String(text).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)

/** A shape with its placeholders replaced: a text that is one alone becomes the value, and goes where there is none. */
function filled(shape, values) {
  if (Array.isArray(shape)) return shape.map((item) => filled(item, values)).filter((item) => item !== undefined)
  if (shape !== null && typeof shape === 'object') {
    const members = Object.entries(shape).map(([name, value]) => [name, filled(value, values)])
    return Object.fromEntries(members.filter(([, value]) => value !== undefined))
  }
  if (typeof shape !== 'string') return shape
  const alone = shape.match(/^\{([a-z_]+)\}$/)
  if (alone) return values[alone[1]]
  return shape.replace(/\{([a-z_]+)\}/g, (all, name) => (name in values ? values[name] : all))
}

/** A list of pairs without those that have no value. */
const pairs = (shape, values) => {
  return shape.map(([name, value]) => [name, filled(value, values)]).filter(([, value]) => value !== undefined)
}

const typed = (type) => ({ 'content-type': `${type}; charset=utf-8` })
const json = (status, body, headers = {}) => {
  return { status, headers: { ...typed('application/json'), ...headers }, body: JSON.stringify(body) }
}
const html = (status, body) => {
  const page = `<!doctype html><html lang="en"><meta charset="utf-8">${body}`
  return { status, headers: typed('text/html'), body: page }
}
const error = (shape, values = {}) => json(shape.status, filled(shape.body, values), filled(shape.headers ?? {}, values))
const page = ({ status, text }) => html(status, `<title>${escape(text)}</title><p>${escape(text)}`)

/** Back to the app, by the query or by a posted form. */
function back(query, parameters) {
  const target = query.get('redirect_uri')
  if (query.get('response_mode') !== 'form_post') {
    const mark = target.includes('?') ? '&' : '?'
    return { status: 302, headers: { location: `${target}${mark}${new URLSearchParams(parameters)}` } }
  }
  const input = ([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`
  const inside = `${parameters.map(input).join('')}<button id="go">Continue</button>`
  const form = `<form method="post" action="${escape(target)}" id="back">${inside}</form>`
  return html(200, `<title>One moment</title><body onload="document.forms[0].submit()">${form}`)
}

/** The page at which a person says who they are: `#continue-0`, `#continue-1` … and `#cancel`. */
function chooser(provider, url, names) {
  const button = (name, place) => {
    return `<p><button name="account" value="${place}" id="continue-${place}">Continue as ${escape(name)}</button>`
  }
  return html(200, `<title>Sign in with ${provider}</title><main><h1>Sign in with ${provider}</h1>
<form method="post" action="${escape(url.pathname + url.search)}">${names.map(button).join('')}
<p><button name="cancel" value="1" id="cancel">Cancel</button></form></main>`)
}

const proven = (asked, form) => {
  const challenge = asked.get('code_challenge')
  return !challenge || sha256(form.get('code_verifier') ?? '').toString('base64url') === challenge
}

/** A port. `mood` is 'normal', 'failing', 'limited' or a number of seconds that every answer takes; `moodAt` a path, if it is
 *  of that alone. */
async function open(port, answer, { failing, limited }) {
  const double = { mood: 'normal', heard: [] }
  const server = createServer((request, response) => {
    serve(request, response).catch((error) => response.writeHead(500).end(String(error)))
  })
  const serve = async (request, response) => {
    const parts = []
    for await (const part of request) parts.push(part)
    const form = new URLSearchParams(Buffer.concat(parts).toString())
    const heard = { method: request.method, url: new URL(request.url, double.url), headers: request.headers, form }
    double.heard.push(heard)
    const mood = !double.moodAt || double.moodAt === heard.url.pathname ? double.mood : 'normal'
    if (typeof mood === 'number') await pause(mood)
    const reply = mood === 'failing' ? failing() : mood === 'limited' ? limited() : answer(heard)
    response.writeHead(reply.status, reply.headers).end(reply.body)
  }
  const listen = (at) => new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(at, '127.0.0.1', resolve)
  })
  await listen(port)
  const at = server.address().port
  double.url = `http://127.0.0.1:${at}`
  /** Refuses connections until `up`. */
  double.down = () => new Promise((resolve) => {
    server.close(resolve)
    server.closeAllConnections()
  })
  double.up = () => listen(at)
  return double
}

/** Google: `url` is the issuer, `people` are those who are signed in there. */
export async function google(port = 0) {
  const shapes = documents.google
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const [kid] = shapes.keys.kids
  const given = new Map()
  const tokens = new Map()
  const values = (query) => ({ base: double.url, state: query.get('state') ?? undefined })
  const scopes = (query, short) => {
    const asked = ['email', 'profile'].filter((scope) => query.get('scope').split(' ').includes(scope))
    return [...(short ? asked : []), ...asked.map((scope) => shapes.scopes[scope]), 'openid'].join(' ')
  }
  const allowed = (account, query) => Object.fromEntries(Object.entries(account).filter(([name]) => {
    const scope = ['sub', 'hd'].includes(name) ? 'openid' : name.startsWith('email') ? 'email' : 'profile'
    return query.get('scope').split(' ').includes(scope)
  }))
  const routes = {
    [shapes.paths.discovery]: () => {
      return json(200, filled(shapes.discovery.body, { base: double.url }), shapes.discovery.headers)
    },
    [shapes.paths.keys]: () => {
      const key = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' }
      return json(200, { keys: [key] }, shapes.keys.headers)
    },
    [shapes.paths.authorize]: ({ method, url, form }) => {
      const query = url.searchParams
      if (query.get('client_id') !== shapes.client.id) return page(shapes.pages.invalid_client)
      if (query.get('response_type') !== 'code' || !query.get('redirect_uri')) return page(shapes.pages.invalid_request)
      const refused = (name) => back(query, pairs(shapes.refusals[name].parameters, values(query)))
      if (method === 'GET' && query.get('prompt') === 'none') return refused('interaction_required')
      if (method === 'GET') return chooser('Google', url, double.people.map((account) => account.name))
      const account = double.people[form.get('account')]
      if (!account) return refused('access_denied')
      const code = `4/0A${random(36)}`
      given.set(code, { account, query })
      const about = { authuser: form.get('account'), hd: account.hd, prompt: 'consent' }
      const answer = { ...values(query), code, scope: scopes(query, true), ...about }
      return back(query, pairs(shapes.callback.parameters, answer))
    },
    [shapes.paths.token]: ({ headers, form }) => {
      const errors = shapes.token_errors
      const encoded = headers.authorization?.replace(/^Basic /, '')
      const basic = encoded && Buffer.from(encoded, 'base64').toString().split(':').map(decodeURIComponent)
      const [id, secret] = basic ?? [form.get('client_id'), form.get('client_secret')]
      if (id !== shapes.client.id) return error(errors.unknown_client)
      if (secret !== shapes.client.secret) return error(errors.wrong_secret)
      const found = given.get(form.get('code'))
      if (!found) return error(errors.malformed_code)
      if (form.get('redirect_uri') !== found.query.get('redirect_uri')) return error(errors.redirect_uri_mismatch)
      if (!proven(found.query, form)) return error(errors.wrong_verifier)
      given.delete(form.get('code'))
      const access_token = `ya29.a0${random(72)}`
      tokens.set(access_token, found)
      const iat = Math.floor(Date.now() / 1000)
      const claims = filled(shapes.id_token.claims, {
        ...allowed(found.account, found.query),
        base: double.url,
        client_id: id,
        nonce: found.query.get('nonce') ?? undefined,
        at_hash: sha256(access_token).subarray(0, 16).toString('base64url'),
        iat,
        exp: iat + shapes.id_token.seconds,
      })
      const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
      const signed = `${part(filled(shapes.id_token.header, { kid }))}.${part(claims)}`
      const id_token = `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`
      const answer = { access_token, id_token, scope: scopes(found.query, false) }
      return json(200, filled(shapes.token.body, answer), shapes.token.headers)
    },
    [shapes.paths.userinfo]: ({ headers }) => {
      const found = tokens.get(headers.authorization?.replace(/^Bearer /, ''))
      if (!found) return error(shapes.userinfo_errors.invalid_token)
      const values = allowed(found.account, found.query)
      return json(200, filled(shapes.userinfo.body, values), shapes.userinfo.headers)
    },
  }
  const answer = (heard) => routes[heard.url.pathname]?.(heard) ?? html(404, '<title>Error 404 (Not Found)!!1</title>')
  const sick = { failing: () => page(shapes.pages.server_error), limited: () => error(shapes.token_errors.rate_limited) }
  const double = await open(port, answer, sick)
  return Object.assign(double, { client: shapes.client, people: [shapes.accounts.ada] })
}

/** GitHub: `url` is the site, `api` another double with the API at its root. */
export async function github(port = 0, apiPort = 0) {
  const shapes = documents.github
  const given = new Map()
  const tokens = new Map()
  const values = (query) => {
    return { issuer: filled(shapes.issuer.value, { base: web.url }), state: query.get('state') ?? undefined }
  }
  const worded = ({ headers }, members, status = 200) => {
    if (headers.accept?.includes('application/json')) {
      return json(status, Object.fromEntries(members), shapes.token.headers)
    }
    const type = typed('application/x-www-form-urlencoded')
    return { status, headers: { ...type, ...shapes.token.headers }, body: new URLSearchParams(members).toString() }
  }
  const routes = {
    [shapes.paths.authorize]: ({ method, url, form }) => {
      const query = url.searchParams
      if (query.get('client_id') !== shapes.client.id) return page(shapes.pages.unknown_client)
      if (query.has('code_challenge') && query.get('code_challenge_method') !== 'S256') return page(shapes.pages.pkce)
      if (method === 'GET') return chooser('GitHub', url, web.people.map((account) => account.login))
      const account = web.people[form.get('account')]
      if (!account) return back(query, pairs(shapes.refusals.access_denied.parameters, values(query)))
      const code = randomBytes(10).toString('hex')
      given.set(code, { account, query })
      return back(query, pairs(shapes.callback.parameters, { ...values(query), code }))
    },
    [shapes.paths.token]: (heard) => {
      const { form } = heard
      const refused = (name) => worded(heard, shapes.token_errors[name])
      if (form.get('client_id') !== shapes.client.id) return worded(heard, shapes.token_not_found.members, 404)
      if (form.get('client_secret') !== shapes.client.secret) return refused('incorrect_client_credentials')
      const found = given.get(form.get('code'))
      if (!found || !proven(found.query, form)) return refused('bad_verification_code')
      if (form.get('redirect_uri') !== found.query.get('redirect_uri')) return refused('redirect_uri_mismatch')
      given.delete(form.get('code'))
      const access_token = `gho_${randomBytes(18).toString('hex')}`
      const scopes = (found.query.get('scope') ?? '').split(/[ ,]/).filter(Boolean)
      tokens.set(access_token, { account: found.account, scopes })
      return worded(heard, pairs(shapes.token.members, { access_token, scope: scopes.join() }))
    },
  }
  const call = ({ url, headers }, path = url.pathname) => {
    const { user_agent: nameless, ...errors } = shapes.api_errors
    if (!headers['user-agent']) return { status: nameless.status, headers: nameless.headers, body: nameless.text }
    const found = tokens.get(headers.authorization?.replace(/^(Bearer|token) /i, ''))
    const reset = Math.floor(Date.now() / 1000) + 1800
    const granted = (found?.scopes ?? []).join(', ')
    const version = shapes.versions.default
    const about = { version, granted, client_id: shapes.client.id, remaining: 4999, used: 1, reset }
    const headed = (reply, accepted = '') => {
      return { ...reply, headers: { ...filled(shapes.api.headers, { ...about, accepted }), ...reply.headers } }
    }
    if (!headers.authorization) return headed(error(errors.requires_authentication))
    if (!found) return headed(error(errors.bad_credentials))
    const has = (...names) => found.scopes.some((scope) => names.includes(scope))
    if (path === shapes.paths.user) {
      const user = filled(shapes.user.body, { ...found.account, base: web.url, api: api.url })
      return headed(json(200, has('user', 'read:user') ? { ...user, ...shapes.user.private } : user))
    }
    if (path !== shapes.paths.emails) return headed(error(errors.not_found))
    const reply = has('user', 'user:email') ? json(200, found.account.emails) : error(errors.no_scope)
    return headed(reply, shapes.emails.accepted)
  }
  const answer = (heard) => {
    const [, path] = heard.url.pathname.split(shapes.paths.enterprise)
    return path ? call(heard, path) : routes[heard.url.pathname]?.(heard) ?? page(shapes.pages.unknown_client)
  }
  const sick = { failing: () => shapes.pages.unicorn, limited: () => error(shapes.api_errors.rate_limit, { id: 1 }) }
  const web = await open(port, answer, sick)
  const api = await open(apiPort, (heard) => call(heard), sick)
  return Object.assign(web, { client: shapes.client, api, people: [shapes.accounts.octocat] })
}
