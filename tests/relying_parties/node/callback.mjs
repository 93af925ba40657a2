// The relying party's own web server: the callback of the web clients, what they publish, and the single-page app.
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { equal, pause, setting } from './checks.mjs'

const modules = fileURLToPath(new URL('../node_modules', import.meta.url))
const waiting = []
const told = []

/** What the app has at its own addresses: its public keys, and a request object. */
export const published = { keys: [], request: '' }

/** The client's own picture. */
const LOGO = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><path fill="#0b5d57" d="M24 4 44 14v4H4v-4z"/>
<path fill="#0b5d57" d="M8 22h6v14H8zm13 0h6v14h-6zm13 0h6v14h-6zM4 39h40v5H4z"/></svg>`

/** The next authorization response at the callback, as the browser sent it: a URL or a posted form. */
export function arrival(seconds = 20) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`nothing came back to ${setting.callback}`)), seconds * 1000)
    waiting.push((response) => {
      clearTimeout(timer)
      resolve(response)
    })
  })
}

/** The logout tokens that Signet has posted, by the name of the app: as many as are expected, and nothing besides. */
export async function logoutTokens(count, seconds = 20) {
  for (const end = Date.now() + seconds * 1000; told.length < count; await pause(0.05)) {
    if (Date.now() > end) throw new Error(`${told.length} of ${count} logout tokens have come`)
  }
  equal(told.length, count, 'the number of logout tokens')
  return Object.fromEntries(told.splice(0))
}

export function listen() {
  const server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      response.writeHead(500).end(String(error))
    })
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(Number(new URL(setting.callback).port), '127.0.0.1', () => resolve(server))
  })
}

async function answer(request, response) {
  const url = new URL(request.url, setting.callback)
  if (url.pathname === new URL(setting.callback).pathname) {
    const body = await read(request)
    const headers = { 'content-type': request.headers['content-type'] ?? '' }
    const received = request.method === 'POST' ? new Request(url, { method: 'POST', headers, body }) : url
    send(response, 'text/html', '<!doctype html><title>The app</title><p id="arrived">Back at the app.')
    waiting.shift()?.(received)
  } else if (url.pathname.startsWith('/told/') && request.method === 'POST') {
    const form = new URLSearchParams(await read(request))
    const isForm = request.headers['content-type'] === 'application/x-www-form-urlencoded'
    const sound = isForm && [...form.keys()].join() === 'logout_token'
    if (sound) told.push([url.pathname.split('/')[2], form.get('logout_token')])
    response.writeHead(sound ? 200 : 400, { 'cache-control': 'no-store' }).end()
  } else if (url.pathname === '/jwks.json') {
    send(response, 'application/json', JSON.stringify({ keys: published.keys }))
  } else if (url.pathname === '/request.jwt') {
    send(response, 'application/oauth-authz-req+jwt', published.request)
  } else if (url.pathname === '/signed-out') {
    send(response, 'text/html', '<!doctype html><title>The app</title><p id="signed-out">Signed out of the app.')
  } else if (url.pathname === '/logo.svg') {
    send(response, 'image/svg+xml', LOGO)
  } else if (url.pathname === '/spa') {
    send(response, 'text/html', await readFile(new URL('spa.html', import.meta.url)))
  } else if (/^\/modules\/(openid-client|oauth4webapi|jose)\/[\w/.-]+\.js$/.test(url.pathname)) {
    send(response, 'text/javascript', await readFile(modules + url.pathname.slice('/modules'.length)))
  } else {
    response.writeHead(404).end()
  }
}

function send(response, type, body) {
  response.writeHead(200, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' }).end(body)
}

async function read(request) {
  const parts = []
  for await (const part of request) parts.push(part)
  return Buffer.concat(parts).toString()
}
