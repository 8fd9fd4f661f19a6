import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, test } from 'node:test'
import { type Account, type House, startHouse } from './house.test-kit.ts'
import { PROXY_ADDRESS, type Wire } from './wire.test-kit.ts'

const house = await startHouse({
  policy: { exempt_networks: ['0.0.0.0/0', '::/0'] },
  submission: { trusted_networks: ['198.51.100.0/28'], trusted_from: ['printer@example.test'] },
})
after(() => house.stop())

const plain = ({ login, password }: Account): string =>
  Buffer.from(`\0${login}\0${password}`).toString('base64')
const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** All of INBOX's messages, octet for octet. */
async function inbox(house: House, account: Account, mailbox = 'INBOX'): Promise<readonly string[]> {
  const wire = await house.open('imaps')
  await wire.line()
  wire.send(
    `l LOGIN ${account.login} ${account.password}\r\ns SELECT ${mailbox}\r\nf UID FETCH 1:* BODY.PEEK[]\r\n`,
  )
  const found: string[] = []
  for (;;) {
    const line = await wire.line()
    const literal = /\{(\d+)\}$/.exec(line)
    if (literal !== null) found.push((await wire.octets(Number(literal[1]))).toString('latin1'))
    if (line.startsWith('f ')) break
  }
  wire.socket.destroy()
  return found
}

/** Connected, greeted, under TLS where the port has it, EHLO said. */
async function hello(house: House, to: Parameters<House['open']>[0], verb = 'EHLO'): Promise<Wire> {
  const wire = await house.open(to)
  await wire.line()
  await command(wire, `${verb} client.test`)
  return wire
}

/** @returns the last line of the reply. */
async function command(wire: Wire, line: string | Uint8Array): Promise<string> {
  wire.send(typeof line === 'string' ? `${line}\r\n` : line)
  for (;;) {
    const reply = await wire.line()
    if (/^\d\d\d /.test(reply)) return reply
  }
}

test('D09, D14, D15: port submission wants TLS, then AUTH, and takes no password before', async () => {
  const me = await house.account()
  await house.play(
    'submission',
    `
    S: 220 mail.example.test ESMTP
    C: EHLO phone
    S: 250-mail.example.test<*>
    S: 250-PIPELINING
    S: 250-SIZE <#>
    S: 250-8BITMIME
    S: 250-ENHANCEDSTATUSCODES
    S: 250-SMTPUTF8
    S: 250-STARTTLS
    S: 250-CHUNKING
    S: 250-DSN
    S: 250 LIMITS RCPTMAX=1000
    C: AUTH PLAIN ${plain(me)}
    S: 530 5.7.0 <*>
    C: MAIL FROM:<${me.login}>
    S: 530 5.7.0 <*>
    C: STARTTLS
    S: 220 2.0.0 <*>
    --- tls
    C: EHLO phone
    S> 250-AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN
    S> 250 <*>
    C: MAIL FROM:<${me.login}>
    S: 530 5.7.0 <*>
    C: AUTH PLAIN ${plain(me)}
    S: 235 2.7.0 <*>
    C: AUTH PLAIN ${plain(me)}
    S: 503 5.5.1 <*>
    C: MAIL FROM:<${me.login}>
    S: 250 2.1.0 <*>
  `,
  )
})

