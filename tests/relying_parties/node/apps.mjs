// Apps of other sites, over https: their callbacks, their frames, the addresses where they are told of logouts, and a page
// that watches the session (OpenID Connect Session Management 3.1).
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { setting } from './checks.mjs'

const PATIENCE = 40

/** What the apps saw, in order: { host, path, query, cookie, token }. */
export const seen = []
/** How frames and receivers behave, by host: they answer at once unless a function here says otherwise. */
export const moods = {}

const WATCH = `<!doctype html><title>The app watches</title><p id="state">unknown</p>
<iframe id="op" src="${setting.issuer}/session/check"></iframe>
<script>
const op = document.getElementById('op')
const answers = []
addEventListener('message', (event) => {
  if (event.origin === '${setting.issuer}' && event.source === op.contentWindow) answers.push(event.data)
})
window.ask = (message) => new Promise((done) => {
  answers.length = 0
  op.contentWindow.postMessage(message, '${setting.issuer}')
  const wait = setInterval(() => { if (answers.length) { clearInterval(wait); done(answers[0]) } }, 10)
  setTimeout(() => { clearInterval(wait); done('silence') }, 3000)
})
</script>`

export function listen() {
  const [key, cert] = [setting.key, setting.certificate].map((path) => readFileSync(path))
  const server = createServer({ key, cert }, (request, response) => {
    answer(request, response).catch((error) => response.writeHead(500).end(String(error)))
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(setting.port, '127.0.0.1', () => resolve(server))
  })
}

async function answer(request, response) {
  const url = new URL(request.url, `https://${request.headers.host}`)
  const parts = []
  for await (const part of request) parts.push(part)
  const token = new URLSearchParams(Buffer.concat(parts).toString()).get('logout_token')
  seen.push({ host: url.hostname, path: url.pathname, query: url.searchParams, cookie: request.headers.cookie ?? '', token })
  const page = (text) => `<!doctype html><title>The app</title><p id="arrived">${text}`
  switch (url.pathname) {
    case '/callback':
      // The app's own session, which its frame must find again inside our page.
      response.setHeader('set-cookie', `app=${url.hostname}; Secure; HttpOnly; SameSite=None; Path=/`)
      return send(response, page('Back at the app.'))
    case '/front':
      await moods[url.hostname]?.()
      return send(response, `${page('Signed out of the app.')}<script>try { top.location = 'https://evil.example/' } catch {}</script>`)
    case '/told':
      await moods[url.searchParams.get('app')]?.()
      return response.writeHead(200).end()
    case '/signed-out':
      return send(response, page('Signed out.'))
    case '/watch':
      return send(response, WATCH)
    default:
      return response.writeHead(404).end()
  }
}

function send(response, html) {
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }).end(html)
}

/** What was seen last that `matches`, once it has been. */
export async function saw(what, matches) {
  for (let tries = 0; tries < PATIENCE * 20; tries += 1) {
    const found = seen.findLast(matches)
    if (found) return found
    await new Promise((done) => setTimeout(done, 50))
  }
  throw new Error(`${what} was not seen; there were ${seen.map(({ host, path }) => host + path).join(', ')}`)
}
