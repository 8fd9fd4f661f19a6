import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startHouse } from './house.test-kit.ts'

/* What a stranger hears on the MX port; the numbers are those of a table of inputs that real servers were given. */

const house = await startHouse({ smtp: { max_message: '1 MiB' } })
after(() => house.stop())
const me = await house.account('pokemon')

const HELLO = `
  S: 220 mail.example.test ESMTP<*>
  C: EHLO freebsd.azure.test
  S> 250 <*>`

test('what EHLO offers on port mx: never AUTH', async () => {
  await house.play(
    'mx',
    `
    S: 220 mail.example.test ESMTP
    C: EHLO client.test
    S: 250-mail.example.test<*>
    S: 250-PIPELINING
    S: 250-SIZE 1048576
    S: 250-8BITMIME
    S: 250-ENHANCEDSTATUSCODES
    S: 250-SMTPUTF8
    S: 250-STARTTLS
    S: 250-CHUNKING
    S: 250-DSN
    S: 250 LIMITS RCPTMAX=1000
    C: STARTTLS
    S: 220 2.0.0 <*>
    --- tls
    C: EHLO client.test
    S: 250-mail.example.test<*>
    S: 250-PIPELINING
    S: 250-SIZE 1048576
    S: 250-8BITMIME
    S: 250-ENHANCEDSTATUSCODES
    S: 250-SMTPUTF8
    S: 250-CHUNKING
    S: 250-DSN
    S: 250 LIMITS RCPTMAX=1000
    C: AUTH PLAIN AGEAYg==
    S: 50<#> 5.5.<*>
    C: QUIT
    S: 221 2.0.0 <*>
    --- close
  `,
  )
})

test('B75-B77: an unknown user is refused at RCPT, a good one beside it is served', async () => {
  await house.play(
    'mx',
    `${HELLO}
    C: MAIL FROM:<>
    S: 250 2.1.0 <*>
    C: RCPT TO:<nobody@example.test>
    S: 550 5.1.1 <*>
    C: DATA
    S: 503 5.5.1 <*>
    C: RCPT TO:<${me.login}>
    S: 250 2.1.5 <*>
    C: DATA
    S: 354 <*>
    C: Subject: B77
    C:
    C: hello
    C: .
    S: 250 2.0.0 <*>
  `,
  )
})

test('B78, B79: details, capitals, postmaster with and without a domain', async () => {
  await house.play(
    'mx',
    `${HELLO}
    C: MAIL FROM:<a@remote.test>
    S: 250 2.1.0 <*>
    C: RCPT TO:<pokemon+shop@example.test>
    S: 250 2.1.5 <*>
    C: RCPT TO:<POKEMON@EXAMPLE.TEST>
    S: 250 2.1.5 <*>
    C: RCPT TO:<Postmaster>
    S: 250 2.1.5 <*>
    C: RCPT TO:<postmaster@example.test>
    S: 250 2.1.5 <*>
    C: RCPT TO:<+shop@example.test>
    S: 550 5.1.1 <*>
  `,
  )
})

test('B80: open relay tricks are 5.7.1, every one', async () => {
  const tricks = [
    'u@dest.test',
    '"u@dest.test"',
    '"u@dest.test"@example.test',
    'u%dest.test@example.test',
    'u%dest.test@[127.0.0.1]',
    '@example.test:u@dest.test',
    '@mail.example.test,@example.test:u@dest.test',
    'dest.test!u@example.test',
    'dest.test!u',
    'u@dest.test@example.test',
    '"dest.test!u"@example.test',
    'u@[127.0.0.1]',
    'u@mail.example.test',
    'u@dest.test.',
    'u@example.test.dest.test',
    'u@sub.example.test',
  ]
  for (const sender of ['spam@remote.test', me.login, '']) {
    const wire = await house.open({ port: 'mx', proxied: '203.0.113.66' })
    await wire.line()
    wire.send('EHLO x\r\n')
    while (!(await wire.line()).startsWith('250 '));
    for (const trick of tricks) {
      wire.send(`MAIL FROM:<${sender}>\r\n`)
      const mail = await wire.line()
      if (mail.startsWith('421')) break
      assert.match(mail, /^250/)
      wire.send(`RCPT TO:<${trick}>\r\n`)
      assert.match(
        await wire.line(),
        /^(550 5\.7\.1|501 5\.1\.[0-9]|553 5\.1\.[0-9]|550 5\.1\.[0-9]) /,
        trick,
      )
      wire.send('RSET\r\n')
      await wire.line()
    }
    wire.socket.destroy()
  }
  assert.match((await house.run('queue.list'))[0] ?? '', /empty/)
})