test('D07, D08, D10, D19: AUTH on port submissions, and how it fails', async () => {
  const me = await house.account()
  await house.play(
    'submissions',
    `
    S: 220 <*>
    C: EHLO phone
    S> 250-AUTH <*>
    S> 250 <*>
    C: AUTH CRAM-MD5
    S: 504 5.5.4 <*>
    C: AUTH LOGIN
    S: 334 VXNlcm5hbWU6
    C: *
    S: 501 5.7.0 <*>
    C: AUTH PLAIN ${plain({ ...me, password: 'wrong' })}
    S: 535 5.7.8 <*>
    C: AUTH LOGIN ${base64(me.login)}
    S: 334 UGFzc3dvcmQ6
    C: ${base64(me.password)}
    S: 235 2.7.0 <*>
  `,
  )
  await house.play(
    'submissions',
    `
    S: 220 <*>
    C: EHLO phone
    S> 250 <*>
    C: AUTH PLAIN not*base64
    S: 501 5.5.4 <*>
    C: AUTH PLAIN
    S: 334<*>
    C: abc
    S: 501 5.5.2 <*>
    C: AUTH PLAIN ${plain({ login: 'nobody@example.test', password: 'x' })}
    S: 535 5.7.8 <*>
    C: AUTH PLAIN ${base64('no zero octets')}
    S: 501 5.5.2 <*>
    S: 421 4.7.0 <*>
    --- close
  `,
  )
})

test('D16: sender and author belong to the account; aliases and details count', async () => {
  const me = await house.account()
  await house.run('alias.add', { alias: `alias-${me.login}`, targets: [me.login] })
  const wire = await hello(house, 'submissions')
  assert.match(await command(wire, `AUTH PLAIN ${plain(me)}`), /^235/)
  const foreign = await house.account()
  for (const sender of [foreign.login, 'x@remote.test'])
    assert.match(await command(wire, `MAIL FROM:<${sender}>`), /^553 5\.7\.1 /, sender)
  const own = [me.login, `alias-${me.login}`, me.login.replace('@', '+x@'), '']
  for (const sender of own) {
    assert.match(await command(wire, `MAIL FROM:<${sender}>`), /^250/, sender)
    assert.match(await command(wire, 'RSET'), /^250/)
  }
  for (const [from, code] of [
    [me.login, /^250 2\.0\.0/],
    [`Me <alias-${me.login}>`, /^250 2\.0\.0/],
    [`${me.login}, ${foreign.login}`, /^553 5\.7\.1/],
    [`"${me.login}" <x@remote.test>`, /^553 5\.7\.1/],
    ['', /^550 5\.6\.0/],
  ] as const) {
    await command(wire, `MAIL FROM:<${me.login}>`)
    await command(wire, `RCPT TO:<${me.login}>`)
    await command(wire, 'DATA')
    assert.match(await command(wire, `From: ${from}\r\nSubject: x\r\n\r\nx\r\n.`), code, from)
  }
  await command(wire, `MAIL FROM:<${me.login}>`)
  await command(wire, `RCPT TO:<${me.login}>`)
  await command(wire, 'DATA')
  assert.match(await command(wire, `From: ${me.login}\r\nFrom: x@y.test\r\n\r\nx\r\n.`), /^550 5\.6\.0/)
  wire.socket.destroy()
})

test('D01-D06, D18: who has logged in may send anywhere; Date and Message-ID are added, the address is left out', async () => {
  const me = await house.account()
  const wire = await hello(house, { port: 'submissions', proxied: '203.0.113.70' })
  await command(wire, `AUTH PLAIN ${plain(me)}`)
  await command(wire, `MAIL FROM:<${me.login}> RET=HDRS ENVID=abc`)
  assert.match(await command(wire, `RCPT TO:<${me.login}>`), /^250/)
  assert.match(
    await command(
      wire,
      'RCPT TO:<friend@bigmail.test> NOTIFY=FAILURE,DELAY ORCPT=rfc822;friend@bigmail.test',
    ),
    /^250/,
  )
  await command(wire, 'DATA')
  assert.match(await command(wire, `From: ${me.login}\r\nSubject: x\r\n\r\nx\r\n.`), /^250 2\.0\.0/)
  wire.socket.destroy()
  const [stored = ''] = await inbox(house, me)
  assert.match(stored, /^Return-Path: <.*>\r\nReceived: by mail\.example\.test with ESMTPSA/)
  assert.match(stored, /\r\nDate: .*\r\nMessage-ID: <.*@(?:mail\.)?example\.test>\r\nFrom: /)
  assert.ok(!stored.includes('203.0.113.70') && !stored.includes('client.test'))
  const items = await house.server.house.ports.queue.list({ limit: 100 })
  const item = items.find(({ sender }) => sender.reversePath?.local === me.login.split('@')[0])
  assert.equal(item?.sender.envid, 'abc')
  assert.equal(item?.sender.ret, 'HDRS')
  const [recipient] = item?.recipients ?? []
  assert.equal(recipient?.orcpt, 'rfc822;friend@bigmail.test')
  assert.match(JSON.stringify(recipient?.notify), /failure.*delay|delay.*failure/i)
})

