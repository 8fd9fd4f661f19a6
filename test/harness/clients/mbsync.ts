// mbsync (isync): synchronises both ways between IMAP and Maildirs, and notices each wrong UID, flag and size.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withCrlf } from '../messages.ts'
import { type Ran, run } from '../run.ts'
import type { Login } from './login.ts'

export interface Mbsync {
  /** One synchronisation of every mailbox, both ways, with creation and expunge. Any exit code resolves. */
  sync(): Promise<Ran>
  /** The Maildir of a mailbox. */
  folder(mailbox: string): string
  files(mailbox: string): MaildirFile[]
}

export interface MaildirFile {
  readonly path: string
  /** The letters behind `:2,`: S seen, R answered, F flagged, T deleted, D draft. */
  readonly flags: string
  /** With CRLF again, and without the X-TUID field by which mbsync marks what it stores. */
  readonly bytes: Buffer
}

/** Prepares a Maildir store and its configuration in an empty folder. */
export function makeMbsync(login: Login, folder: string): Mbsync {
  const store = join(folder, 'maildirs')
  const config = join(folder, 'mbsyncrc')
  mkdirSync(store)
  // Beside the Maildirs: what was synchronised is still known when a Maildir is gone.
  mkdirSync(`${store}.state`)
  writeFileSync(config, configuration(login, store))
  const maildir = (mailbox: string) => join(store, mailbox)
  return {
    sync: () =>
      run('mbsync', ['--config', config, '--verbose', '--all'], {
        env: { HIKYAKU_TEST_PASSWORD: login.password, HOME: folder },
      }),
    folder: maildir,
    files: (mailbox) => ['new', 'cur'].flatMap((part) => read(join(maildir(mailbox), part))),
  }
}

function configuration(login: Login, store: string): string {
  return `IMAPAccount server
Host ${login.host}
Port ${login.port}
User ${login.user}
PassCmd "printenv HIKYAKU_TEST_PASSWORD"
SSLType ${login.tls === 'implicit' ? 'IMAPS' : 'STARTTLS'}
SystemCertificates no
CertificateFile ${login.caFile}
Timeout 30

IMAPStore far
Account server

MaildirStore near
Path ${store}/
Inbox ${store}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState ${store}.state/
CopyArrivalDate yes
`
}

function read(folder: string): MaildirFile[] {
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .sort()
    .map((name) => {
      const path = join(folder, name)
      return { path, flags: /:2,([A-Za-z]*)$/.exec(name)?.[1] ?? '', bytes: unmarked(readFileSync(path)) }
    })
}

/** The message without mbsync's X-TUID field, CRLF ends. */
export function unmarked(bytes: Buffer): Buffer {
  const text = withCrlf(bytes).toString('latin1')
  const head = text.indexOf('\r\n\r\n') + 2
  return Buffer.from(text.slice(0, head).replace(/^X-TUID: .*\r\n/m, '') + text.slice(head), 'latin1')
}
