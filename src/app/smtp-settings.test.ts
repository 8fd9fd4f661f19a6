import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startHouse } from './house.test-kit.ts'

/* SMTP on a server whose settings differ from the defaults. */

const house = await startHouse({
  listen: { max_connections_per_client: 2 },
  smtp: { bare_newlines: 'accept-lf', max_recipients: 100 },
  domains: { separator: '-', postmaster: 'keeper@example.test', names: ['example.test', '例え.test'] },
  auth: { plain_text_on_loopback: true },
})
after(() => house.stop())
await house.account('first')
const keeper = await house.account('keeper')

test('separator, postmaster and domains are those of the configuration', async () => {
  await house.play(
    'mx',
    `
    S: 220 <*>
    C: EHLO client.test
    S> 250 LIMITS RCPTMAX=100
    C: MAIL FROM:<> SMTPUTF8
    S: 250 <*>
    C: RCPT TO:<first-shop@example.test>
    S: 250 <*>
    C: RCPT TO:<first+shop@example.test>
    S: 550 5.1.1 <*>
    C: RCPT TO:<postmaster@例え.test>
    S: 250 <*>
    C: RCPT TO:<postmaster@xn--r8jz45g.test>
    S: 250 <*>
    C: RCPT TO:<Postmaster>
    S: 250 <*>
    C: DATA
    S: 354 <*>
    C: Subject: to the postmaster
    C:
    C: .
    S: 250 2.0.0 <*>
  `,
  )
  await house.imap(keeper, 'C: a STATUS INBOX (MESSAGES)\nS: * STATUS INBOX (MESSAGES 1)\nS: a OK <*>')
})

test('with accept-lf a bare LF is a line end, and still ends no message', async () => {
  const me = await house.account()
  const wire = await house.open('mx')
  await wire.line()
  for (const command of ['EHLO x', 'MAIL FROM:<a@remote.test>', `RCPT TO:<${me.login}>`, 'DATA']) {
    wire.send(`${command}\r\n`)
    while (!/^\d\d\d /.test(await wire.line()));
  }
  wire.send('Subject: lf\n\none\ntwo\r\n.\r\n')
  assert.match(await wire.line(), /^250 2\.0\.0/)
  wire.socket.destroy()
  await house.imap(
    me,
    `
    C: a SELECT INBOX
    S> a OK <*>
    C: b FETCH 1 BODY.PEEK[TEXT]
    S: * 1 FETCH (BODY[TEXT] {10}
    S: one
    S: two
    S: )
    S: b OK <*>
  `,
  )
})

test('AUTH in clear text on loopback where the setting says so; from elsewhere TLS first', async () => {
  const me = await house.account()
  const plain = Buffer.from(`\0${me.login}\0${me.password}`).toString('base64')
  await house.play(
    'submission',
    `
    S: 220 <*>
    C: EHLO web-mail
    S> 250-AUTH SCRAM-SHA-256 PLAIN LOGIN
    S> 250 <*>
    C: MAIL FROM:<${me.login}>
    S: 530 5.7.0 <*>
    C: AUTH PLAIN ${plain}
    S: 235 2.7.0 <*>
    C: MAIL FROM:<${me.login}>
    S: 250 <*>
  `,
  )
  await house.play(
    { port: 'submission', proxied: '192.0.2.77' },
    `
    S: 220 <*>
    C: EHLO phone
    S> 250 <*>
    C: AUTH PLAIN ${plain}
    S: 530 5.7.0 <*>
  `,
  )
})

test('one client has so many connections and no more; loopback is not counted', async () => {
  const wires = []
  for (let i = 0; i < 2; i++) {
    const wire = await house.open({ port: 'mx', proxied: '2001:db8:1:2::1' })
    assert.match(await wire.line(), /^220/)
    wires.push(wire)
  }
  // The same /64 is the same client.
  const third = await house.open({ port: 'mx', proxied: '2001:db8:1:2::ffff' })
  assert.match(await third.line(), /^421 4\.7\.0/)
  await third.ended()
  const other = await house.open({ port: 'mx', proxied: '2001:db8:1:3::1' })
  assert.match(await other.line(), /^220/)
  const imap = await house.open({ port: 'imap', proxied: '2001:db8:1:2::5' })
  assert.match(await imap.line(), /^\* BYE \[UNAVAILABLE\]/)
  for (let i = 0; i < 4; i++) wires.push(await house.open('mx'))
  for (const wire of wires.slice(2)) assert.match(await wire.line(), /^220/)
  for (const wire of [...wires, third, other, imap]) wire.socket.destroy()
})

test('more recipients than the configuration allows are 452, the others are served', async () => {
  const wire = await house.open('mx')
  await wire.line()
  wire.send('EHLO x\r\n')
  while (!/^250 /.test(await wire.line()));
  wire.send('MAIL FROM:<a@remote.test>\r\n')
  await wire.line()
  wire.send(`RCPT TO:<${keeper.login}>\r\n`.repeat(101))
  for (let i = 0; i < 100; i++) assert.match(await wire.line(), /^250/)
  assert.match(await wire.line(), /^452 4\.5\.3/)
  wire.socket.destroy()
})