test('named LAN addresses submit without AUTH, with the listed senders only', async () => {
  const printer = { port: 'submission', proxied: '198.51.100.5' } as const
  const me = await house.account()
  const wire = await hello(house, printer)
  assert.match(await command(wire, `MAIL FROM:<${me.login}>`), /^553 5\.7\.1/)
  assert.match(await command(wire, 'MAIL FROM:<printer@example.test>'), /^250/)
  assert.match(await command(wire, 'RCPT TO:<friend@bigmail.test>'), /^250/)
  assert.match(await command(wire, `RCPT TO:<${me.login}>`), /^250/)
  await command(wire, 'DATA')
  assert.match(await command(wire, `From: ${me.login}\r\n\r\nx\r\n.`), /^553 5\.7\.1/)
  await command(wire, 'MAIL FROM:<printer@example.test>')
  await command(wire, `RCPT TO:<${me.login}>`)
  await command(wire, 'DATA')
  assert.match(await command(wire, 'From: printer@example.test\r\n\r\nx\r\n.'), /^250/)
  wire.socket.destroy()
  const secured = await hello(house, { ...printer, port: 'submissions' })
  assert.match(await command(secured, 'MAIL FROM:<printer@example.test>'), /^250/)
  secured.socket.destroy()
  const stranger = await hello(house, { port: 'submission', proxied: '198.51.100.99' })
  assert.match(await command(stranger, 'MAIL FROM:<printer@example.test>'), /^530/)
  stranger.socket.destroy()
  // Being trusted to submit is no right to relay on the port for the world.
  const mx = await hello(house, { port: 'mx', proxied: '198.51.100.5' })
  await command(mx, 'MAIL FROM:<printer@example.test>')
  assert.match(await command(mx, 'RCPT TO:<friend@bigmail.test>'), /^550 5\.7\.1/)
  mx.socket.destroy()
})

test('the PROXY protocol: v1, v2 and IPv6 from the proxy, and from nobody else', async () => {
  const me = await house.account()
  const deliver = async (wire: Wire): Promise<void> => {
    await wire.line()
    for (const line of ['EHLO client.test', 'MAIL FROM:<>', `RCPT TO:<${me.login}>`, 'DATA'])
      await command(wire, line)
    assert.match(await command(wire, 'Subject: x\r\n\r\nx\r\n.'), /^250/)
    wire.socket.destroy()
  }
  await deliver(await house.open({ port: 'mx', proxied: '192.0.2.33' }))
  await deliver(await house.open({ port: 'mx', proxied: '2001:db8::33' }))
  await deliver(await house.open({ port: 'mx', proxied: '::ffff:192.0.2.34' }))
  const v2 = await house.open({ port: 'mx', bind: PROXY_ADDRESS })
  v2.send(
    Buffer.concat([
      Buffer.from('0d0a0d0a000d0a515549540a2111000c', 'hex'),
      Buffer.from([192, 0, 2, 35, 127, 0, 0, 1, 0x10, 0, 0, 25]),
    ]),
  )
  await deliver(v2)
  const received = (await inbox(house, me)).map((mail) => /from client\.test \(\[(.*?)\]\)/.exec(mail)?.[1])
  assert.deepEqual(received, ['192.0.2.33', 'IPv6:2001:db8::33', '192.0.2.34', '192.0.2.35'])
  // From the proxy without a header, and from elsewhere with one.
  const bare = connect({
    port: house.server.portOf('mx') as number,
    host: '127.0.0.1',
    localAddress: PROXY_ADDRESS,
  })
  bare.write('EHLO x\r\n')
  const answer = await new Promise<string>((resolve) => {
    let text = ''
    bare.on('data', (chunk) => (text += chunk))
    bare.on('error', () => resolve(text))
    bare.on('close', () => resolve(text))
  })
  assert.equal(answer, '')
  const other = await house.open({ port: 'mx', bind: '127.0.0.7' })
  await other.line()
  assert.match(await command(other, 'PROXY TCP4 192.0.2.1 127.0.0.1 1 25'), /^50/)
  other.socket.destroy()
})

