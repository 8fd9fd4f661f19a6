import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { Attacker, isWellFormed } from './attacker.test-kit.ts'
import { forTerminal } from './cli/io.ts'
import { startHouse } from './house.test-kit.ts'

/* Hostile messages on a whole server: kept octet for octet, and read by every command without a word out of form. */

const house = await startHouse()
after(() => house.stop())
const me = await house.account('me')

const STRUCTURES = ['ENVELOPE', 'BODY', 'BODYSTRUCTURE', 'FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'UID']
const SECTIONS = [
  'BODY.PEEK[HEADER]',
  'BODY.PEEK[TEXT]',
  'BODY.PEEK[1]',
  'BODY.PEEK[1.MIME]',
  'BODY.PEEK[1.HEADER]',
  'BODY.PEEK[1.1.1]',
  'BODY.PEEK[2]',
  'BODY.PEEK[2.TEXT]',
  'BODY.PEEK[TEXT]<1.7>',
  'BODY.PEEK[HEADER.FIELDS (Subject Bcc To Content-Type)]',
  'BODY.PEEK[HEADER.FIELDS.NOT (Subject)]',
  'RFC822.HEADER',
]
const SEARCHES = [
  'TEXT nowhere',
  'BODY nowhere',
  'SUBJECT nowhere',
  'HEADER Bcc nowhere',
  'FROM nowhere',
  'SENTSINCE 1-Jan-1990 TEXT nowhere',
  'OR TO nowhere CC nowhere',
]

/** Keeps a message by APPEND and reads it in every way. */
async function readInEveryWay(client: Attacker, content: Buffer): Promise<readonly string[]> {
  const shown = JSON.stringify(content.subarray(0, 300).toString('latin1'))
  assert.match((await client.append(content)).status, /^OK /, shown)
  const [exists = ''] = await client.ok('UID SEARCH *')
  const uid = exists.split(' ').at(-1)
  const told: string[] = []
  for (const items of [...STRUCTURES, ...SECTIONS, `(${[...STRUCTURES, ...SECTIONS].join(' ')})`]) {
    const lines = await client.ok(`UID FETCH ${uid} ${items}`)
    const fetched = lines.filter((line) => / FETCH \(/.test(line))
    assert.equal(fetched.length, 1, `${items} of ${shown}`)
    const value = (fetched[0] as string).replace(/^\* \d+ FETCH /, '')
    assert.ok(
      isWellFormed(
        value
          .replace(/BODY\[[^\]]*\](<\d+>)?/g, 'X')
          .replaceAll('\\Recent', 'R')
          .replaceAll('\\Seen', 'S'),
      ),
      `${value.slice(0, 500)} of ${shown}`,
    )
    told.push(value)
  }
  const whole =
    (await client.ok(`UID FETCH ${uid} BODY.PEEK[]`)).find((line) => line.includes('BODY[]')) ?? ''
  if (content.length > 0)
    assert.ok(whole.includes(content.toString('latin1')), `not octet for octet: ${shown}`)
  for (const search of SEARCHES)
    assert.deepEqual(await client.ok(`UID SEARCH ${search}`), ['* SEARCH'], `${search} in ${shown}`)
  const shownLines = await house.run('mail.show', { account: me.login, mailbox: 'INBOX', uid: String(uid) })
  // What a terminal is given: each line is one, and holds no escape.
  const lines = shownLines.map(forTerminal)
  for (const line of lines) assert.ok(!/[\x00-\x1f\x7f-\x9f\u202a-\u202e]/.test(line), shown)
  await client.ok(`UID STORE ${uid} +FLAGS.SILENT (\\Deleted)`)
  await client.ok('EXPUNGE')
  return [told.join('\n'), lines.join('\n')]
}

async function selected(): Promise<Attacker> {
  const client = await Attacker.loggedIn(house, me)
  await client.ok('SELECT INBOX')
  return client
}

const multipart = (boundary: string, body: string): string =>
  `MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=${boundary}\r\n\r\n${body}`

const MALFORMED: Readonly<Record<string, string>> = {
  'nothing at all': '\r\n',
  'no header': '\r\n\r\n\r\nbody',
  'no body, no line end': 'Subject: x',
  'only colons': ':::\r\n::\r\n:\r\n\r\n:',
  'a fold first': ' x\r\n\ty\r\nSubject: z\r\n\r\n',
  'bare CR and LF': 'Subject: a\rb\nTo: c\n\nbody\rmore\n',
  'every octet': `Subject: ${Buffer.from(Array.from({ length: 255 }, (_, i) => i + 1)).toString('latin1')}\r\n\r\n`,
  'a multipart without boundary': 'Content-Type: multipart/mixed\r\n\r\n--\r\n\r\n--\r\n',
  'an empty boundary': multipart('""', '--\r\n\r\nx\r\n----\r\n'),
  'a boundary of spaces': multipart('"   "', '--   \r\n\r\nx\r\n'),
  'a boundary of 8-bit octets': multipart('"\xff\xfe"', '--\xff\xfe\r\n\r\nx\r\n--\xff\xfe--\r\n'),
  'a part that is its own parent': multipart('b', `--b\r\n${multipart('b', '--b\r\n'.repeat(50))}`),
  'boundaries that begin with one another': multipart(
    'b',
    `--b\r\n${multipart('bb', `--bb\r\n${multipart('bbb', '--bbb\r\n\r\nx\r\n--bbb--\r\n')}`)}`,
  ),
  'a type that is none':
    'Content-Type: /\r\nContent-Disposition: ;;;=\r\nContent-Transfer-Encoding: (\r\n\r\nx',
  'a type of types': 'Content-Type: text/plain/html/"x"; a; b=; =c; d="\r\n\r\nx',
  'types of the prototype': 'Content-Type: __proto__/constructor; __proto__=x; toString*=y\r\n\r\nx',
  'message in message in message': 'Content-Type: message/rfc822\r\n\r\n'.repeat(300),
  'message/rfc822 in base64':
    'Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDogeA0KDQo=',
  'message/partial': 'Content-Type: message/partial; id="x"; number=4294967296; total=-1\r\n\r\n',
  'sections of parameters that lie': `Content-Disposition: attachment; filename*0*=utf-8''%ff%; filename*99999999999=x; filename*-1=y; filename*1*=%; filename*00=z; filename*=''\r\n\r\n`,
  'addresses that are none':
    'From: <<<>>>, @, (((, "\r\nTo: g:h:i:j@k;;;, <@a,@b:c@d>, <>\r\nCc: undisclosed:;\r\nSender: :;\r\n\r\n',
  'a group that never ends': `To: ${'g:'.repeat(500)}\r\n\r\n`,
  'words that are none':
    'Subject: =?=?=?utf-8?q?=?= =?x?b?====?= =?utf-8?z?x?= =?iso-2022-jp?b?GyRC?=\r\n\r\n',
  'a Content-Language without end': `Content-Language: ${'en,'.repeat(2000)}\r\nContent-MD5: ${'"'.repeat(500)}\r\nContent-Location: \\\\\r\n\r\n`,
  'encodings that are none': 'Content-Transfer-Encoding: base64\r\n\r\n====\r\n!!!!\r\nQ\r\n=Q=',
  'quoted-printable of equals signs': `Content-Transfer-Encoding: quoted-printable\r\n\r\n${'='.repeat(5000)}\r\n=\r\n=4\r\n=ZZ\r\n`,
  'a delimiter in the header':
    'Content-Type: multipart/mixed; boundary=b\r\n--b\r\nSubject: x\r\n\r\n--b--\r\n',
  'a literal in the subject': 'Subject: {5}\r\n + go ahead\r\nTo: "{3+}" <a@b>\r\n\r\n',
  'many subjects': `${Array.from({ length: 100 }, (_, i) => `Subject: ${i}\r\n`).join('')}\r\n`,
}

test('attack 22j: malformed mail is kept as it came, and read by every command', {
  timeout: 120_000,
}, async () => {
  const client = await selected()
  for (const [what, content] of Object.entries(MALFORMED))
    await readInEveryWay(client, Buffer.from(content, 'latin1')).catch((error: Error) => {
      throw new Error(`${what}: ${error.message}`, { cause: error })
    })
  client.leave()
})

test('attack 22j: whatever is put together of pieces of MIME is read by every command', {
  timeout: 120_000,
}, async () => {
  const client = await selected()
  const piece = fc.constantFrom(
    ...[
      'Content-Type: ',
      'multipart/mixed; boundary=b',
      'message/rfc822',
      'text/html; charset=',
      'utf-7',
      '--b',
      '--b--',
      '\r\n',
      '\r\n\r\n',
      '\n',
      '\r',
    ],
    ...[
      'Subject: ',
      'From: ',
      '=?utf-8?q?',
      '?=',
      '"',
      '\\',
      '(',
      '<a@b>',
      ',',
      ';',
      ':',
      'filename*0*=',
      '\x1b$B',
      '\xff',
      '\x80',
      ' ',
      '{9}',
      'g:',
    ],
    ...['Content-Transfer-Encoding: base64', 'Content-Disposition: attachment; ', 'Date: ', 'x'],
  )
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 40 }), async (pieces) => {
      await readInEveryWay(client, Buffer.from(pieces.join(''), 'latin1'))
    }),
    { numRuns: 25 },
  )
  client.leave()
})

