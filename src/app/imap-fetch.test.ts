import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type House, startHouse } from './house.test-kit.ts'
import type { Wire } from './wire.test-kit.ts'

const house = await startHouse()
after(() => house.stop())

const INNER = [
  'From: Inner <inner@example.org>',
  'Subject: =?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=',
  'Content-Type: multipart/alternative; boundary=in',
  '',
  '--in',
  'Content-Type: text/plain',
  '',
  'inner plain',
  '--in',
  'Content-Type: text/html',
  'X-Extra: 1',
  '',
  '<p>inner html</p>',
  '--in--',
  '',
].join('\r\n')
const MESSAGE = [
  'Date: Mon, 07 Feb 1994 21:52:25 -0800 (PST)',
  'From: Fred Foobar <foobar@Blurdybloop.COM>',
  'Subject: afternoon meeting',
  'To: mooch@owatagu.siam.edu',
  'Message-Id: <B27397-0100000@Blurdybloop.COM>',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary=out',
  '',
  'preamble',
  '--out',
  'Content-Type: text/plain; charset=us-ascii',
  '',
  'Hello Joe',
  '--out',
  'Content-Type: message/rfc822',
  'Content-Disposition: attachment; filename=x.eml',
  '',
  `${INNER}--out--`,
  '',
].join('\r\n')

/** Stores messages by APPEND. */
async function append(wire: Wire, content: string, options = ''): Promise<void> {
  wire.send(`ap APPEND INBOX ${options}{${Buffer.byteLength(content)}+}\r\n${content}\r\n`)
  const line = await wire.line()
  assert.match(line, /^ap OK/)
}

/** A logged-in connection, and what one FETCH item gives. */
async function mailbox() {
  const me = await house.account()
  const wire = await house.open('imaps')
  await wire.line()
  wire.send(`l LOGIN ${me.login} ${me.password}\r\n`)
  await wire.line()
  const select = async (how = 'SELECT'): Promise<void> => {
    wire.send(`s ${how} INBOX\r\n`)
    while (!(await wire.line()).startsWith('s OK'));
  }
  /** The literal that a single section gives, and the name it is told under. */
  const section = async (item: string, seq = 1): Promise<{ name: string; text: string }> => {
    wire.send(`f FETCH ${seq} ${item}\r\n`)
    let line = await wire.line()
    const literal = /^\* \d+ FETCH \((\S+(?: \([^)]*\)\]\S*)?) \{(\d+)\}$/.exec(line)
    if (literal === null) {
      const value = /^\* \d+ FETCH \((\S+) (.*)\)$/.exec(line)
      while (!/^f OK/.test(line)) line = await wire.line()
      return { name: value?.[1] ?? '', text: value?.[2] ?? '' }
    }
    const text = (await wire.octets(Number(literal[2]))).toString('latin1')
    while (!/^f OK/.test(await wire.line()));
    return { name: literal[1] as string, text }
  }
  return { me, wire, select, section }
}

