// A Postfix and a sendmail, as a site has them, hand us mail: by SMTP with STARTTLS and by LMTP.

import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { imaplibRead } from '../harness/clients/imaplib.ts'
import {
  addAccount,
  below,
  configText,
  domain,
  loginAt,
  ports,
  type Server,
  startServer,
} from '../harness/hikyaku.ts'
import { samples } from '../harness/messages.ts'
import { type Postfix, type PostfixSend, startPostfix } from '../harness/postfix.ts'
import { needPrograms, needSlowNamespace } from '../harness/programs.ts'
import { makeScratch, type Scratch } from '../harness/scratch.ts'
import { openSendmail, type Sendmail, type SendmailLmtp, type SendmailSmtp } from '../harness/sendmail.ts'
import { until } from '../harness/until.ts'

const hostname = `mail.${domain}`
const lmtpPort = 2003
const password = 'correct-Horse-battery-9'

describe('real servers that feed us', { timeout: 600_000 }, () => {
  let scratch: Scratch
  let server: Server
  let sockets: Record<string, string>
  let accounts = 0

  before(async () => {
    needSlowNamespace()
    needPrograms('postfix', 'sendmail', 'python3')
    scratch = makeScratch('peers')
    const folder = below(scratch.folder, 'server')
    const socketFolder = below(scratch.folder, 'socket')
    chmodSync(socketFolder, 0o755)
    sockets = { '/run/hikyaku': socketFolder }
    const usual = (port: number) => [`127.0.0.1:${port}`, `[::1]:${port}`]
    server = await startServer({
      folder,
      config: configText({
        listen: {
          mx: usual(ports.mx),
          submission: usual(ports.submission),
          submissions: usual(ports.submissions),
          imap: usual(ports.imap),
          imaps: usual(ports.imaps),
          lmtp: [`127.0.0.1:${lmtpPort}`, `unix:${join(socketFolder, 'lmtp')}`],
          // Postfix delivers as its own user and gives up all other groups.
          lmtp_mode: '0666',
        },
      }),
      waitFor: [...Object.values(ports), lmtpPort],
    })
  })

  after(async () => {
    await server?.stop()
    scratch?.remove()
  })

  /** Each test has its own mailbox. */
  const newAccount = async () => {
    accounts++
    const user = `user${accounts}@${domain}`
    await addAccount(server, user, password)
    return user
  }

  const inbox = async (user: string, count: number): Promise<Buffer[]> =>
    until(`${count} messages for ${user}; the server logged\n${server.log().slice(-3000)}`, async () => {
      const messages = await imaplibRead(loginAt(server, { user, password }, 'imaps'), 'INBOX')
      return messages.length >= count && messages.map(({ body }) => body)
    })

  /** What was sent is what came, below the fields that the peer and we put on top. */
  const assertArrived = (bodies: readonly Buffer[], from: RegExp) => {
    for (const { name, bytes } of samples) {
      const found = bodies.find((body) => body.subarray(-bytes.length).equals(bytes))
      assert.ok(found, `"${name}" did not arrive as it was`)
      const top = found.subarray(0, found.length - bytes.length).toString('latin1')
      assert.match(top, /^Return-Path: <sender@far\.test>\r\n/, name)
      assert.match(top, from, name)
    }
  }

  const postfixSends = async (send: PostfixSend, work: (postfix: Postfix) => Promise<void>) => {
    const folder = below(scratch.folder, `postfix-${accounts}-${Date.now()}`)
    const hosts = [`127.0.0.1 ${hostname}`]
    const postfix = await startPostfix({ folder, hostname: 'out.far.test', hosts, sockets, send })
    try {
      await work(postfix)
    } catch (error) {
      throw new Error(`Postfix logged:\n${postfix.log().slice(-4000)}`, { cause: error })
    } finally {
      await postfix.stop()
    }
  }

  const sendmailSends = async (
    send: SendmailSmtp | SendmailLmtp,
    work: (sendmail: Sendmail) => Promise<void>,
  ) => {
    const folder = below(scratch.folder, `sendmail-${accounts}-${Date.now()}`)
    const hosts = [`127.0.0.1 ${hostname}`]
    const sendmail = await openSendmail({ folder, hostname: 'out.far.test', hosts, sockets, send })
    try {
      await work(sendmail)
    } finally {
      await sendmail.stop()
    }
  }

  const postfixRoutes: Record<string, () => PostfixSend> = {
    'SMTP with verified STARTTLS': () => ({
      transport: `smtp:[${hostname}]:${ports.mx}`,
      tls: 'secure',
      caFile: server.caFile,
    }),
    'LMTP over TCP': () => ({ transport: `lmtp:inet:127.0.0.1:${lmtpPort}`, tls: 'may' }),
    'LMTP over a unix socket': () => ({ transport: 'lmtp:unix:/run/hikyaku/lmtp', tls: 'none' }),
  }

  for (const [name, send] of Object.entries(postfixRoutes)) {
    test(`Postfix hands over by ${name}`, async () => {
      const user = await newAccount()
      await postfixSends(send(), async (postfix) => {
        for (const { bytes } of samples) await postfix.submit('sender@far.test', [user], bytes)
        const bodies = await inbox(user, samples.length)
        assertArrived(
          bodies,
          name.startsWith('SMTP') ? /\bby \S+[\s\S]* with ESMTPS\b/ : /\bby \S+[\s\S]* with LMTPS?\b/,
        )
        await until('an empty Postfix queue', async () => /is empty/.test(await postfix.queue()))
        if (name.startsWith('SMTP'))
          assert.match(postfix.log(), /Verified TLS connection established to mail\.example/)
      })
    })

    test(`Postfix is told of each recipient by ${name}`, async () => {
      const user = await newAccount()
      await postfixSends(send(), async (postfix) => {
        const message = Buffer.from('From: sender@far.test\nSubject: two\n\nx\n')
        await postfix.submit('sender@far.test', [user, `nobody-here@${domain}`], message)
        const good = await postfix.untilLogged(new RegExp(`to=<${user}>.*status=`))
        assert.match(good, /dsn=2\.\d\.\d, status=sent/)
        const bad = await postfix.untilLogged(/to=<nobody-here@.*status=/)
        assert.match(bad, /dsn=5\.1\.1, status=bounced/)
        assert.equal((await inbox(user, 1)).length, 1)
      })
    })
  }

  const sendmailRoutes: Record<string, () => SendmailSmtp | SendmailLmtp> = {
    'SMTP with verified STARTTLS': () => ({
      ...{ protocol: 'smtp', host: hostname, port: ports.mx, caFile: server.caFile },
    }),
    'LMTP over TCP': () => ({ protocol: 'lmtp', to: lmtpPort, recipients: 'whole' }),
    'LMTP over a unix socket': () => ({ protocol: 'lmtp', to: '/run/hikyaku/lmtp', recipients: 'whole' }),
    'its cyrusv2 mailer, which cuts the domain off': () => ({
      ...{ protocol: 'lmtp', to: '/run/hikyaku/lmtp', recipients: 'cyrusv2' },
    }),
  }

  for (const [name, send] of Object.entries(sendmailRoutes)) {
    test(`sendmail hands over by ${name}`, async () => {
      const user = await newAccount()
      await sendmailSends(send(), async (sendmail) => {
        for (const { name: what, bytes } of samples) {
          const ran = await sendmail.submit('sender@far.test', [user], bytes)
          assert.match(
            ran.stdout.toString(),
            /\.\.\. Sent/,
            `"${what}": ${ran.stdout.toString()}${ran.stderr}`,
          )
          if (name.startsWith('SMTP')) assert.match(ran.stdout.toString(), />>> STARTTLS/)
        }
        assert.match(await sendmail.queue(), /is empty/)
      })
      const bodies = await inbox(user, samples.length)
      assertArrived(bodies, name.startsWith('SMTP') ? / with ESMTPS\b/ : / with LMTPS?\b/)
    })
  }

  test('sendmail is told of an unknown user', async () => {
    const send = { protocol: 'lmtp', to: lmtpPort, recipients: 'whole' } as const
    await sendmailSends(send, async (sendmail) => {
      const ran = await sendmail.submit('<>', [`nobody-here@${domain}`], Buffer.from('Subject: x\n\nx\n'))
      assert.match(ran.stdout.toString(), /550 5\.1\.1|User unknown/)
    })
  })
})
