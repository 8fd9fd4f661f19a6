import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeParts, type Part } from './parts.ts'
import { MessageScanner, type MessageSummary } from './scanner.ts'

const NO_PREFIX = new Uint8Array()

function scan(content: string | Uint8Array, prefix: Uint8Array = NO_PREFIX): MessageSummary {
  const scanner = new MessageScanner()
  scanner.push(typeof content === 'string' ? Buffer.from(content) : content)
  return scanner.end(prefix)
}

function lines(...text: string[]): string {
  return text.map((line) => `${line}\r\n`).join('')
}

function shape(part: Part): unknown {
  const within = part.message === undefined ? part.children.map(shape) : [shape(part.message)]
  const name = `${part.type}/${part.subtype} ${part.headerStart}-${part.bodyStart}-${part.bodyEnd} ${part.lines}`
  return within.length === 0 ? name : [name, ...within]
}

function shapeOf(content: string): unknown {
  return shape(decodeParts(scan(content).parts))
}

const SIMPLE = lines(
  'From: Taro <taro@example.com>',
  'To: hanako@example.test',
  'Subject: =?UTF-8?B?5Lya6K2w?=',
  'Date: Tue, 1 Jul 2003 10:52:37 +0200',
  'Message-ID: <1@example.com>',
  '',
  'Hello',
  'world',
)

const NESTED = lines(
  'From: a@example.com',
  'Content-Type: multipart/mixed; boundary=outer',
  '',
  'preamble',
  '--outer',
  'Content-Type: multipart/alternative; boundary="outer-inner"',
  '',
  '--outer-inner',
  '',
  'plain',
  '--outer-inner  ',
  'Content-Type: text/html; charset=utf-8',
  'Content-Transfer-Encoding: QUOTED-PRINTABLE',
  '',
  '<p>html</p>',
  '',
  '--outer-inner--',
  'epilogue within',
  '--outer',
  'Content-Type: message/rfc822',
  'Content-Disposition: attachment; filename="=?utf-8?q?f=C3=BCr?=.eml"',
  '',
  'From: b@example.com',
  'Subject: within',
  'Content-Type: multipart/digest; boundary=d',
  '',
  '--d',
  '',
  'Subject: digested',
  '',
  'text of it',
  '--d--',
  '--outer--',
  'epilogue',
)

// What a careless cut or line end could change.
const AWKWARD: readonly string[] = [
  SIMPLE,
  NESTED,
  NESTED.replaceAll('\r\n', '\n'),
  NESTED.replaceAll('--outer', '--outer\r'),
  '',
  '\r\n',
  '\r',
  '-',
  '--',
  'Subject: no end',
  'Subject: no end\r',
  'no header at all\r\nbut text\r\n',
  'From me Tue Jul  1 10:52:37 2003\r\nSubject: mbox\r\n\r\nbody',
  'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n--b\r\nno header\r\n--b\r\nX: y\r\n--b--',
  'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nunclosed\r\n--',
  'Content-Type: multipart/mixed; boundary=b\r\n\r\nnothing\r\n',
  'Content-Type: multipart/digest; boundary=b\n\n--b\ntext only\n--b\n',
  'Content-Type: multipart/mixed; boundary=-\r\n\r\n---\r\n\r\none\r\n-----\r\n',
  `Content-Type: multipart/mixed; boundary=b\r\n\r\n--${'x'.repeat(400)}\r\n--b${' '.repeat(400)}\r\n\r\none\r\n--b--`,
]

test('cut at every byte, the summary is the same', () => {
  for (const content of AWKWARD) {
    const bytes = Buffer.from(content)
    const whole = scan(bytes)
    for (let cut = 0; cut <= bytes.length; cut++) {
      const scanner = new MessageScanner()
      scanner.push(bytes.subarray(0, cut))
      scanner.push(bytes.subarray(cut))
      assert.deepEqual(scanner.end(NO_PREFIX), whole, `cut at ${cut} of ${JSON.stringify(content)}`)
    }
    const scanner = new MessageScanner()
    for (const octet of bytes) scanner.push(Uint8Array.of(octet))
    assert.deepEqual(scanner.end(NO_PREFIX), whole, `octet by octet: ${JSON.stringify(content)}`)
  }
})

test('a chunk may be overwritten once push has returned', () => {
  const bytes = Buffer.from(NESTED)
  const scanner = new MessageScanner()
  for (let at = 0; at < bytes.length; at += 7) {
    const chunk = Buffer.from(bytes.subarray(at, at + 7))
    scanner.push(chunk)
    chunk.fill(0x21)
  }
  assert.deepEqual(scanner.end(NO_PREFIX), scan(NESTED))
})