test('aliases, details, catch-all; an account gets one copy; recipients share one body', async () => {
  const [me, you] = [await house.account(), await house.account()]
  await house.run('alias.add', { alias: 'both@example.test', targets: [me.login, you.login] })
  const wire = await hello(house, 'mx')
  await command(wire, 'MAIL FROM:<a@remote.test>')
  for (const to of [me.login, me.login.replace('@', '+shop@'), 'both@example.test', 'BOTH+x@example.test'])
    assert.match(await command(wire, `RCPT TO:<${to}>`), /^250/, to)
  await command(wire, 'DATA')
  assert.match(await command(wire, 'Subject: once\r\n\r\nx\r\n.'), /^250/)
  wire.socket.destroy()
  assert.equal((await inbox(house, me)).length, 1)
  assert.equal((await inbox(house, you)).length, 1)
  await house.run('alias.add', { alias: '@example.test', targets: [you.login] })
  await house.deliver('whoever@example.test', 'Subject: caught\r\n\r\nx\r\n')
  await house.run('alias.remove', { alias: '@example.test' })
  assert.equal((await inbox(house, you)).length, 2)
  const relay = await hello(house, 'mx')
  await command(relay, 'MAIL FROM:<a@remote.test>')
  assert.match(await command(relay, 'RCPT TO:<whoever@example.test>'), /^550 5\.1\.1/)
  relay.socket.destroy()
})

test('CHUNKING, 8BITMIME and SMTPUTF8: what was sent is read back octet for octet', async () => {
  const me = await house.account()
  const utf8 = 'From: 太郎 <太郎@例え.test>\r\nSubject: 生の件名\r\n\r\nこんにちは\r\n.dot\r\n..two\r\n'
  const wire = await hello(house, 'mx')
  await command(wire, 'MAIL FROM:<太郎@例え.test> SMTPUTF8 BODY=8BITMIME')
  assert.match(await command(wire, `RCPT TO:<${me.login}>`), /^250/)
  const octets = Buffer.from(utf8)
  const [first, second] = [octets.subarray(0, 30), octets.subarray(30)]
  assert.match(await command(wire, Buffer.concat([Buffer.from('BDAT 30\r\n'), first])), /^250/)
  assert.match(
    await command(wire, Buffer.concat([Buffer.from(`BDAT ${second.length} LAST\r\n`), second])),
    /^250 2\.0\.0/,
  )
  await command(wire, 'MAIL FROM:<a@remote.test> BODY=8BITMIME')
  await command(wire, `RCPT TO:<${me.login}>`)
  await command(wire, 'DATA')
  assert.match(await command(wire, Buffer.from(`${utf8.replace(/^\./gm, '..')}.\r\n`)), /^250/)
  wire.socket.destroy()
  const [one = '', two = ''] = await inbox(house, me)
  const raw = octets.toString('latin1')
  assert.ok(one.endsWith(raw), 'BDAT')
  assert.ok(two.endsWith(raw), 'DATA')
  assert.match(one, /with UTF8SMTP/)
})

