import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Account, type House, startHouse } from './house.test-kit.ts'

/*
 * What of the inbound policy needs no DNS, through the server's own doors. Its resolver answers nobody, so that every
 * look-up is a temporary failure; the rows of the table that need records run with a real DNS in test/chain.
 */

const house = await startHouse({ smtp: { greeting_delay: '0 s' } })
after(() => house.stop())

const DATE = 'Date: Tue, 24 Nov 2026 06:00:00 +0900\r\n'

async function deliver(
  to: Parameters<House['open']>[0],
  account: Account,
  content: string,
  login?: Account,
): Promise<string> {
  const wire = await house.open(to)
  await wire.line()
  const from = login === undefined ? 'a@strict.test' : login.login
  const lines = [
    'EHLO client.test',
    `MAIL FROM:<${from}>`,
    `RCPT TO:<${account.login}>`,
    'DATA',
    `${content}.`,
  ]
  if (login !== undefined)
    lines.splice(1, 0, `AUTH PLAIN ${Buffer.from(`\0${login.login}\0${login.password}`).toString('base64')}`)
  let answer = ''
  for (const line of lines) {
    wire.send(`${line}\r\n`)
    do answer = await wire.line()
    while (/^\d{3}-/.test(answer))
  }
  wire.socket.destroy()
  return answer
}

const STRANGER = { port: 'mx', proxied: '203.0.113.66' } as const

test('two From fields from a stranger are refused by name and rule', async () => {
  const account = await house.account()
  const content = `From: a@strict.test\r\nFrom: b@strict.test\r\n${DATE}\r\nx\r\n`
  assert.equal(
    await deliver(STRANGER, account, content),
    '554 5.6.0 2 From fields; RFC 5322 section 3.6 allows one',
  )
})

test('where the DNS does not answer a stranger is put off, and nothing is kept', async () => {
  const account = await house.account()
  assert.match(await deliver(STRANGER, account, `From: a@strict.test\r\n${DATE}\r\nx\r\n`), /^451 4\.7\.0 /)
  assert.equal(
    house.logged('message.stored').filter(({ fields }) => fields.account === account.login).length,
    0,
  )
})

test('a program on this machine is not judged', async () => {
  const account = await house.account()
  assert.match(await deliver('mx', account, 'Subject: from cron\r\n\r\nx\r\n'), /^250 2\.0\.0 /)
})

test('what an account submits is signed for its domain by both algorithms', async () => {
  const account = await house.account()
  const content = `From: <${account.login}>\r\nSubject: mine\r\n\r\nx\r\n`
  assert.match(await deliver('submissions', account, content, account), /^250 2\.0\.0 /)
  const wire = await house.open('imaps')
  await wire.line()
  wire.send(
    `l LOGIN ${account.login} ${account.password}\r\ns SELECT INBOX\r\nf UID FETCH 1:* BODY.PEEK[]\r\n`,
  )
  let stored = ''
  for (let line = ''; !line.startsWith('f '); line = await wire.line()) stored += `${line}\n`
  wire.socket.destroy()
  assert.match(
    stored,
    /^Received: by [\s\S]*^DKIM-Signature: [\s\S]*^DKIM-Signature: [\s\S]*^Date: [\s\S]*^From: /m,
  )
  assert.match(stored, /a=rsa-sha256/)
  assert.match(stored, /a=ed25519-sha256/)
  assert.match(stored, /d=example\.test/)
})