test('the answer names the relaying for each trick that is one', async () => {
  for (const trick of [
    'u@dest.test',
    'u%dest.test@example.test',
    'dest.test!u@example.test',
    '"u@dest.test"@example.test',
    '@example.test:u@dest.test',
  ])
    await house.play(
      'mx',
      `${HELLO}
      C: MAIL FROM:<>
      S: 250 2.1.0 <*>
      C: RCPT TO:<${trick}>
      S: 550 5.7.1 <*>
    `,
    )
})

test('attack 5d: B81: wrong commands, wrong order, wrong parameters, commands too long', async () => {
  await house.play(
    'mx',
    `
    S: 220 <*>
    C: MAIL FROM:<a@remote.test>
    S: 503 5.5.1 <*>
    C: HELO client.test
    S: 250 <*>
    C: RCPT TO:<${me.login}>
    S: 503 5.5.1 <*>
    C: MAIL FROM:<a@remote.test> NOSUCH=1
    S: 5<*>
    C: MAIL FROM:a b
    S: 501 5.<*>
    C: VRFY pokemon
    S: 252 2.<*>
    C: EXPN staff
    S: 502 5.<*>
    C: TURN
    S: 50<*>
    C: HELP
    S: <*>
    C: NOOP x
    S: 250 2.0.0 <*>
    C: ${'X'.repeat(3000)}
    S: <#> <*>
  `,
  )
  await house.play(
    'mx',
    `${HELLO}
    C: MAIL FROM:<a@remote.test> SIZE=99999999
    S: 552 5.3.4 <*>
  `,
  )
})

test('attack 1a: B82: bare line feeds are refused and never end a message', async () => {
  for (const trick of ['\n.\n', '\n.\r\n', '\r\n.\n', '\r.\r', '\r\n.\r', 'a\nb']) {
    const wire = await house.open('mx')
    await wire.line()
    for (const command of ['EHLO x', 'MAIL FROM:<a@remote.test>', `RCPT TO:<${me.login}>`, 'DATA']) {
      wire.send(`${command}\r\n`)
      while (!/^\d\d\d /.test(await wire.line()));
    }
    wire.send(`Subject: one\r\n\r\nx${trick}MAIL FROM:<smuggled@remote.test>\r\n.\r\n`)
    assert.match(await wire.line(), /^(5\d\d|421) /, JSON.stringify(trick))
    wire.socket.destroy()
  }
  assert.ok(
    house.logged('attack').some(({ fields }) => ['smuggling', 'bare-newline'].includes(String(fields.what))),
  )
  assert.ok(!JSON.stringify(house.logged('message.accepted')).includes('smuggled'))
})

test('attack 30c: B83, S01-S05: early talkers, HTTP, AUTH guesses on port 25, strange HELO names', async (t) => {
  const strict = await startHouse({ smtp: { greeting_delay: '300 ms' } })
  t.after(() => strict.stop())
  const early = await strict.open({ port: 'mx', proxied: '192.0.2.9' })
  early.send('EHLO spammer\r\nMAIL FROM:<x@y.test>\r\n')
  assert.match(await early.line(), /^(554|421|521) 5\.5\.1|^(554|421|521) /)
  early.socket.destroy()
  assert.equal(strict.logged('attack')[0]?.fields.what, 'early-talker')
  const patient = await strict.open({ port: 'mx', proxied: '192.0.2.9' })
  assert.match(await patient.line(), /^220 /)
  patient.socket.destroy()

  const http = await house.open('mx')
  await http.line()
  http.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  assert.match(await http.line(), /^(421|500|554) /)
  await http.ended()
  await house.play(
    'mx',
    `
    S: 220 <*>
    C: EHLO localhost
    S> 250 <*>
    C: AUTH LOGIN
    S: 50<#> 5<*>
    C: EHLO mail.example.test
    S> 250 <*>
    C: EHLO [192.0.2.1]
    S> 250 <*>
    C: EHLO bad_name
    S> 250 <*>
  `,
  )
})