test('a message above 256 KiB comes by SMTP and is read by IMAP octet for octet, by two accounts', async () => {
  const [me, you] = [await house.account(), await house.account()]
  const content = `Subject: big\r\n\r\n${`${'0123456789'.repeat(7)}\r\n`.repeat(10_000)}`
  const wire = await hello(house, 'mx')
  await command(wire, 'MAIL FROM:<a@remote.test>')
  await command(wire, `RCPT TO:<${me.login}>`)
  await command(wire, `RCPT TO:<${you.login}>`)
  await command(wire, 'DATA')
  assert.match(await command(wire, `${content}.`), /^250/)
  wire.socket.destroy()
  const [[mine = ''], [yours = '']] = [await inbox(house, me), await inbox(house, you)]
  assert.ok(mine.endsWith(`\r\n${content}`))
  assert.equal(mine, yours)
})

test('stop() lets DATA finish, then says 421; idle clients hear 421 at once, silent ones too', async (t) => {
  const house = await startHouse()
  t.after(() => house.stop())
  const me = await house.account()
  const [busy, idle, silent] = [await hello(house, 'mx'), await hello(house, 'mx'), await hello(house, 'mx')]
  await command(busy, 'MAIL FROM:<a@remote.test>')
  await command(busy, `RCPT TO:<${me.login}>`)
  assert.match(await command(busy, 'DATA'), /^354/)
  busy.send('Subject: last\r\n\r\nhel')
  await command(silent, 'MAIL FROM:<a@remote.test>')
  silent.send('RCPT TO:<timeout@try.test>\r\n')
  await new Promise((resolve) => setTimeout(resolve, 30))
  const stopped = house.server.stop()
  for (const wire of [idle, silent]) {
    assert.match(await wire.line(), /^421 4\.3\.2 /)
    await wire.ended()
  }
  busy.send('lo\r\n.\r\n')
  assert.match(await busy.line(), /^250 2\.0\.0/)
  assert.match(await busy.line(), /^421 4\.3\.2/)
  await busy.ended()
  await stopped
})

test('a reset connection, a cut one and a half message leave nothing behind', async () => {
  const me = await house.account()
  const wire = await hello(house, 'mx')
  await command(wire, 'MAIL FROM:<a@remote.test>')
  await command(wire, `RCPT TO:<${me.login}>`)
  await command(wire, 'DATA')
  wire.send('Subject: half\r\n\r\nhalf')
  wire.socket.resetAndDestroy()
  const again = await hello(house, 'mx')
  await command(again, 'MAIL FROM:<a@remote.test>')
  await command(again, `RCPT TO:<${me.login}>`)
  assert.match(await command(again, 'RSET'), /^250/)
  assert.match(await command(again, 'DATA'), /^503/)
  again.socket.destroy()
  assert.deepEqual(await inbox(house, me), [])
  assert.deepEqual(house.logged('server.fault'), [])
})

test('a burst: two messages, a refused one and QUIT in one piece are answered in order', async () => {
  const me = await house.account()
  const one = `MAIL FROM:<a@remote.test>\r\nRCPT TO:<${me.login}>\r\nDATA\r\n`
  const wire = await hello(house, 'mx')
  wire.send(
    `${one}Subject: 1\r\n\r\n..dot\r\n.\r\n${one}Subject: 2\r\n\r\n2\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<no@example.test>\r\nDATA\r\nRSET\r\nQUIT\r\n`,
  )
  const codes: string[] = []
  while (codes.at(-1) !== '221') codes.push((await wire.line()).slice(0, 3))
  assert.deepEqual(codes, [
    ...['250', '250', '354', '250'],
    ...['250', '250', '354', '250'],
    ...['250', '550', '503', '250', '221'],
  ])
  await wire.ended()
  wire.socket.destroy()
  const mails = await inbox(house, me)
  assert.equal(mails.length, 2)
  assert.ok(mails[0]?.endsWith('Subject: 1\r\n\r\n.dot\r\n'))
})

test('a certificate that the client can verify on every TLS port, and one protocol at a time', async () => {
  for (const port of ['submissions', 'imaps'] as const) {
    const wire = await house.open(port)
    assert.match(await wire.line(), port === 'imaps' ? /^\* OK / : /^220 /)
    wire.socket.destroy()
  }
})