test('a simple message is summed up', () => {
  const summary = scan(SIMPLE)
  assert.equal(summary.sizeBytes, SIMPLE.length)
  assert.equal(summary.headerBytes, SIMPLE.indexOf('Hello'))
  assert.equal(summary.lines, 8)
  assert.equal(summary.subject, '会議')
  assert.equal(summary.from, 'Taro <taro@example.com>')
  assert.equal(summary.to, 'hanako@example.test')
  assert.equal(summary.messageId, '<1@example.com>')
  assert.equal(summary.sentAtMs, Date.UTC(2003, 6, 1, 8, 52, 37))
  assert.equal(summary.sentDay, '2003-07-01')
  assert.deepEqual(summary.leniencies, [])
  assert.equal(
    Buffer.from(summary.bodyStructure).toString(),
    '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 14 2 NIL NIL NIL NIL)',
  )
  assert.equal(
    Buffer.from(summary.body).toString(),
    '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 14 2)',
  )
})

test('trace fields before the content move every offset and count as its header', () => {
  const prefix = Buffer.from('Return-Path: <a@b.test>\r\nMessage-ID: <added@example.test>\r\n')
  const content = SIMPLE.replace(/Message-ID.*\r\n/, '')
  const summary = scan(content, prefix)
  assert.equal(summary.sizeBytes, prefix.length + content.length)
  assert.equal(summary.headerBytes, prefix.length + content.indexOf('Hello'))
  assert.equal(summary.lines, 9)
  assert.equal(summary.messageId, '<added@example.test>')
  const root = decodeParts(summary.parts)
  assert.equal(root.headerStart, 0)
  assert.equal(root.bodyStart, summary.headerBytes)
  assert.equal(root.bodyEnd, summary.sizeBytes)
})

test('the header is there as soon as it is complete', () => {
  const scanner = new MessageScanner()
  const end = SIMPLE.indexOf('Hello')
  scanner.push(Buffer.from(SIMPLE.slice(0, end - 1)))
  assert.equal(scanner.header, undefined)
  scanner.push(Buffer.from(SIMPLE.slice(end - 1, end + 2)))
  assert.equal(Buffer.from(scanner.header ?? []).toString(), SIMPLE.slice(0, end))
})

test('parts, nested messages and digests have their places and types', () => {
  const at = (text: string, from = 0): number => NESTED.indexOf(text, from)
  const summary = scan(NESTED)
  const root = decodeParts(summary.parts)
  const [alternative, message] = root.children
  assert.equal(root.children.length, 2)
  assert.deepEqual(
    alternative?.children.map(({ type, subtype, encoding }) => [type, subtype, encoding]),
    [
      ['text', 'plain', '7bit'],
      ['text', 'html', 'quoted-printable'],
    ],
  )
  const body = (part: Part | undefined): string => NESTED.slice(part?.bodyStart, part?.bodyEnd)
  assert.equal(body(alternative?.children[0]), 'plain')
  assert.equal(body(alternative?.children[1]), '<p>html</p>\r\n')
  assert.equal(message?.filename, 'für.eml')
  assert.equal(message?.message?.headerStart, message?.bodyStart)
  assert.equal(message?.bodyEnd, at('\r\n--outer--'))
  const digested = message?.message?.children[0]
  assert.deepEqual([digested?.type, digested?.subtype], ['message', 'rfc822'])
  assert.equal(body(digested?.message), 'text of it')
  assert.deepEqual(summary.leniencies, ['encoded-word-in-parameter'])
})

test('BODYSTRUCTURE of nested parts and a message within', () => {
  const content = lines(
    'Content-Type: multipart/mixed; boundary=x; charset="a\\"b"',
    'Content-Language: ja, en',
    '',
    '--x',
    'Content-Type: message/rfc822',
    'Content-Description: =?utf-8?q?d?=',
    '',
    'From: Taro <t@example.com>',
    'Subject: within',
    '',
    'hi',
    '--x',
    'Content-Type: image/png; name=a.png',
    'Content-ID: <i@d>',
    'Content-Transfer-Encoding: base64',
    'Content-MD5: Q2hlY2s=',
    'Content-Disposition: INLINE; filename=a.png',
    'Content-Language: ja',
    'Content-Location: a.png',
    '',
    'AAAA',
    '--x--',
  )
  assert.equal(
    Buffer.from(scan(content).bodyStructure).toString(),
    '(("message" "rfc822" NIL NIL "=?utf-8?q?d?=" "7bit" 49 ' +
      '(NIL "within" (("Taro" NIL "t" "example.com")) (("Taro" NIL "t" "example.com")) (("Taro" NIL "t" "example.com")) NIL NIL NIL NIL NIL) ' +
      '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 2 0 NIL NIL NIL NIL) 3 NIL NIL NIL NIL)' +
      '("image" "png" ("name" "a.png") "<i@d>" NIL "base64" 4 "Q2hlY2s=" ("inline" ("filename" "a.png")) "ja" "a.png") ' +
      '"mixed" ("boundary" "x" "charset" "a\\"b") NIL ("ja" "en") NIL)',
  )
})

test('the line end before a delimiter belongs to it, of either form', () => {
  const of = (eol: string): unknown =>
    shapeOf(
      `Content-Type: multipart/mixed; boundary=b${eol}${eol}--b${eol}${eol}one${eol}two${eol}--b--${eol}`,
    )
  assert.deepEqual(of('\r\n'), ['multipart/mixed 0-45-69 5', 'text/plain 50-52-60 1'])
  assert.deepEqual(of('\n'), ['multipart/mixed 0-43-62 5', 'text/plain 47-48-55 1'])
})

