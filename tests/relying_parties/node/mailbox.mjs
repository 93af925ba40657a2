// What has come to people by mail: files of JSON that the mail server of the run leaves in a folder (`python/mailbox.py`).
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { equal, holds, pause, setting } from './checks.mjs'

const opened = new Set()
const all = () => readdirSync(setting.mails).filter((name) => name.endsWith('.json')).sort()
const read = (name) => JSON.parse(readFileSync(join(setting.mails, name), 'utf8'))

/** The next unopened mail to this address that says `words`, in its text and in its HTML, and how it came. */
export async function mail(to, words, seconds = 20) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await pause(0.05)) {
    for (const name of all()) {
      if (opened.has(name)) continue
      const found = read(name)
      if (!found.to.includes(to) || !found.text.includes(words)) continue
      opened.add(name)
      sound(found, to)
      return found
    }
  }
  const others = all().map(read).map(({ to, subject }) => `${to}: ${subject}`)
  throw new Error(`no mail to ${to} says ${words}; there were ${others.join('; ') || 'none'}`)
}

/** Every mail is encrypted on its way, goes to one address, says the same twice, and asks no one else for anything. */
function sound(mail, to) {
  holds(mail.tls, 'it came over TLS')
  equal(mail.to.join(), to, 'whom it is to')
  holds(mail.headers['message-id'] && mail.headers.date, 'it has a date and an id')
  equal(mail.headers['auto-submitted'], 'auto-generated', 'Auto-Submitted')
  for (const link of mail.text.match(/https?:\/\/\S+/g) ?? []) {
    holds(mail.html.includes(link.replaceAll('&', '&amp;')), `the HTML has the link ${link}`)
    equal(new URL(link).origin, setting.issuer, 'where its links lead')
  }
  holds(!/<img|<link|<script|url\(/i.test(mail.html), 'the HTML loads nothing')
}

/** The link in it that leads to `path`. */
export function link(mail, path) {
  const found = mail.text.match(/https?:\/\/\S+/g)?.find((one) => new URL(one).pathname === path)
  if (!found) throw new Error(`no link to ${path} in: ${mail.text}`)
  return found
}

/** What an address has got that nobody has opened: a mail too many. */
export const unopened = (to) => all().filter((name) => !opened.has(name)).map(read).filter((mail) => mail.to.includes(to))