test('every section of rfc3501 §6.4.5, whole and partial', async () => {
  const { wire, select, section } = await mailbox()
  await append(wire, MESSAGE)
  await select()
  const header = MESSAGE.slice(0, MESSAGE.indexOf('\r\n\r\n') + 4)
  const innerHeader = INNER.slice(0, INNER.indexOf('\r\n\r\n') + 4)
  // The line end before a boundary belongs to the boundary (rfc2046 §5.1.1).
  const inner = INNER.slice(0, -2)
  const sections: Readonly<Record<string, string>> = {
    'BODY.PEEK[]': MESSAGE,
    'BODY.PEEK[HEADER]': header,
    'BODY.PEEK[TEXT]': MESSAGE.slice(header.length),
    'BODY.PEEK[1]': 'Hello Joe',
    'BODY.PEEK[1.MIME]': 'Content-Type: text/plain; charset=us-ascii\r\n\r\n',
    'BODY.PEEK[2]': inner,
    'BODY.PEEK[2.MIME]':
      'Content-Type: message/rfc822\r\nContent-Disposition: attachment; filename=x.eml\r\n\r\n',
    'BODY.PEEK[2.HEADER]': innerHeader,
    'BODY.PEEK[2.TEXT]': inner.slice(innerHeader.length),
    'BODY.PEEK[2.1]': 'inner plain',
    'BODY.PEEK[2.2]': '<p>inner html</p>',
    'BODY.PEEK[2.2.MIME]': 'Content-Type: text/html\r\nX-Extra: 1\r\n\r\n',
    'BODY.PEEK[2.HEADER.FIELDS (SUBJECT)]': 'Subject: =?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=\r\n\r\n',
    'BODY.PEEK[HEADER.FIELDS (to DATE Nosuch)]':
      'Date: Mon, 07 Feb 1994 21:52:25 -0800 (PST)\r\nTo: mooch@owatagu.siam.edu\r\n\r\n',
    'BODY.PEEK[HEADER.FIELDS.NOT (Date From Subject To Message-Id MIME-Version)]':
      'Content-Type: multipart/mixed; boundary=out\r\n\r\n',
    'RFC822.HEADER': header,
    'BODY.PEEK[]<0.10>': MESSAGE.slice(0, 10),
    'BODY.PEEK[]<5.7>': MESSAGE.slice(5, 12),
    'BODY.PEEK[2.TEXT]<3.5>': inner.slice(innerHeader.length + 3, innerHeader.length + 8),
    [`BODY.PEEK[]<${MESSAGE.length - 3}.1000>`]: MESSAGE.slice(-3),
  }
  for (const [item, expected] of Object.entries(sections)) {
    const got = await section(item)
    assert.equal(got.text, expected, item)
    const name = item.replace('.PEEK', '').replace(/<(\d+)\.\d+>/, '<$1>')
    assert.equal(got.name.toUpperCase(), name.toUpperCase(), item)
  }
  for (const [item, value] of [
    ['BODY.PEEK[3]', 'NIL'],
    ['BODY.PEEK[1.1]', 'NIL'],
    ['BODY.PEEK[1.HEADER]', 'NIL'],
    ['BODY.PEEK[]<100000.5>', '""'],
  ] as const)
    assert.ok([value, ''].includes((await section(item)).text), `${item}: ${(await section(item)).text}`)
  assert.deepEqual(await section('FLAGS'), { name: 'FLAGS', text: '(\\Recent)' }, 'PEEK marks nothing')
  wire.socket.destroy()
})

test('a section without PEEK marks \\Seen and tells it once', async () => {
  const me = await house.account()
  await house.imap(
    me,
    String.raw`
    C- a1 APPEND INBOX {6+}\r\na\r\nb\r\n\r\n
    S: a1 OK <*>
    C- a2 APPEND INBOX {6+}\r\na\r\nb\r\n\r\n
    S: a2 OK <*>
    C- a3 APPEND INBOX {10+}\r\nX: y\r\n\r\nab\r\n
    S: a3 OK <*>
    C: b1 SELECT INBOX
    S> b1 OK <*>
    C: b2 FETCH 1 (FLAGS BODY[TEXT])
    S: * 1 FETCH (FLAGS (\Seen \Recent) BODY[TEXT] {6}
    S: a
    S: b
    S: )
    S: b2 OK <*>
    C: b3 FETCH 3 RFC822.TEXT
    S: * 3 FETCH (RFC822.TEXT {2}
    S: ab)
    S: * 3 FETCH (FLAGS (\Seen \Recent))
    S: b3 OK <*>
    C: b4 FETCH 1:* FLAGS
    S: * 1 FETCH (FLAGS (\Seen \Recent))
    S: * 2 FETCH (FLAGS (\Recent))
    S: * 3 FETCH (FLAGS (\Seen \Recent))
    S: b4 OK <*>
    C: b5 FETCH 3 (RFC822 UID)
    S: * 3 FETCH (RFC822 {10}
    S: X: y
    S: 
    S: ab UID 3)
    S: b5 OK <*>
    C: b6 UID FETCH 2 BODY[HEADER]
    S: * 2 FETCH (<*>
    S> <*>UID 2<*>
    S> b6 OK <*>
  `,
  )
})

