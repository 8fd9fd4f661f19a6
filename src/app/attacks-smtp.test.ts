import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Attacker } from './attacker.test-kit.ts'
import { startHouse } from './house.test-kit.ts'
import type { Wire } from './wire.test-kit.ts'

/* Hostile strangers on the MX port of a whole server. */

// What these try has nothing to do with who wrote the mail.
const house = await startHouse({ policy: { exempt_networks: ['0.0.0.0/0', '::/0'] } })
after(() => house.stop())
const me = await house.account('me')

async function greeted(proxied = '203.0.113.7'): Promise<Wire> {
  const wire = await house.open({ port: 'mx', proxied })
  await wire.line()
  await say(wire, 'EHLO x.test')
  return wire
}

/** The last line of the reply. */
async function say(wire: Wire, text: string | Buffer): Promise<string> {
  wire.send(Buffer.concat([Buffer.from(text), Buffer.from('\r\n')]))
  for (;;) {
    const line = await wire.line()
    if (line[3] !== '-') return line
  }
}

async function send(wire: Wire, content: string | Buffer): Promise<string> {
  assert.match(await say(wire, 'MAIL FROM:<a@remote.test>'), /^250 /)
  assert.match(await say(wire, `RCPT TO:<${me.login}>`), /^250 /)
  assert.match(await say(wire, 'DATA'), /^354 /)
  wire.send(content)
  return say(wire, '\r\n.')
}

/** Each text on a connection of its own, so that no count of errors hides what it gets. */
async function each(texts: readonly (string | Buffer)[], expected: RegExp): Promise<void> {
  for (const text of texts) {
    const wire = await greeted()
    assert.match(await say(wire, text), expected, String(text).slice(0, 80))
    if (!wire.closed) assert.match(await say(wire, 'NOOP'), /^250 /, String(text).slice(0, 80))
    wire.socket.destroy()
  }
}

async function honestServerIsServed(): Promise<void> {
  await house.deliver(me.login, 'Subject: fine\r\n\r\nText\r\n')
}

test('attack 30a: parameters by the thousand, numbers beyond all sizes, values within values', async () => {
  const mail = 'MAIL FROM:<a@remote.test>'
  await each(
    [
      `${mail} SIZE=1 SIZE=1`,
      `${mail} ${'SIZE=1 '.repeat(200)}`,
      `${mail} SIZE=1e999`,
      `${mail} SIZE=-1`,
      `${mail} SIZE=0x10`,
      `${mail} SIZE=${'9'.repeat(400)}`,
      `${mail} SIZE`,
      `${mail} SIZE=`,
      `${mail} SIZE=١`,
      `${mail} =1`,
      `${mail} AUTH=+`,
      `${mail} AUTH=+2`,
      `${mail} AUTH=+2b+2`,
      `${mail} AUTH=${'+41'.repeat(600)}`,
      `${mail} BODY=8BITMIME BODY=7BIT`,
      `${mail} BODY=`,
      `${mail} ENVID=${'x'.repeat(101)}`,
      `${mail} ENVID==`,
      `${mail} RET=FULL,HDRS`,
    ],
    /^501 5\.5\.4 /,
  )
  await each(
    [
      `${mail} ${Array.from({ length: 100 }, (_, i) => `X${i}=1`).join(' ')}`,
      `${mail} __proto__=1`,
      `${mail} CONSTRUCTOR`,
    ],
    /^(555|501) 5\.5\.4 /,
  )
  await each([`${mail} SIZE=99999999999999999999`], /^552 5\.3\.4 /)
  // Once undone a nested value is text like any other.
  await each([`${mail} AUTH=+2B0D+2B0A`, `${mail} ENVID=+2B00`], /^250 /)
  const flood = await greeted()
  flood.send(`${mail} ${'SIZE=1 '.repeat(10_000)}\r\n`)
  await flood.ended()
  assert.match(flood.pending, /^421 4\.7\.0 .*too long\r\n$/)
  const rcpt = await greeted()
  assert.match(await say(rcpt, mail), /^250 /)
  for (const bad of [
    'NOTIFY=NEVER,SUCCESS',
    'NOTIFY=',
    'NOTIFY=,',
    'ORCPT=rfc822',
    'ORCPT=;x',
    `ORCPT=rfc822;${'x'.repeat(600)}`,
    'ORCPT=utf-8;\\x{110000}',
    'ORCPT=utf-8;\\x{D800}',
    `NOTIFY=${'SUCCESS,'.repeat(100)}NEVER`,
  ])
    assert.match(await say(rcpt, `RCPT TO:<${me.login}> ${bad}`), /^501 5\.5\.4 /, bad)
  assert.match(await say(rcpt, `RCPT TO:<${me.login}> NOTIFY=${'SUCCESS,'.repeat(100)}SUCCESS`), /^250 /)
  rcpt.socket.destroy()
  await honestServerIsServed()
})

