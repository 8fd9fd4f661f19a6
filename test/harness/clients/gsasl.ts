// GNU SASL's own client: a foreign SCRAM with channel binding. It speaks STARTTLS only, and on TLS 1.3 binds by
// tls-exporter (rfc9266 §2). The password is read from standard input, since there is no terminal.

import { type Ran, run } from '../run.ts'
import type { Login } from './login.ts'

export interface GsaslOptions {
  readonly protocol: 'imap' | 'smtp'
  readonly mechanism: string
  /** GnuTLS's words: `NORMAL:-VERS-TLS1.3` for TLS 1.2. */
  readonly priority?: string
}

/** Logs in and quits. Any exit code resolves; both outputs hold the dialogue. */
export function gsasl(login: Login, options: GsaslOptions): Promise<Ran> {
  // Not --starttls: forced, it asks for TLS in SMTP without an EHLO before; else it takes what is offered.
  const args = [`--${options.protocol}`, '--mechanism', options.mechanism, '--verbose']
  args.push('--x509-ca-file', login.caFile, '--authentication-id', login.user)
  args.push('--hostname', login.host, '--connect', `${login.host}:${login.port}`)
  // With a binding at hand it refuses a mechanism that does not use it.
  if (!options.mechanism.endsWith('-PLUS')) args.push('--no-cb')
  if (options.priority) args.push('--priority', options.priority)
  return run('gsasl', args, { input: `${login.password}\n` })
}
