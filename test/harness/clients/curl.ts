// curl as an IMAP and SMTP client. Its configuration, with the password, comes on standard input.

import { type Ran, run } from '../run.ts'
import type { Login } from './login.ts'

/** Asks for a URL path below the server: `INBOX;UID=3` fetches, `INBOX?ALL` searches, `` lists. Any exit code. */
export function curlImap(login: Login, path: string, request?: string): Promise<Ran> {
  const scheme = login.tls === 'implicit' ? 'imaps' : 'imap'
  const lines = [`url = "${scheme}://${login.host}:${login.port}/${path}"`]
  if (request) lines.push(`request = "${request}"`)
  return curl(login, lines)
}

export interface CurlMail {
  readonly from: string
  readonly to: readonly string[]
  readonly file: string
}

/** Submits the message in a file. Any exit code resolves. */
export function curlSmtp(login: Login, mail: CurlMail): Promise<Ran> {
  const scheme = login.tls === 'implicit' ? 'smtps' : 'smtp'
  return curl(login, [
    `url = "${scheme}://${login.host}:${login.port}/client.far.test"`,
    `mail-from = "${mail.from}"`,
    ...mail.to.map((address) => `mail-rcpt = "${address}"`),
    `upload-file = "${mail.file}"`,
  ])
}

function curl(login: Login, lines: readonly string[]): Promise<Ran> {
  const password = login.password.replace(/["\\]/g, '\\$&')
  const common = [
    'silent',
    'show-error',
    'verbose',
    'ssl-reqd',
    `cacert = "${login.caFile}"`,
    'max-time = 30',
  ]
  const config = [...common, `user = "${login.user}:${password}"`, ...lines, '']
  return run('curl', ['--disable', '--config', '-'], { input: config.join('\n') })
}