test('ENVELOPE, BODYSTRUCTURE, BODY, INTERNALDATE, RFC822.SIZE and the macros', async () => {
  const { wire, select } = await mailbox()
  await append(wire, MESSAGE, '(\\Seen) " 7-Feb-1994 22:43:04 -0800" ')
  await select()
  const ask = async (item: string): Promise<string> => {
    wire.send(`f FETCH 1 ${item}\r\n`)
    const line = await wire.line()
    assert.match(await wire.line(), /^f OK/)
    return line
  }
  const envelope =
    'ENVELOPE ("Mon, 07 Feb 1994 21:52:25 -0800 (PST)" "afternoon meeting" (("Fred Foobar" NIL "foobar" "Blurdybloop.COM")) (("Fred Foobar" NIL "foobar" "Blurdybloop.COM")) (("Fred Foobar" NIL "foobar" "Blurdybloop.COM")) ((NIL NIL "mooch" "owatagu.siam.edu")) NIL NIL NIL "<B27397-0100000@Blurdybloop.COM>")'
  assert.equal(await ask('ENVELOPE'), `* 1 FETCH (${envelope})`)
  const date = 'INTERNALDATE " 7-Feb-1994 22:43:04 -0800"'
  assert.equal(await ask('INTERNALDATE'), `* 1 FETCH (${date})`)
  const size = `RFC822.SIZE ${MESSAGE.length}`
  assert.equal(await ask('FAST'), `* 1 FETCH (FLAGS (\\Seen \\Recent) ${date} ${size})`)
  assert.equal(await ask('ALL'), `* 1 FETCH (FLAGS (\\Seen \\Recent) ${date} ${size} ${envelope})`)
  const body = (await ask('BODY')).slice('* 1 FETCH ('.length, -1)
  assert.equal(await ask('FULL'), `* 1 FETCH (FLAGS (\\Seen \\Recent) ${date} ${size} ${envelope} ${body})`)
  assert.match(
    body,
    /^BODY \(\("text" "plain" \("charset" "us-ascii"\) NIL NIL "7bit" 9 0\)\("message" "rfc822" NIL NIL NIL "7bit" \d+ \(.*\) \(\("text" "plain" .*\)\("text" "html" .*\) "alternative"\) \d+\) "mixed"\)$/i,
  )
  assert.match(
    await ask('BODYSTRUCTURE'),
    /BODYSTRUCTURE \(.*"attachment" \("filename" "x.eml"\).*"mixed" \("boundary" "out"\) NIL NIL NIL\)\)$/i,
  )
  assert.equal(await ask('(UID FLAGS)'), '* 1 FETCH (UID 1 FLAGS (\\Seen \\Recent))')
  wire.socket.destroy()
})

test('sets: ranges backwards, *, several, none there, beyond the mailbox', async () => {
  await house.imap(
    await house.account(),
    String.raw`
    C: a0 SELECT INBOX
    S> a0 OK <*>
    C: a1 FETCH 1 FLAGS
    S: a1 BAD <*>
    C: a2 UID FETCH 1:* FLAGS
    S: a2 OK <*>
    C: a3 UID FETCH 7 FLAGS
    S: a3 OK <*>
    C- a4 APPEND INBOX {3+}\r\nx\r\n\r\n
    S> a4 OK <*>
    C- a5 APPEND INBOX {3+}\r\nx\r\n\r\n
    S> a5 OK <*>
    C- a6 APPEND INBOX {3+}\r\nx\r\n\r\n
    S> a6 OK <*>
    C: b1 FETCH 3:2 UID
    S: * 2 FETCH (UID 2)
    S: * 3 FETCH (UID 3)
    S: b1 OK <*>
    C: b2 FETCH * UID
    S: * 3 FETCH (UID 3)
    S: b2 OK <*>
    C: b3 FETCH 1,3,1 UID
    S: * 1 FETCH (UID 1)
    S: * 3 FETCH (UID 3)
    S: b3 OK <*>
    C: b4 UID FETCH 10:* UID
    S: * 3 FETCH (UID 3)
    S: b4 OK <*>
    C: b5 FETCH 4 UID
    S: b5 BAD <*>
    C: b6 FETCH 0 UID
    S: b6 BAD <*>
    C: b7 FETCH 1 (NOSUCH)
    S: b7 BAD <*>
    C: b8 FETCH 1 (UID BODY[)
    S: b8 BAD <*>
    C: b9 FETCH 1 ()
    S: b9 BAD <*>
  `,
  )
})