test('attack 22a, 22b, 22c: a million parts, deep nesting and endless parameters through FETCH and SEARCH', {
  timeout: 120_000,
}, async () => {
  const client = await selected()
  const nested = Array.from(
    { length: 2000 },
    (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`,
  ).join('')
  for (const content of [
    multipart('b', `${'--b\n\n'.repeat(1_000_000)}--b--\n`),
    nested,
    'Content-Type: message/rfc822\r\n\r\n'.repeat(20_000),
    `Content-Type: text/plain; ${Array.from({ length: 5000 }, (_, i) => `name*${i}*=%41`).join('; ')}\r\n\r\nx`,
    multipart('b', `--b\r\nContent-Type: text/plain; name="${'x'.repeat(15_000)}"\r\n\r\n`.repeat(300)),
  ]) {
    const [told = ''] = await readInEveryWay(client, Buffer.from(content, 'latin1'))
    assert.ok(
      told.length < 3 * content.length + 16 * 1024 * 1024,
      `${told.length} octets told of ${content.length}`,
    )
  }
  client.leave()
})

test('attack 26d: a hundred times the structure of a hostile message is told once, a hundred sections in pieces', {
  timeout: 120_000,
}, async () => {
  const client = await selected()
  const part = `--b\r\nContent-Type: text/plain; name="${'x'.repeat(15_000)}"\r\n\r\n`
  assert.match((await client.append(Buffer.from(multipart('b', part.repeat(60))))).status, /^OK/)
  const once = (await client.ok('FETCH * (BODYSTRUCTURE BODY ENVELOPE UID)')).join('').length
  assert.ok(once > 1_000_000, `${once}`)
  const items = 'BODYSTRUCTURE BODY ENVELOPE UID '.repeat(25).trimEnd()
  assert.equal((await client.ok(`FETCH * (${items})`)).join('').length, once)
  let most = 0
  const watch = setInterval(() => {
    most = Math.max(most, house.server.memory.used.members)
  }, 1)
  const whole = await client.ok(`FETCH * (${'BODY.PEEK[] '.repeat(80).trimEnd()})`)
  clearInterval(watch)
  assert.ok(whole.join('').length > 80 * 900_000)
  assert.ok(most < 16 * 1024 * 1024, `${most} octets are held`)
  client.leave()
})

test('attack 22e: a stranger sends a million combining marks, and SEARCH holds nobody up', {
  timeout: 120_000,
}, async () => {
  const marks = '\u0300'.repeat(300_000) + '\u0316'.repeat(300_000)
  const lines = (marks.match(/.{1,400}/gsu) ?? []).join('\r\n')
  await house.deliver(me.login, `Content-Type: text/plain; charset=utf-8\r\n\r\na${lines} behind\r\n`)
  const encoded = Buffer.from(`a${marks} behind`).toString('base64').replace(/.{76}/g, '$&\r\n')
  await house.deliver(
    me.login,
    `Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${encoded}\r\n`,
  )
  const client = await selected()
  assert.equal((await client.ok('SEARCH TEXT behind')).join('').split(' ').length - 2, 2)
  const needle = Buffer.from(
    `CHARSET UTF-8 TEXT {60000+}\r\n${'\u0300'.repeat(15_000)}${'\u0316'.repeat(15_000)}`,
  )
  await client.ok(Buffer.concat([Buffer.from('SEARCH '), needle]))
  client.leave()
})

test('attack 23a, 23b, 23c, 23d: tricks with charsets show what is there, and hide no line and no sign', async () => {
  const client = await selected()
  const shownOf = async (charset: string, body: string): Promise<string> => {
    const content = `Subject: x\r\nContent-Type: text/plain; charset=${charset}\r\n\r\n${body}`
    return (await readInEveryWay(client, Buffer.from(content, 'latin1')))[1] ?? ''
  }
  // An escape that is not ended must not swallow the next line; one in the midst of a character hides no ASCII.
  assert.match(await shownOf('iso-2022-jp', '\x1b$B$"$$\r\nplain end\r\n'), /plain end/)
  assert.match(await shownOf('iso-2022-jp', '\x1b$B$\x1b(Bscript\r\nend\r\n'), /script/)
  assert.match(await shownOf('iso-2022-jp', `${'\x1b$B\x1b(B'.repeat(5000)}visible\r\n`), /visible/)
  assert.match(await shownOf('euc-jp', 'a\xa4<b>\r\n\x8f\xa4\r\nend\r\n'), /<b>[\s\S]*end/)
  assert.match(await shownOf('shift_jis', 'a\x81\r\nend\x81'), /end/)
  const overlong = await shownOf(
    'utf-8',
    '\xc0\xaf\xc0\xbcscript\xe0\x80\xbc \xf8\x88\x80\x80\x80 \xed\xa0\x80 \xf4\x90\x80\x80 end\r\n',
  )
  assert.ok(!/[<\uD800-\uDFFF]/.test(overlong.split('\n').slice(3).join('\n')), overlong)
  assert.match(overlong, /\ufffd.*script.*end/)
  assert.match(await shownOf('utf-7', '+ADw-script+AD4- +AAo-x+ - +2AA- end\r\n'), /end/)
  for (const charset of [
    'x-unknown',
    '__proto__',
    '"; x="',
    'utf-16',
    'utf-32',
    'iso-2022-kr',
    'hz-gb-2312',
    'replacement',
  ])
    assert.match(await shownOf(charset, 'visible\r\n'), /visible|\ufffd|[^\x00-\x7f]/, charset)
  client.leave()
})

test('attack 23e: an encoded word makes no field: a Bcc or a line end in it stays text', async () => {
  const client = await selected()
  const hidden =
    'Subject: =?utf-8?q?x=0D=0ABcc:_evil@remote.test=0D=0A=0D=0Abody?=\r\nFrom: =?utf-8?b?YQ0KQmNjOiBldmlsQHJlbW90ZS50ZXN0?= <a@b.test>\r\n\r\nreal\r\n'
  const [told = '', shown = ''] = await readInEveryWay(client, Buffer.from(hidden))
  // ENVELOPE: date, subject, from, sender, reply-to, to, cc, bcc, in-reply-to, message-id.
  assert.match(told.split('\n')[0] ?? '', /NIL NIL NIL NIL NIL\)\)$/)
  assert.deepEqual(
    shown.split('\n').filter((line) => /^bcc/i.test(line)),
    [],
  )
  assert.equal(shown.split('\n').filter((line) => /evil/.test(line)).length, 2)
  await client.append(Buffer.from(hidden))
  assert.deepEqual(await client.ok('SEARCH BCC evil'), ['* SEARCH'])
  assert.match((await client.ok('SEARCH SUBJECT evil')).join(), /SEARCH \d/)
  // An address in an encoded word is no address (rfc2047 §5).
  const [address = ''] = await readInEveryWay(
    client,
    Buffer.from(
      'To: =?utf-8?q?evil=40remote.test?=\r\nFrom: =?utf-8?q?=3Cevil=40remote.test=3E?= <a@b.test>\r\n\r\n',
    ),
  )
  assert.ok(!/"evil" "remote\.test"/.test(address), address)
  client.leave()
})

test('attack 23f: of a file name in two forms a client is told both as they stand', async () => {
  const client = await selected()
  const both = `Content-Type: application/octet-stream; name="=?utf-8?q?safe.txt?="\r\nContent-Disposition: attachment; filename="=?utf-8?q?..=2F..=2Fevil.exe?="; filename*=utf-8''safe%2Etxt; filename*0="evil"; filename*1=".exe"\r\n\r\nx`
  const [told = ''] = await readInEveryWay(client, Buffer.from(both))
  assert.match(told, /"NAME" "=\?utf-8\?q\?safe\.txt\?="/i)
  assert.match(told, /"FILENAME\*" "utf-8''safe%2Etxt"/i)
  assert.match(told, /"FILENAME" "=\?utf-8\?q\?\.\.=2F\.\.=2Fevil\.exe\?="/i)
  client.leave()
})

test('attack 31b, 31c: ids that collide, threads of thousands, dates beyond all time, odd MIME versions', {
  timeout: 120_000,
}, async () => {
  const client = await selected()
  const before = house.events.filter(({ name }) => name === 'server.fault').length
  for (let i = 0; i < 30; i++)
    assert.match(
      (
        await client.append(
          Buffer.from(
            `Message-ID: <same@x.test>\r\nIn-Reply-To: <same@x.test>\r\nReferences: <same@x.test> <same@x.test>\r\nSubject: ${i}\r\n\r\n`,
          ),
        )
      ).status,
      /^OK /,
    )
  assert.equal(
    (await client.ok('SEARCH HEADER Message-ID "<same@x.test>"')).join('').split(' ').length - 2,
    30,
  )
  const references = Array.from({ length: 3000 }, (_, i) => `<${i}@x.test>`).join('\r\n ')
  for (const content of [
    `References: ${references}\r\n\r\n`,
    `Message-ID: ${'<'.repeat(5000)}\r\nReferences: ${'<@>'.repeat(5000)}\r\n\r\n`,
    `Message-ID: <${'x'.repeat(20_000)}@y>\r\nIn-Reply-To: ${'(('.repeat(5000)}\r\n\r\n`,
  ])
    await readInEveryWay(client, Buffer.from(content))
  for (const date of [
    'Mon, 99 Foo 99999 99:99:99 +9999',
    '1 Jan 0000 00:00:00 +0000',
    '31 Dec 9999 23:59:60 -9959',
    '30 Feb 2024 00:00 UT',
    '1 Jan 275761 00:00:00 +0000',
    `1${'0'.repeat(5000)} Jan 2024`,
    'Thu, 01 Jan 1970 00:00:00 +0000 (((((',
    '\xff\xff',
  ])
    await readInEveryWay(client, Buffer.from(`Date: ${date}\r\n\r\n`, 'latin1'))
  for (const version of ['', '2.0', '1', '(1).(0)', `1.0${'('.repeat(5000)}`, '-1'])
    await readInEveryWay(
      client,
      Buffer.from(
        `MIME-Version: ${version}\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n`,
      ),
    )
  for (const when of [
    '"01-Jan-0000 00:00:00 +0000"',
    '"31-Dec-9999 23:59:59 -1200"',
    '" 1-Jan-1970 00:00:00 +9999"',
    '"30-Feb-2024 00:00:00 +0000"',
  ]) {
    const { status } = await client.say(`APPEND INBOX ${when} {2+}\r\nx\n`)
    assert.match(status, /^(OK|BAD|NO) /, when)
    assert.match(
      (await client.ok('FETCH * INTERNALDATE')).join(''),
      /INTERNALDATE "[ 0-3]\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d [+-]\d{4}"/,
      when,
    )
  }
  assert.equal(house.events.filter(({ name }) => name === 'server.fault').length, before)
  client.leave()
})
