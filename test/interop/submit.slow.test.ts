// Mail goes out: a client submits, another site's Postfix receives it over STARTTLS. And what may not go out does not.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createTransport, type Transporter } from 'nodemailer'
import { peerCertificate } from '../harness/certs.ts'
import { curlSmtp } from '../harness/clients/curl.ts'
import { imaplibRead } from '../harness/clients/imaplib.ts'
import { swaks } from '../harness/clients/swaks.ts'
import { converse, type Place, plainResponse } from '../harness/converse.ts'
import { type DnsServer, startDns } from '../harness/dns.ts'
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
import { samples, withCrlf } from '../harness/messages.ts'
import { type Postfix, startPostfix } from '../harness/postfix.ts'
import { needPrograms, needSlowNamespace } from '../harness/programs.ts'
import { describe as told } from '../harness/run.ts'
import { makeScratch, type Scratch } from '../harness/scratch.ts'
import { until } from '../harness/until.ts'

const there = 'you@far.test'
const peer = 'mx.far.test'

describe('mail that goes out', { timeout: 600_000 }, () => {
  let scratch: Scratch
  let dns: DnsServer
  let postfix: Postfix
  let server: Server
  let account: { user: string; password: string }
  let places: Record<'mx' | 'submission' | 'submissions', Place>

  before(async () => {
    needSlowNamespace()
    needPrograms('postfix', 'swaks', 'curl', 'python3', 'openssl')
    scratch = makeScratch('submit')
    dns = await startDns({
      address: '11.22.33.53',
      port: 53,
      zone: `
        far.test     MX 10 ${peer}
        ${peer}      A 11.22.33.25
        plain.test   A 11.22.33.25
        null.test    MX 0 .
        refuse.test  MX 10 ${peer}
        backup.test  MX 10 dead.backup.test
        backup.test  MX 20 ${peer}
        dead.backup.test A 11.22.33.26
        broken.test  SERVFAIL`,
    })
    const { certFile, keyFile } = await peerCertificate(below(scratch.folder, 'cert'), [peer])
    postfix = await startPostfix({
      folder: below(scratch.folder, 'postfix'),
      hostname: peer,
      // TLS is demanded: what arrives came over STARTTLS, whatever anybody's log says.
      receive: {
        ...{ address: '11.22.33.25', port: 25, tls: 'encrypt', certFile, keyFile },
        domains: ['far.test', 'plain.test', 'backup.test'],
      },
    })
    server = await startServer({ folder: below(scratch.folder, 'server') })
    account = server.firstAccount()
    const ca = caOf(server)
    places = {
      mx: { port: ports.mx, ca, name: localName },
      submission: { port: ports.submission, ca, name: localName },
      submissions: { port: ports.submissions, ca, name: localName, implicit: true },
    }
  })

  after(async () => {
    await server?.stop()
    await postfix?.stop()
    await dns?.stop()
    scratch?.remove()
  })

  const transport = (
    port: 'submission' | 'submissions',
    method = 'PLAIN',
    password = account.password,
  ): Transporter =>
    createTransport({
      host: '127.0.0.1',
      port: ports[port],
      secure: port === 'submissions',
      requireTLS: true,
      name: 'my-phone.lan',
      auth: { user: account.user, pass: password },
      authMethod: method,
      tls: { ca: caOf(server), servername: localName },
      connectionTimeout: 30_000,
      socketTimeout: 30_000,
    })

  /** The arrived message with this in its Subject. */
  const arrived = (subject: string): Promise<string> =>
    until(`"${subject}" at Postfix; it logged\n${postfix.log().slice(-2000)}`, () => {
      const all = postfix.received().map((message) => withCrlf(message).toString('latin1'))
      return all.find((message) => message.includes(`\r\nSubject: ${subject}\r\n`))
    })

  /** The message with this word in INBOX. */
  const returned = (word: string): Promise<string> =>
    until(`a message with "${word}" in INBOX`, async () => {
      const messages = await imaplibRead(loginAt(server, account, 'imaps'), 'INBOX')
      return messages.map(({ body }) => body.toString('latin1')).find((body) => body.includes(word))
    })

  for (const port of ['submission', 'submissions'] as const) {
    for (const method of ['PLAIN', 'LOGIN']) {
      test(`nodemailer submits over ${port} with AUTH ${method}; Postfix receives over STARTTLS`, async () => {
        const subject = `from nodemailer ${port} ${method}`
        const sender = transport(port, method)
        const info = await sender.sendMail({ from: account.user, to: there, subject, text: 'Good day.\n.\n' })
        sender.close()
        assert.match(info.response ?? '', /^250 2\./)
        const message = await arrived(subject)
        assert.match(message, /^Return-Path: <[^>]+@example\.test>\r\n/)
        assert.match(message, /\(using TLSv1\.3 with cipher/)
        assert.match(message, /\r\n\r\nGood day\.\r\n\.\r\n$/)
        assert.ok(message.includes(`\r\nFrom: ${account.user}\r\n`))
        const received = message.slice(0, message.indexOf('\r\nFrom: '))
        // Where a person sits is nobody's business (rfc5321 §7.6).
        assert.doesNotMatch(received, /my-phone|\[127\.0\.0\.1\]|\[::1\]/)
      })
    }
  }

  test('swaks and curl submit too', async () => {
    const login = loginAt(server, account, 'submissions')
    const message = (subject: string) =>
      Buffer.from(`From: ${account.user}\r\nTo: ${there}\r\nSubject: ${subject}\r\n\r\nx\r\n`)
    for (const mechanism of ['PLAIN', 'LOGIN']) {
      const ran = await swaks({
        ...{ host: localName, port: ports.submission, from: account.user, to: [there], tls: 'starttls' },
        ...{ message: message(`swaks ${mechanism}`), folder: scratch.folder, caFile: server.caFile },
        login: { ...account, mechanism },
      })
      assert.equal(ran.code, 0, told(ran))
      await arrived(`swaks ${mechanism}`)
    }
    const file = join(scratch.folder, 'curl.eml')
    writeFileSync(file, message('curl'))
    for (const port of ['submission', 'submissions'] as const) {
      const ran = await curlSmtp(loginAt(server, account, port), { from: account.user, to: [there], file })
      assert.equal(ran.code, 0, told(ran))
    }
    await arrived('curl')
    assert.equal(login.tls, 'implicit')
  })

  test('every kind of content leaves as it came', async () => {
    for (const { bytes } of samples) {
      const own = Buffer.from(
        bytes.toString('latin1').replace('Sender <sender@far.test>', account.user),
        'latin1',
      )
      const ran = await swaks({
        ...{ host: localName, port: ports.submissions, from: account.user, to: [there], tls: 'implicit' },
        ...{ message: own, folder: scratch.folder, login: account, caFile: server.caFile },
      })
      assert.equal(ran.code, 0, told(ran))
    }
    for (const { name, bytes } of samples) {
      const body = bytes.subarray(bytes.indexOf('\r\n\r\n'))
      await until(`"${name}" at Postfix as it was`, () =>
        postfix.received().some((message) => withCrlf(message).subarray(-body.length).equals(body)),
      )
    }
  })

  test('Date and Message-ID are added where missing, Bcc does not travel', async () => {
    await converse(
      places.submissions,
      `S: 220
       C: EHLO phone
       S: 250
       C: AUTH PLAIN ${plainResponse(account.user, account.password)}
       S: 235 2.7.0
       C: MAIL FROM:<${account.user}>
       S: 250
       C: RCPT TO:<${there}>
       S: 250
       C: DATA
       S: 354
       C: From: ${account.user}
       C: Subject: bare
       C:
       C: x
       C: .
       S: 250 2.
       C: QUIT
       S: 221`,
    )
    const message = await arrived('bare')
    assert.match(message, /\r\nDate: /)
    assert.match(message, /\r\nMessage-ID: <[^>@]+@[^>]+>\r\n/i)
  })

  test('a domain without MX is reached by its address, a dead first MX by the second', async () => {
    const sender = transport('submissions')
    const mail = { from: account.user, text: 'x' }
    await sender.sendMail({ ...mail, to: 'you@plain.test', subject: 'by address' })
    await sender.sendMail({ ...mail, to: 'you@backup.test', subject: 'by the second' })
    sender.close()
    await arrived('by address')
    await arrived('by the second')
  })

  test('mail that can never arrive comes back as a report that a person can read', async () => {
    const sender = transport('submissions')
    const mail = { from: account.user, subject: 'lost', text: 'x' }
    await sender.sendMail({ ...mail, to: 'you@null.test' })
    await sender.sendMail({ ...mail, to: 'you@refuse.test' })
    await sender.sendMail({ ...mail, to: 'you@nowhere.test' })
    sender.close()
    for (const address of ['you@null.test', 'you@refuse.test', 'you@nowhere.test']) {
      const report = await returned(`Final-Recipient: rfc822;${address}`).catch(() =>
        returned(`Final-Recipient: rfc822; ${address}`),
      )
      assert.match(report, /^Content-Type: multipart\/report;[\s\S]*report-type="?delivery-status"?/im)
      assert.match(report, /^Return-Path: <>\r\n/)
      assert.match(report, /^Action: failed\r\n/im)
      assert.match(report, /^Status: 5\.\d+\.\d+/im)
    }
    // rfc7505 §4.1: a null MX says so.
    assert.match(await returned('you@null.test'), /5\.1\.10/)
  })

  test('mail for local accounts never leaves the machine', async () => {
    const asked = dns.asked.length
    const sender = transport('submissions')
    await sender.sendMail({ from: account.user, to: account.user, subject: 'to myself', text: 'x' })
    sender.close()
    await returned('Subject: to myself')
    assert.ok(!dns.asked.slice(asked).some((question) => question.startsWith(domain)), dns.asked.join('\n'))
  })

  test('a wrong password is 535 5.7.8, for users that exist and users that do not', async () => {
    for (const user of [account.user, `nobody@${domain}`]) {
      for (const place of [places.submission, places.submissions]) {
        const start = place.implicit
          ? 'S: 220'
          : 'S: 220\nC: EHLO phone\nS: 250\nC: STARTTLS\nS: 220 2.0.0\nTLS'
        await converse(
          place,
          `${start}
           C: EHLO phone
           S: 250
           C: AUTH PLAIN ${plainResponse(user, 'wrong-Password-1')}
           S: 535 5.7.8
           C: MAIL FROM:<${account.user}>
           S: 530 5.7.0
           C: QUIT
           S: 221`,
        )
      }
    }
    const sender = transport('submissions', 'PLAIN', 'wrong-Password-2')
    await assert.rejects(sender.sendMail({ from: account.user, to: there, text: 'x' }), { responseCode: 535 })
    sender.close()
    const log = server.log()
    assert.ok(!log.includes('wrong-Password'), 'a password is in the log')
  })

  test('the right password still works after others failed', async () => {
    const sender = transport('submissions')
    await sender.verify()
    sender.close()
  })

  test('without TLS nothing is offered and nothing taken', async () => {
    const replies = await converse(
      places.submission,
      `S: 220
       C: EHLO phone
       S: 250
       C: AUTH PLAIN ${plainResponse(account.user, account.password)}
       S: 530 5.7.0 | 538 5.7.11
       C: MAIL FROM:<${account.user}>
       S: 530 5.7.0
       C: QUIT
       S: 221`,
    )
    assert.ok(!replies.some((line) => /^S: 250[- ]AUTH/.test(line)), replies.join('\n'))
    assert.ok(replies.some((line) => /^S: 250[- ]STARTTLS/.test(line)))
  })

  test('with TLS but without AUTH nothing is taken', async () => {
    await converse(
      places.submissions,
      `S: 220
       C: EHLO phone
       S: 250
       C: MAIL FROM:<${account.user}>
       S: 530 5.7.0
       C: RCPT TO:<${there}>
       S: 530 5.7.0 | 503 5.5.1
       C: QUIT
       S: 221`,
    )
  })

  test('what is said before the handshake is forgotten, and what is sent behind STARTTLS dropped', async () => {
    await converse(
      places.submission,
      `S: 220
       C: EHLO phone
       S: 250
       C: STARTTLS
       S: 220 2.0.0
       TLS
       C: MAIL FROM:<${account.user}>
       S: 503 5.5.1 | 530 5.7.0
       C: QUIT
       S: 221`,
    )
    // In one piece with STARTTLS: the command behind it must never be answered (rfc3207 §4.2); if it were, its reply
    // would stand where EHLO's is expected, and EHLO's where QUIT's is.
    await converse(
      places.submission,
      `S: 220
       C: EHLO phone
       S: 250
       C: STARTTLS\\r\\nRSET
       S: 220 2.0.0
       TLS
       C: EHLO phone
       S: 250
       C: QUIT
       S: 221
       END`,
    )
  })

  test("another's address is refused in the envelope and in From", async () => {
    const begin = `S: 220
       C: EHLO phone
       S: 250
       C: AUTH PLAIN ${plainResponse(account.user, account.password)}
       S: 235`
    await converse(
      places.submissions,
      `${begin}
       C: MAIL FROM:<boss@${domain}>
       S: 553 5.7.1
       C: MAIL FROM:<someone@far.test>
       S: 553 5.7.1
       C: QUIT
       S: 221`,
    )
    for (const from of [`boss@${domain}`, 'someone@far.test', `"${account.user}" <boss@${domain}>`]) {
      await converse(
        places.submissions,
        `${begin}
         C: MAIL FROM:<${account.user}>
         S: 250
         C: RCPT TO:<${there}>
         S: 250
         C: DATA
         S: 354
         C: From: ${from}
         C: Subject: spoof
         C:
         C: x
         C: .
         S: 553 5.7.1 | 550 5.7.1
         C: QUIT
         S: 221`,
      )
    }
  })

  test('an alias of the account may be written as sender', async () => {
    const alias = `sales@${domain}`
    const ran = await server.cli(['alias', 'add', alias, account.user])
    assert.equal(ran.code, 0, told(ran))
    const sender = transport('submissions')
    await sender.sendMail({ from: alias, to: there, subject: 'from an alias', text: 'x' })
    sender.close()
    assert.match(await arrived('from an alias'), /^Return-Path: <sales@example\.test>/)
  })

  test('no trick makes it an open relay', async () => {
    const before = postfix.received().length
    const foreign = [
      '<you@far.test>',
      '<you@FAR.TEST>',
      '<"you"@far.test>',
      `<@${domain}:you@far.test>`,
      `<@${domain},@far.test:you@far.test>`,
      '<you@[11.22.33.25]>',
    ]
    // Ours by their domain, meant for others: no such user here, or refused outright, or no address at all.
    const disguised = [
      `<you%far.test@${domain}>`,
      `<"you@far.test"@${domain}>`,
      `<"you%far.test"@${domain}>`,
      `<far.test!you@${domain}>`,
      `<you@far.test@${domain}>`,
      `<you@far.test%${domain}>`,
      '<far.test!you>',
      '<you%far.test>',
      '<"you@far.test">',
      `<you@far.test\\x00@${domain}>`,
      `<you@far.test.>`,
      `<you@[IPv6:2a11:2233::25]>`,
      '<you@127.0.0.1>',
      '<you@[127.0.0.1]>',
    ]
    for (const sender of ['<>', '<sender@far.test>', `<${account.user}>`, `<root@${domain}>`]) {
      await converse(
        places.mx,
        `S: 220
         C: EHLO client.far.test
         S: 250
         C: MAIL FROM:${sender}
         S: 250
         ${foreign.map((to) => `C: RCPT TO:${to}\nS: 550 5.7.1`).join('\n')}
         C: RSET
         S: 250
         C: QUIT
         S: 221`,
      )
    }
    for (const to of disguised) {
      await converse(
        places.mx,
        `S: 220
         C: EHLO client.far.test
         S: 250
         C: MAIL FROM:<sender@far.test>
         S: 250
         C: RCPT TO:${to}
         S: 550 5.7.1 | 550 5.1.1 | 501 5.1.3 | 553 5.1.3 | 501 5.5 | 500 5.5.2
         C: DATA
         S: 503 | 554
         C: QUIT
         S: 221`,
      )
    }
    assert.equal(postfix.received().length, before)
  })

  test('the trace and the log tell what happened to a message', async () => {
    const ran = await server.cli(['trace', '--to', there])
    assert.equal(ran.code, 0, told(ran))
    assert.match(ran.stdout.toString(), /mx\.far\.test|11\.22\.33\.25/)
    const delivered = /to=you@far\.test, state=delivered, host=mx\.far\.test\[11\.22\.33\.25\]/
    await until('the log', () => delivered.test(server.log()))
    assert.ok(!server.log().includes(account.password))
    assert.ok(readFileSync(server.caFile, 'utf8').includes('CERTIFICATE'))
  })
})