test('attack 30b: address literals of every odd form, lookalikes and 8-bit octets are no way in', async () => {
  const wireFor = async (recipient: string | Buffer): Promise<string> => {
    const wire = await greeted()
    await say(wire, 'MAIL FROM:<a@remote.test> SMTPUTF8')
    const reply = await say(
      wire,
      Buffer.concat([Buffer.from('RCPT TO:<'), Buffer.from(recipient), Buffer.from('>')]),
    )
    wire.socket.destroy()
    return reply
  }
  for (const domain of [
    '[IPv6:::1]',
    '[IPv6:::ffff:127.0.0.1]',
    '[IPv6:0:0:0:0:0:0:0:1]',
    '[IPv6:1:2:3:4:5:6:7:8:9]',
    '[IPv6:::::]',
    '[IPv6:1::2::3]',
    '[IPv6:fe80::1%eth0]',
    '[IPv6:]',
    '[::1]',
    '[127.0.0.1]',
    '[127.1]',
    '[0x7f.1]',
    '[2130706433]',
    '[0177.0.0.1]',
    '[999.1.1.1]',
    '[tag:whatever]',
    '[',
    '[]',
    '[127.0.0.1',
    '127.0.0.1',
    'example.test..',
    'example.test.remote.test',
    'еxample.test',
    'ｅxample.test\u0000',
    'localhost',
    '-example.test',
  ])
    assert.match(await wireFor(`me@${domain}`), /^(501|550|553|500) 5\.[0-9.]+ /, domain)
  // The ways of writing our own domain that IDNA makes one (UTS 46) lead to it, and nowhere else.
  for (const domain of ['ｅｘａｍｐｌｅ.test', 'EXAMPLE。test', 'example.test\u200b', 'example.test.'])
    assert.match(await wireFor(`me@${domain}`), /^250 /, domain)
  for (const local of [
    'mе',
    'me\u200b',
    '\u202eem',
    'm\u00e9',
    '"me\\"',
    '"me"x',
    'me@',
    'me ',
    '"m"."e"',
    'x'.repeat(65),
    '%6de',
    'me%00',
    '../me',
    '|id',
    '/dev/null',
    ':include:/etc/passwd',
  ])
    assert.match(await wireFor(`${local}@example.test`), /^(501|550|553|500) 5\.[0-9.]+ /, local)
  for (const octets of ['6dff', '6dc0af', 'eda080', '6d80'])
    assert.match(
      await wireFor(Buffer.concat([Buffer.from(octets, 'hex'), Buffer.from('@example.test')])),
      /^5\d\d 5/,
      octets,
    )
  await honestServerIsServed()
})

test('attack 7g: SQL in recipients and senders is only text', async () => {
  const wire = await greeted()
  const sender = `"'; DROP TABLE queue; --"@remote.test`
  assert.match(await say(wire, `MAIL FROM:<${sender}>`), /^250 /)
  for (const local of ["me'--", "'OR'1'='1", '"me\' OR 1=1 --"', 'm_', 'm%'])
    assert.match(await say(wire, `RCPT TO:<${local}@example.test>`), /^550 5\.(1\.1|7\.1) /, local)
  assert.match(await say(wire, `RCPT TO:<${me.login}>`), /^250 /)
  assert.match(await say(wire, 'DATA'), /^354 /)
  assert.match(await say(wire, 'Subject: x\r\n\r\nx\r\n.'), /^250 /)
  wire.socket.destroy()
  const attacker = await Attacker.loggedIn(house, me)
  await attacker.ok('SELECT INBOX')
  assert.match(
    (await attacker.ok('FETCH * BODY.PEEK[HEADER]')).join(''),
    /Return-Path: <"'; DROP TABLE queue; --"@remote\.test>/,
  )
  attacker.leave()
})

test('attack 9a, 31a: a From_ line, folds by the megabyte, very many fields, fields without a name', async () => {
  const kept = [
    'From me@x Thu Jan  1 00:00:00 1970\r\nSubject: x\r\n\r\nx',
    ': no name\r\n: x\r\nSubject: x\r\n\r\nx',
    'no colon\r\nSubject: x\r\n\r\nx',
    ' fold first\r\n\r\nx',
    '\r\n',
    '',
  ]
  for (const content of kept) {
    const wire = await greeted()
    assert.match(await send(wire, content), /^250 /, content)
    wire.socket.destroy()
  }
  for (const [content, expected] of [
    [`From ${'x'.repeat(999)}\r\n${'From a\r\n'.repeat(50_000)}\r\nx`, /^552 5\.3\.4 /],
    [`Subject: x\r\n${` ${'y'.repeat(70)}\r\n`.repeat(15_000)}\r\nx`, /^552 5\.3\.4 /],
    [
      `${'Received: from x by y; Thu, 1 Jan 1970 00:00:00 +0000\r\n'.repeat(100_000)}\r\nx`,
      /^(552 5\.3\.4|554 5\.4\.6) /,
    ],
    [`${'Received: x\r\n'.repeat(10_000)}\r\nx`, /^5\d\d 5\.4\.6 /],
    [`${'a@b:\r\n'.repeat(100_000)}\r\nx`, /^552 5\.3\.4 /],
    [`To: ${'a@b, '.repeat(100_000)}\r\n\r\nx`, /^552 5\.3\.4 /],
  ] as const) {
    const wire = await greeted()
    assert.match(await send(wire, content), expected, content.slice(0, 60))
    // The connection is as it was.
    assert.match(await send(wire, 'Subject: after\r\n\r\nx'), /^250 /)
    wire.socket.destroy()
  }
})

test('attack 5b: a flood of commands, of recipients and of empty messages ends', async () => {
  for (const [line, most] of [
    ['NOOP', 1300],
    ['RSET', 1300],
    ['VRFY x', 1300],
    ['RCPT TO:<x@y.test>', 25],
    ['MAIL FROM:<', 25],
    ['\u0000', 25],
    ['XYZZY', 25],
    ['AUTH PLAIN AAAA', 25],
    ['BDAT 0', 25],
  ] as const) {
    const wire = await greeted()
    wire.send(`${line}\r\n`.repeat(3000))
    await wire.ended()
    const replies = wire.pending.trimEnd().split('\r\n')
    assert.ok(replies.length <= most, `${line}: ${replies.length} replies`)
    assert.match(replies.at(-1) ?? '', /^421 4\.7\.0 /, line)
    wire.socket.destroy()
  }
  await honestServerIsServed()
})
