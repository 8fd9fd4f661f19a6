// imapflow: the IMAP client library of Node programs.

import { readFileSync } from 'node:fs'
import { ImapFlow } from 'imapflow'
import type { Login } from './login.ts'

/** Connects and logs in; the caller logs out. */
export async function openImapFlow(login: Login): Promise<ImapFlow> {
  const client = new ImapFlow({
    host: login.host,
    port: login.port,
    secure: login.tls === 'implicit',
    doSTARTTLS: login.tls === 'starttls',
    auth: { user: login.user, pass: login.password },
    tls: { ca: readFileSync(login.caFile) },
    logger: false,
    socketTimeout: 60_000,
    connectionTimeout: 30_000,
  })
  // A connection that breaks while nobody waits for it must fail the step that follows, not the process.
  client.on('error', () => {})
  await client.connect()
  return client
}