test('B84: long lines are taken; X05, X06: the same Message-ID arrives twice', async () => {
  const to = await house.account()
  const long = `Message-ID: <dup@remote.test>\r\nSubject: ${'s'.repeat(5000)}\r\n\r\n${'b'.repeat(5000)}\r\n`
  await house.deliver(to.login, long)
  await house.deliver(to.login, long)
  await house.deliver(to.login, 'Message-ID: <dup@remote.test>\r\n\r\nother\r\n')
  await house.imap(
    to,
    `
    C: a1 STATUS INBOX (MESSAGES)
    S: * STATUS INBOX (MESSAGES 3)
    S: a1 OK <*>
  `,
  )
})

test('attack 13c: G17: a message that goes in circles is refused with 5.4.6', async () => {
  const looped = `${'Received: from a by b; Mon, 1 Jan 2024 00:00:00 +0000\r\n'.repeat(51)}Subject: x\r\n\r\nx`
  await assert.rejects(house.deliver(me.login, looped), /554 5\.4\.6/)
})

test('the test domain: defer, refuse, full, accept, and timeout without an answer', async () => {
  await house.play(
    'mx',
    `${HELLO}
    C: MAIL FROM:<a@remote.test>
    S: 250 2.1.0 <*>
    C: RCPT TO:<defer+1@try.test>
    S: 451 4.7.1 <*>
    C: RCPT TO:<refuse@try.test>
    S: 550 5.1.1 <*>
    C: RCPT TO:<full@try.test>
    S: 452 4.2.2 <*>
    C: RCPT TO:<nosuch@try.test>
    S: 550 5.1.1 <*>
    C: RCPT TO:<accept@try.test>
    S: 250 2.1.5 <*>
    C: DATA
    S: 354 <*>
    C: Subject: x
    C:
    C: .
    S: 250 2.0.0 <*>
  `,
  )
  const wire = await house.open('mx')
  await wire.line()
  for (const command of ['EHLO x', 'MAIL FROM:<a@remote.test>']) {
    wire.send(`${command}\r\n`)
    while (!/^250 /.test(await wire.line()));
  }
  wire.send('RCPT TO:<timeout@try.test>\r\n')
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.equal(wire.pending, '')
  wire.socket.destroy()
})

test('a quota that is used up is 452 4.2.2 at RCPT; so is a SIZE that would not fit', async () => {
  const full = await house.account(undefined, { quota: '1 KiB' })
  await house.play(
    'mx',
    `${HELLO}
    C: MAIL FROM:<a@remote.test> SIZE=5000
    S: 250 2.1.0 <*>
    C: RCPT TO:<${full.login}>
    S: 452 4.2.2 <*>
  `,
  )
  await house.deliver(full.login, `Subject: x\r\n\r\n${'y'.repeat(600)}`)
  // The last one may overshoot: were it refused for its size, it would be tried for days.
  await house.deliver(full.login, `Subject: x\r\n\r\n${'y'.repeat(600)}`)
  await house.play(
    'mx',
    `${HELLO}
    C: MAIL FROM:<a@remote.test>
    S: 250 2.1.0 <*>
    C: RCPT TO:<${full.login}>
    S: 452 4.2.2 <*>
    C: RCPT TO:<${me.login}>
    S: 250 2.1.5 <*>
  `,
  )
})

test('a message above the limit is 552 5.3.4, announced or not', async () => {
  await assert.rejects(
    house.deliver(me.login, `Subject: x\r\n\r\n${`${'y'.repeat(998)}\r\n`.repeat(1100)}`),
    /552 5\.3\.4/,
  )
})

test('attack 2a: what is behind STARTTLS is dropped, and logged', async () => {
  await house.play(
    'mx',
    String.raw`${HELLO}
    C- STARTTLS\r\nRSET\r\nMAIL FROM:<injected@remote.test>\r\n
    S: 220 2.0.0 <*>
    --- tls
    C: NOOP
    S: 250 2.0.0 <*>
    C: RCPT TO:<${me.login}>
    S: 503 <*>
  `,
  )
  assert.ok(house.logged('attack').some(({ fields }) => fields.what === 'behind-starttls'))
})

test('NUL octets are refused with their reason: no IMAP client could be sent them', async () => {
  await assert.rejects(house.deliver(me.login, 'Subject: x\r\n\r\na\0b\r\n'), /554 5\.6\.0 .*NUL/)
  await assert.rejects(house.deliver(me.login, 'Subject: x\r\n\r\na\r\n\0.\r\nb\r\n'), /554 5\.6\.0 .*NUL/)
})
