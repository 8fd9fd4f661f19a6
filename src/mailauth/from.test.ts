import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { headerFields } from '../mime/header.ts'
import { type Author, readAuthor, readHeaderAuthor } from './from.ts'

const folder = process.env.HIKYAKU_TESTDATA

function authorOf(header: string): Author {
  return readHeaderAuthor(Buffer.from(header, 'latin1'))
}

function shortly(author: Author): string {
  return author.kind === 'one' ? author.domain : author.kind
}

const BEHIND = '\r\nTo: b@home.example\r\n\r\n'

/** What genuine mail writes. */
const PLAIN: readonly (readonly [string, string])[] = [
  ['From: ann@sender.example', 'sender.example'],
  ['from:ann@sender.example', 'sender.example'],
  ['From : ann@sender.example', 'sender.example'],
  ['From: Ann <ann@Sender.Example>', 'sender.example'],
  ['From: "Ann, of Sales" <ann@sender.example>', 'sender.example'],
  ['From: "Ann \\"the\\" A." <ann@sender.example>', 'sender.example'],
  ['From: Ann B. Clark <ann@sender.example>', 'sender.example'],
  ['From: ann@sender.example (Ann)', 'sender.example'],
  ['From: (Ann) ann@sender.example', 'sender.example'],
  ['From: Ann (of Sales) <ann@sender.example>', 'sender.example'],
  ['From: Ann\r\n <ann@sender.example>', 'sender.example'],
  ['From:\r\n\t"Ann"\r\n\t<ann@sender.example>', 'sender.example'],
  ['From: < ann@sender.example >', 'sender.example'],
  ['From: ann@sender.example <ann@sender.example>', 'sender.example'],
  ['From: "ann@other.example" <ann@sender.example>', 'sender.example'],
  ['From: =?utf-8?B?w4Ru?= <ann@sender.example>', 'sender.example'],
  ['From: =?utf-8?Q?Ann,_of_Sales?= <ann@sender.example>', 'sender.example'],
  ['From: =?utf-8?Q?Ann_(Sales)?= <ann@sender.example>', 'sender.example'],
  ['From: =?utf-8?Q?ann=40other.example?= <ann@sender.example>', 'sender.example'],
  ['From: =?ISO-2022-JP?B?GyRCOzNFRBsoQg==?= <ann@sender.example>', 'sender.example'],
  [`From: ${Buffer.from('山田 <ann@sender.example>').toString('latin1')}`, 'sender.example'],
  [`From: Jos${'\xe9'} <ann@sender.example>`, 'sender.example'],
  [`From: ${Buffer.from('用户@例え.example').toString('latin1')}`, 'xn--r8jz45g.example'],
  ['From: Ann Clark ann@sender.example', 'sender.example'],
  ['From: a..b.@sender.example', 'sender.example'],
  ['From: <"ann b"@sender.example>', 'sender.example'],
  ['From: Ann <ann@sender.example>, Bob <bob@sender.example>', 'sender.example'],
  ['From: ann@sender.example,, bob@sender.example,', 'sender.example'],
  ['From: Team: ann@sender.example, bob@sender.example;', 'sender.example'],
  ['From: ann@[192.0.2.1]', '[192.0.2.1]'],
  ['From: ann@[IPv6:2001:db8::1]', '[ipv6:2001:db8::1]'],
  ['From: root@localhost', 'localhost'],
  ['From: ann@sender.example.', 'sender.example'],
  ['DKIM-Signature: h=to:\r\n\tfrom:date; d=x\r\nFrom: ann@sender.example', 'sender.example'],
  ['From ann@sender.example Sat Oct 31 10:00:00 2026\r\nFrom: ann@sender.example', 'sender.example'],
  ['Sender: eve@evil.example\r\nResent-From: eve@evil.example\r\nFrom: ann@sender.example', 'sender.example'],
]

