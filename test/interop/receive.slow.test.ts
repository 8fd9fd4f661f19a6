// Mail comes in by SMTP and is read by real IMAP clients, byte for byte.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { curlImap } from '../harness/clients/curl.ts'
import { openImapFlow } from '../harness/clients/imapflow.ts'
import { imaplibRead } from '../harness/clients/imaplib.ts'
import type { Login } from '../harness/clients/login.ts'
import { makeMbsync } from '../harness/clients/mbsync.ts'
import { swaks } from '../harness/clients/swaks.ts'
import { converse } from '../harness/converse.ts'
import {
  below,
  caOf,
  domain,
  localName,
  loginAt,
  ports,
  type Server,
  startServer,
} from '../harness/hikyaku.ts'
import { assertOnlyTraceAdded, sample, samples } from '../harness/messages.ts'
import { needPrograms, needSlowNamespace } from '../harness/programs.ts'
import { describe as told } from '../harness/run.ts'
import { makeScratch, type Scratch } from '../harness/scratch.ts'
import { within } from '../harness/until.ts'

const from = 'sender@far.test'

describe('mail that comes in', { timeout: 600_000 }, () => {
  let scratch: Scratch
  let server: Server
  let user: string
  let logins: { implicit: Login; starttls: Login }

  before(async () => {
    needSlowNamespace()
    needPrograms('swaks', 'curl', 'python3', 'mbsync')
    scratch = makeScratch('receive')
    server = await startServer({ folder: below(scratch.folder, 'server') })
    const account = server.firstAccount()
    user = account.user
    logins = { implicit: loginAt(server, account, 'imaps'), starttls: loginAt(server, account, 'imap') }
  })

  after(async () => {
    await server?.stop()
    scratch?.remove()
  })

  const send = (message: Uint8Array, to: string, tls: 'none' | 'starttls') =>
    swaks({
      ...{ host: localName, port: ports.mx, from, to: [to], message, folder: scratch.folder, tls },
      ...(tls === 'starttls' ? { caFile: server.caFile } : {}),
    })

  /** Asserts that the mailbox holds the samples in order, and nothing else. */
  const assertSamples = (bodies: readonly Uint8Array[], client: string) => {
    assert.equal(bodies.length, samples.length, `${client} sees ${bodies.length} messages`)
    for (const [index, body] of bodies.entries()) {
      const { name, bytes } = samples[index] ?? { name: 'none', bytes: Buffer.alloc(0) }
      const added = assertOnlyTraceAdded(body, bytes, `${client}, "${name}"`)
      assert.match(added, /^Return-Path: <sender@far\.test>\r\n/, `${client}, "${name}"`)
      assert.match(added, /^Received: from /m, `${client}, "${name}"`)
    }
  }

  test('an idle imapflow is told of a message that swaks hands in', async () => {
    const client = await openImapFlow(logins.implicit)
    try {
      await client.mailboxOpen('INBOX')
      const idle = client.idle()
      const pushed = once(client, 'exists')
      const first = samples[0]
      assert.ok(first)
      const ran = await send(first.bytes, user, 'none')
      assert.equal(ran.code, 0, told(ran))
      // No NOOP, no CHECK, no SELECT again: the client sends nothing between IDLE and this.
      const [event] = await within('the EXISTS push', 30_000, pushed)
      assert.equal((event as { count: number }).count, 1)
      await client.noop()
      await idle
    } finally {
      await client.logout()
    }
  })

  test('swaks hands in every kind of message, over TCP and STARTTLS', async () => {
    for (const [index, { name, bytes }] of samples.entries()) {
      // The first came in above.
      if (index === 0) continue
      const ran = await send(bytes, user, index % 2 === 0 ? 'none' : 'starttls')
      assert.equal(ran.code, 0, `${name}: ${told(ran)}`)
      assert.match(ran.stdout.toString(), /^<[-~] +250 2\.\d\.\d /m)
    }
  })

  for (const tls of ['implicit', 'starttls'] as const) {
    test(`imapflow reads them byte for byte (${tls})`, async () => {
      const client = await openImapFlow(logins[tls])
      try {
        await client.mailboxOpen('INBOX', { readOnly: true })
        const messages = await client.fetchAll('1:*', { uid: true, source: true, size: true, envelope: true })
        assertSamples(
          messages.map(({ source }) => source ?? Buffer.alloc(0)),
          'imapflow',
        )
        for (const { size, source } of messages) assert.equal(size, source?.length)
        assert.equal(messages[4]?.envelope?.subject, '飛脚')
      } finally {
        await client.logout()
      }
    })

    test(`curl reads them byte for byte (${tls})`, async () => {
      const bodies: Buffer[] = []
      for (const index of samples.keys()) {
        const ran = await curlImap(logins[tls], `INBOX;MAILINDEX=${index + 1}`)
        assert.equal(ran.code, 0, told(ran))
        bodies.push(ran.stdout)
      }
      assertSamples(bodies, 'curl')
    })

    test(`Python's imaplib reads them byte for byte (${tls})`, async () => {
      const messages = await imaplibRead(logins[tls], 'INBOX')
      assertSamples(
        messages.map(({ body }) => body),
        'imaplib',
      )
      for (const { head, body } of messages) assert.match(head, new RegExp(`RFC822\\.SIZE ${body.length}\\b`))
    })

    test(`mbsync fetches them byte for byte (${tls})`, async () => {
      const mbsync = makeMbsync(logins[tls], below(scratch.folder, `mbsync-${tls}`))
      const ran = await mbsync.sync()
      assert.equal(ran.code, 0, told(ran))
      const files = mbsync.files('INBOX').map(({ bytes }) => bytes)
      const bySample = samples.map(({ bytes }) =>
        files.find((file) => file.subarray(-bytes.length).equals(bytes)),
      )
      assertSamples(
        bySample.map((file) => file ?? Buffer.alloc(0)),
        'mbsync',
      )
      assert.equal(files.length, samples.length)
    })
  }

  test('detail addresses, postmaster and upper case reach the account', async () => {
    const local = user.slice(0, user.indexOf('@'))
    const addresses = [
      `${local}+shop@${domain}`,
      `${local.toUpperCase()}@${domain.toUpperCase()}`,
      'postmaster',
    ]
    for (const address of [...addresses, `postmaster@${domain}`]) {
      await converse(
        { port: ports.mx },
        `S: 220
         C: EHLO client.far.test
         S: 250
         C: MAIL FROM:<${from}>
         S: 250 2.1.0
         C: RCPT TO:<${address}>
         S: 250 2.1.5
         C: DATA
         S: 354
         C: Subject: to ${address}
         C:
         C: .
         S: 250 2.
         C: QUIT
         S: 221 2.0.0
         END`,
      )
    }
    const messages = await imaplibRead(logins.implicit, 'INBOX')
    assert.equal(messages.length, samples.length + 4)
  })

  test('unknown users, oversize and bare newlines are refused while it is still the client who has the mail', async () => {
    const greeting = 'S: 220\nC: EHLO client.far.test\nS: 250'
    await converse(
      { port: ports.mx },
      `${greeting}
       C: MAIL FROM:<${from}>
       S: 250
       C: RCPT TO:<nobody-here@${domain}>
       S: 550 5.1.1
       C: DATA
       S: 503 | 554
       C: RSET
       S: 250
       C: MAIL FROM:<${from}> SIZE=999999999999
       S: 552 5.3.4
       C: QUIT
       S: 221`,
    )
    await converse(
      { port: ports.mx },
      `${greeting}
       C: MAIL FROM:<${from}>
       S: 250
       C: RCPT TO:<${user}>
       S: 250
       C: DATA
       S: 354
       C: Subject: smuggled
       C: \\r\\nbody\\n.\\r\\nMAIL FROM:<evil@far.test>
       C: .
       S: 5`,
    )
  })

  test('the MX port never takes a password', async () => {
    const place = { port: ports.mx, ca: caOf(server), name: localName }
    const replies = await converse(
      place,
      `S: 220
       C: EHLO client.far.test
       S: 250
       C: STARTTLS
       S: 220 2.0.0
       TLS
       C: EHLO client.far.test
       S: 250
       C: AUTH PLAIN
       S: 502 | 503 | 504
       C: QUIT
       S: 221`,
    )
    assert.ok(!replies.some((line) => /^S: 250[- ]AUTH/.test(line)), replies.join('\n'))
  })

  test('the log tells of each message, and never the password', () => {
    const { password } = server.firstAccount()
    const log = server.log()
    assert.match(log, /sender@far\.test/)
    assert.ok(!log.includes(password), 'the password is in the log')
    assert.ok(!readFileSync(server.caFile, 'utf8').includes('PRIVATE'))
    assert.ok(sample('plain').length > 0)
  })
})