test('a large body is streamed whole, and in part, octet for octet', async () => {
  const { wire, select, section } = await mailbox()
  const line = `${'0123456789abcdef'.repeat(4)}\r\n`
  const content = `Subject: big\r\n\r\n${line.repeat(16_000)}`
  await append(wire, content)
  await select()
  assert.equal((await section('BODY.PEEK[]')).text, content)
  assert.equal(
    (await section('BODY.PEEK[TEXT]<500000.100000>')).text,
    content.slice(16 + 500_000, 16 + 600_000),
  )
  assert.equal((await section('RFC822.SIZE')).text, String(content.length))
  // With other items around it, and the flag that the fetch sets.
  wire.send('g FETCH 1 (UID BODY[] RFC822.SIZE FLAGS)\r\n')
  const first = await wire.line()
  const around = /^\* 1 FETCH \((.*)BODY\[\] \{(\d+)\}$/.exec(first)
  assert.ok(around, first)
  assert.equal((await wire.octets(Number(around[2]))).toString('latin1'), content)
  const rest = await wire.line()
  for (const item of ['UID 1', `RFC822.SIZE ${content.length}`, 'FLAGS (\\Seen \\Recent)'])
    assert.ok(`${around[1]}${rest}`.includes(item), `${item} in ${around[1]}${rest}`)
  assert.match(await wire.line(), /^g OK/)
  wire.socket.destroy()
})

test('attack 10d: a client that does not read holds up itself alone, and costs no memory', async () => {
  const { me, wire, select } = await mailbox()
  const content = `Subject: big\r\n\r\n${`${'x'.repeat(78)}\r\n`.repeat(50_000)}`
  await append(wire, content)
  await select()
  wire.send(`${Array.from({ length: 11 }, (_, i) => `c${i} COPY 1 INBOX`).join('\r\n')}\r\n`)
  while (!(await wire.line()).startsWith('c10 OK'));
  const slow = await house.open('imaps')
  await slow.line()
  slow.send(`l LOGIN ${me.login} ${me.password}\r\ns SELECT INBOX\r\n`)
  while (!(await slow.line()).startsWith('s OK'));
  slow.socket.pause()
  globalThis.gc?.()
  const before = process.memoryUsage().rss
  slow.send('f FETCH 1:* BODY.PEEK[]\r\n')
  // Meanwhile others are served.
  for (let i = 0; i < 20; i++) {
    wire.send(`n${i} NOOP\r\n`)
    while (!(await wire.line()).startsWith(`n${i} OK`));
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const grown = process.memoryUsage().rss - before
  assert.ok(grown < 32 * 1024 * 1024, `grew by ${grown} of ${12 * content.length} octets`)
  slow.socket.resume()
  for (let i = 1; i <= 12; i++) {
    assert.equal(await slow.line(), `* ${i} FETCH (BODY[] {${content.length}}`)
    assert.equal((await slow.octets(content.length)).length, content.length)
    assert.equal(await slow.line(), ')')
  }
  assert.match(await slow.line(), /^f OK/)
  slow.socket.destroy()
  wire.socket.destroy()
})

test('a client that goes in the middle of a large answer leaves nothing behind', async () => {
  const { me, wire, select } = await mailbox()
  await append(wire, `Subject: big\r\n\r\n${`${'x'.repeat(78)}\r\n`.repeat(50_000)}`)
  await select()
  wire.send('f FETCH 1 BODY.PEEK[]\r\n')
  await wire.octets(10_000)
  wire.socket.destroy()
  const gone = (): boolean => house.logged('imap.disconnect').some(({ fields }) => fields.login === me.login)
  for (let i = 0; i < 500 && !gone(); i++) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.ok(gone())
  assert.deepEqual(house.logged('server.fault'), [])
})

/** More than the buffers of two sockets hold. */
const HUGE = `Subject: huge\r\n\r\n${`${'x'.repeat(78)}\r\n`.repeat(200_000)}`

/** A client in the middle of a large answer that it does not read yet, and another one of the same account. */
async function midway(house: House) {
  const me = await house.account()
  const [slow, other] = [await house.open('imaps'), await house.open('imaps')]
  for (const wire of [slow, other]) {
    await wire.line()
    wire.send(`l LOGIN ${me.login} ${me.password}\r\n`)
    await wire.line()
  }
  other.send(`c CREATE Doomed\r\np APPEND Doomed {${HUGE.length}+}\r\n${HUGE}\r\n`)
  assert.match(await other.line(), /^c OK/)
  assert.match(await other.line(), /^p OK/)
  slow.send('s SELECT Doomed\r\n')
  while (!(await slow.line()).startsWith('s OK'));
  slow.socket.pause()
  slow.send('f FETCH 1 BODY.PEEK[]\r\n')
  await new Promise((resolve) => setTimeout(resolve, 50))
  return { slow, other }
}

async function readsAll(slow: Wire, bye: RegExp): Promise<void> {
  slow.socket.resume()
  assert.equal(await slow.line(), `* 1 FETCH (BODY[] {${HUGE.length}}`)
  assert.equal((await slow.octets(HUGE.length)).toString('latin1'), HUGE)
  assert.equal(await slow.line(), ')')
  assert.match(await slow.line(), /^f OK/)
  assert.match(await slow.line(), bye)
  await slow.ended()
}

test('a mailbox that is deleted while its mail is sent: all of the answer comes, then BYE', async () => {
  const { slow, other } = await midway(house)
  other.send('d DELETE Doomed\r\n')
  assert.match(await other.line(), /^d OK/)
  await readsAll(slow, /^\* BYE /)
  other.socket.destroy()
})

test('a server that stops finishes the answer that it is sending, then says BYE', async (t) => {
  const house = await startHouse()
  t.after(() => house.stop())
  const { slow, other } = await midway(house)
  const stopped = house.server.stop()
  assert.match(await other.line(), /^\* BYE The server is stopping/)
  await readsAll(slow, /^\* BYE The server is stopping/)
  await stopped
  other.socket.destroy()
})
