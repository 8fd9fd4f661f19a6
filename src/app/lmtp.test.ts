import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { startHouse } from './house.test-kit.ts'

const folder = mkdtempSync(join(tmpdir(), 'hikyaku-lmtp-'))
const path = join(folder, 'lmtp.sock')
const house = await startHouse({ listen: { lmtp: ['127.0.0.1:0', `unix:${path}`] } })
after(async () => {
  await house.stop()
  rmSync(folder, { recursive: true, force: true })
})

for (const [where, to] of [
  ['TCP', 'lmtp'],
  ['a unix socket', { port: 'lmtp', path }],
] as const)
  test(`LMTP over ${where}: one answer for each recipient that was accepted`, async () => {
    const [me, you] = [await house.account(), await house.account()]
    await house.play(
      to,
      `
      S: 220 mail.example.test LMTP
      C: EHLO client.test
      S: 5<*>
      C: LHLO client.test
      S> 250-PIPELINING
      S> 250-ENHANCEDSTATUSCODES
      S> 250 <*>
      C: MAIL FROM:<a@remote.test>
      S: 250 2.1.0 <*>
      C: RCPT TO:<${me.login}>
      S: 250 2.1.5 <*>
      C: RCPT TO:<nobody@example.test>
      S: 550 5.1.1 <*>
      C: RCPT TO:<${you.login}>
      S: 250 2.1.5 <*>
      C: RCPT TO:<u@dest.test>
      S: 550 5.7.1 <*>
      C: DATA
      S: 354 <*>
      C: Subject: by LMTP
      C:
      C: hello
      C: .
      S: 250 2.0.0 <*>
      S: 250 2.0.0 <*>
      C: MAIL FROM:<>
      S: 250 2.1.0 <*>
      C: RCPT TO:<nobody@example.test>
      S: 550 5.1.1 <*>
      C: DATA
      S: 503 5.5.1 <*>
      C: QUIT
      S: 221 2.0.0 <*>
      --- close
    `,
    )
    for (const account of [me, you])
      await house.imap(
        account,
        `
        C: a1 STATUS INBOX (MESSAGES)
        S: * STATUS INBOX (MESSAGES 1)
        S: a1 OK <*>
      `,
      )
  })

test('the unix socket is for its user and group, and goes with the server', async () => {
  assert.equal(statSync(path).mode & 0o777, 0o660)
})

test('LMTP: a declared size that fits one mailbox only, and content by BDAT', async () => {
  const full = await house.account(undefined, { quota: '1 KiB' })
  const me = await house.account()
  await house.play(
    'lmtp',
    `
    S: 220 <*>
    C: LHLO client.test
    S> 250 <*>
    C: MAIL FROM:<a@remote.test> SIZE=2000
    S: 250 2.1.0 <*>
    C: RCPT TO:<${full.login}>
    S: 452 4.2.2 <*>
    C: RCPT TO:<${me.login}>
    S: 250 2.1.5 <*>
    C: BDAT 14 LAST
    C- Subject: x\\r\\n\\r\\n
    S: 250 2.0.0 <*>
  `,
  )
})