/** What makes some readers see another author: after espoofer (https://github.com/chenjj/espoofer). */
const TRICKS: readonly (readonly [string, string])[] = [
  ['Subject: x', 'none'],
  ['From:', 'none'],
  ['From: <>', 'none'],
  ['From: undisclosed:;', 'none'],
  ['From: ann@sender.example\r\nFrom: eve@evil.example', 'several-fields'],
  ['From: ann@sender.example\r\nfrom : ann@sender.example', 'several-fields'],
  ['From: ann@sender.example, eve@evil.example', 'several-domains'],
  ['From: Team: ann@sender.example;, eve@evil.example', 'several-domains'],
  ['From: ann@sender.example, eve@mail.sender.example', 'several-domains'],
  [' From: ann@sender.example\r\nFrom: eve@evil.example', 'unreadable'],
  ['\tFrom: ann@sender.example\r\nFrom: eve@evil.example', 'unreadable'],
  ['From\0: ann@sender.example\r\nFrom: eve@evil.example', 'unreadable'],
  ['From\xa0: ann@sender.example\r\nFrom: eve@evil.example', 'unreadable'],
  ['\xefFrom: ann@sender.example\r\nFrom: eve@evil.example', 'unreadable'],
  ['X: y\rFrom: ann@sender.example\r\nFrom: eve@evil.example', 'unreadable'],
  ['X: y\0From: ann@sender.example\r\nFrom: eve@evil.example', 'unreadable'],
  ['X: y\x0bFrom: ann@sender.example\r\nFrom: eve@evil.example', 'unreadable'],
  ['From\r\n : ann@sender.example\r\nFrom: eve@evil.example', 'unreadable'],
  ['From: ann@sender.example\0@evil.example', 'unreadable'],
  ['From: ann@sender.example\r@evil.example', 'unreadable'],
  ['From: ann@sender.example\x1b[2K <eve@evil.example>', 'unreadable'],
  ['From: <ann@sender.example\0>, <eve@evil.example>', 'unreadable'],
  ['From: ann@sender.example eve@evil.example', 'unreadable'],
  ['From: <ann@sender.example> <eve@evil.example>', 'unreadable'],
  ['From: <ann@sender.example>eve@evil.example', 'unreadable'],
  ['From: <<ann@sender.example>eve@evil.example>', 'unreadable'],
  ['From: ann@sender.example <eve@evil.example>', 'unreadable'],
  ['From: <@evil.example:ann@sender.example>', 'unreadable'],
  ['From: <@evil.example,@a.example:ann@sender.example>', 'unreadable'],
  ['From: <ann@sender.example:eve@evil.example>', 'unreadable'],
  ['From: <ann(@evil.example)@sender.example>', 'unreadable'],
  ['From: ann(<eve@evil.example>)@sender.example', 'unreadable'],
  ['From: eve@evil.example(ann@sender.example)', 'unreadable'],
  ['From: ann @sender.example', 'unreadable'],
  ['From: ann@ sender.example', 'unreadable'],
  ['From: ann@sender.example @evil.example', 'unreadable'],
  ['From: ann@sender.example@evil.example', 'unreadable'],
  ['From: "ann@sender.example"@evil.example', 'unreadable'],
  ['From: <"ann@sender.example>"@evil.example>', 'unreadable'],
  ['From: "ann\\@sender.example,"@evil.example', 'unreadable'],
  ['From: \\"ann@sender.example, eve@evil.example', 'unreadable'],
  ['From: "ann <ann@sender.example>', 'unreadable'],
  ['From: (ann <ann@sender.example>', 'unreadable'],
  ['From: Ann <ann@sender.example', 'unreadable'],
  ['From: Ann ann@sender.example>', 'unreadable'],
  ['From: =?utf-8?B?YW5uQHNlbmRlci5leGFtcGxl?=@evil.example', 'unreadable'],
  ['From: =?utf-8?Q?ann@sender.example=00?=@evil.example', 'unreadable'],
  ['From: ann@=?utf-8?Q?sender.example?=', 'unreadable'],
  ['From: =?utf-8?Q?<ann@sender.example>?= <eve@evil.example>', 'unreadable'],
  ['From: ann@sender.example;eve@evil.example', 'unreadable'],
  ['From: Team: ann@sender.example', 'unreadable'],
  ['From: Team: Inner: ann@sender.example;;', 'unreadable'],
  ['From: Ann', 'unreadable'],
  ['From: <ann>', 'unreadable'],
  ['From: @sender.example', 'unreadable'],
  ['From: ann@', 'unreadable'],
  ['From: ann@.', 'unreadable'],
  ['From: ann@sender..example', 'unreadable'],
  ['From: ann@[192.0.2.1', 'unreadable'],
  ['From: ann@sender_\xff.example', 'unreadable'],
  [`From: ${'a'.repeat(9_000)}@sender.example`, 'unreadable'],
  [`From: ${'a@sender.example,'.repeat(200)}`, 'unreadable'],
]