test('a delimiter right behind a header leaves an empty body', () => {
  const content =
    'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nX: y\r\n\r\n--b\r\nX: z\r\n--b--\r\n'
  assert.deepEqual(shapeOf(content), [
    'multipart/mixed 0-45-76 6',
    'text/plain 50-58-58 0',
    'text/plain 63-69-69 0',
  ])
})

test('an outer delimiter ends unclosed inner parts', () => {
  const summary = scan(
    'Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--a\n\ntwo\n--a--\n',
  )
  const root = decodeParts(summary.parts)
  assert.equal(root.children.length, 2)
  assert.equal(root.children[0]?.children.length, 1)
  assert.ok(summary.leniencies.includes('multipart-unclosed'))
})

test('attack 22f: a boundary that begins with another is itself, and the innermost of equal ones counts', () => {
  const two = (outer: string, inner: string): string =>
    lines(
      `Content-Type: multipart/mixed; boundary=${outer}`,
      '',
      `--${outer}`,
      `Content-Type: multipart/mixed; boundary=${inner}`,
      '',
      `--${inner}`,
      '',
      'deep',
      `--${inner}--`,
      `--${outer}`,
      '',
      'last',
      `--${outer}--`,
    )
  for (const [outer, inner] of [
    ['a', 'ab'],
    ['ab', 'a'],
    ['a', 'a--b'],
    ['same', 'same'],
  ] as const) {
    const root = decodeParts(scan(two(outer, inner)).parts)
    assert.equal(root.children.length, 2, `${outer} ${inner}`)
    assert.equal(root.children[0]?.children.length, 1, `${outer} ${inner}`)
  }
})

test('a missing header gives text, and each such leniency has its tag', () => {
  assert.deepEqual(shapeOf('Hello\r\nworld\r\n'), 'text/plain 0-0-14 2')
  const tagged: readonly (readonly [string, string])[] = [
    ['Hello\r\n', 'header-missing'],
    ['Content-Type: multipart/mixed; boundary=b\r\n\r\ntext\r\n', 'multipart-without-parts'],
    ['Content-Type: multipart/mixed\r\n\r\ntext\r\n', 'boundary-missing'],
    ['Content-Type: nonsense\r\n\r\ntext\r\n', 'content-type-invalid'],
    ['Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n', 'message-encoded'],
    ['Content-Transfer-Encoding: 8-bit\r\n\r\n', 'encoding-misspelt'],
    ['Date: yesterday\r\n\r\n', 'date-invalid'],
    ['From: a@b\r\nFrom: c@d\r\n\r\n', 'duplicate-from'],
    ['From: a..b@docomo.ne.jp\r\n\r\n', 'address-lenient-local'],
  ]
  for (const [content, tag] of tagged) assert.ok(scan(content).leniencies.includes(tag), tag)
})

test('a multipart without a delimiter is read as text and can be fetched as its part', () => {
  const content = 'Content-Type: multipart/mixed; boundary=b\r\n\r\ntext\r\n'
  assert.deepEqual(shapeOf(content), ['multipart/mixed 0-45-51 1', 'text/plain 45-45-51 1'])
})

test('an encoded message within stays opaque but is a message to clients', () => {
  const root = decodeParts(
    scan('Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nQUFB\r\n').parts,
  )
  assert.equal(root.message?.encoding, 'base64')
  assert.deepEqual([root.message?.bodyStart, root.message?.bodyEnd], [root.bodyStart, root.bodyEnd])
})

interface Tree {
  readonly body?: string
  readonly parts?: readonly Tree[]
}

test('round trip: what a tree of parts is written as gives the tree back', () => {
  const leaf = fc
    .string({ unit: fc.constantFrom('a', '-', '\r\n', ' ', 'b', '--', 'é'), maxLength: 30 })
    .map((body): Tree => ({ body }))
  const tree = fc.letrec<{ node: Tree }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf,
      fc.array(tie('node'), { minLength: 1, maxLength: 4 }).map((parts): Tree => ({ parts })),
    ),
  })).node
  const write = (node: Tree, path: string): string => {
    if (node.parts === undefined) return `X: leaf\r\n\r\n${node.body}`
    const boundary = `=_${path}`
    const parts = node.parts.map((part, index) => `--${boundary}\r\n${write(part, `${path}${index}.`)}\r\n`)
    return `Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n${parts.join('')}--${boundary}--`
  }
  const read = (part: Part, bytes: Buffer): Tree =>
    part.children.length > 0
      ? { parts: part.children.map((child) => read(child, bytes)) }
      : { body: bytes.toString('utf8', part.bodyStart, part.bodyEnd) }
  fc.assert(
    fc.property(tree, fc.integer({ min: 1, max: 50 }), (node, size) => {
      const bytes = Buffer.from(write(node, ''))
      const scanner = new MessageScanner()
      for (let at = 0; at < bytes.length; at += size) scanner.push(bytes.subarray(at, at + size))
      assert.deepEqual(read(decodeParts(scanner.end(NO_PREFIX).parts), bytes), node)
    }),
    { numRuns: 200 },
  )
})