test('genuine From fields have one author, whatever their form', () => {
  for (const [header, domain] of PLAIN) {
    const author = authorOf(header + BEHIND)
    assert.equal(shortly(author), domain, `${header}: ${JSON.stringify(author)}`)
  }
})

test('a From field that may be read in two ways gives no author', () => {
  for (const [header, kind] of TRICKS) {
    const author = authorOf(header + BEHIND)
    assert.equal(shortly(author), kind, `${header}: ${JSON.stringify(author)}`)
    if (author.kind !== 'one') assert.ok(author.why.length > 0)
  }
})

test('what stands in the body is no From field', () => {
  assert.equal(shortly(authorOf('From: ann@sender.example\r\n\r\n')), 'sender.example')
  assert.equal(readAuthor(headerFields(Buffer.from('From: a@b.example\n\nFrom: c@d.example\n'))).kind, 'one')
})

test('of several fields the domains are told', () => {
  const author = authorOf(`From: a@one.example\r\nFrom: b@two.example${BEHIND}`)
  assert.ok(author.kind === 'several-fields')
  assert.deepEqual([author.count, author.domains], [2, ['one.example', 'two.example']])
})

test('hostile headers cost no more than their length', () => {
  for (const piece of [
    '\r',
    '\0',
    ' ',
    '\xff',
    'from',
    'From:',
    '\nfrom ',
    '(',
    '"',
    '=?a?q?',
    '<',
    ',',
    '@',
  ]) {
    const header = piece.repeat(Math.floor(200_000 / piece.length))
    assert.notEqual(authorOf(header).kind, 'one')
    assert.notEqual(authorOf(`From: ${header.slice(0, 8_000)}`).kind, 'one')
  }
})

const skip = folder === undefined ? 'HIKYAKU_TESTDATA is not set: no mails' : false

test('real mails: nearly all have one author', { skip }, (t) => {
  const counts: Record<string, number> = {}
  const odd: string[] = []
  for (const path of mails(join(folder ?? '', 'mail'))) {
    const author = readHeaderAuthor(headerOf(readFileSync(path)))
    counts[author.kind] = (counts[author.kind] ?? 0) + 1
    if (author.kind === 'unreadable') odd.push(`${path.slice((folder ?? '').length)}: ${author.why}`)
  }
  t.diagnostic(JSON.stringify(counts))
  for (const one of odd) t.diagnostic(one)
  assert.ok((counts.one ?? 0) > 200)
  assert.ok(odd.length <= 30)
})

function mails(under: string): string[] {
  return readdirSync(under, { recursive: true })
    .map((name) => join(under, String(name)))
    .filter((path) => /\.(eml|msg|txt)$/.test(path) && statSync(path).isFile())
}

function headerOf(octets: Buffer): Buffer {
  const text = octets.toString('latin1')
  const end = /\r?\n\r?\n/.exec(text)
  return end === null ? octets : octets.subarray(0, end.index + end[0].length)
}
