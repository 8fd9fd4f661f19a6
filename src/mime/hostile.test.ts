import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddresses } from './address.ts'
import { decodeText } from './charset.ts'
import { parseDate } from './date.ts'
import { headerFields } from './header.ts'
import { HeaderSubset } from './header-subset.ts'
import { htmlToText } from './html.ts'
import { messageIds } from './ids.ts'
import {
  MAX_DEPTH,
  MAX_HEADER_BYTES,
  MAX_LENIENCIES,
  MAX_PARAMETERS,
  MAX_PARTS,
  MAX_REFERENCES,
} from './limits.ts'
import { decodeParameters, parseParameters } from './params.ts'
import { decodeParts, type Part } from './parts.ts'
import { MessageScanner, type MessageSummary } from './scanner.ts'
import { decodeWords } from './words.ts'

// Input that takes some milliseconds in linear time and hours in quadratic time. The deadline is only there
// to end a run that has gone wrong.
const options = { timeout: 120_000 }
const MANY = 400_000

function scan(content: string | Uint8Array): MessageSummary {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content
  const scanner = new MessageScanner()
  for (let at = 0; at < bytes.length; at += 65_536) scanner.push(bytes.subarray(at, at + 65_536))
  return scanner.end(new Uint8Array())
}

function countParts(part: Part): number {
  return (
    1 +
    part.children.reduce((sum, child) => sum + countParts(child), 0) +
    (part.message ? countParts(part.message) : 0)
  )
}

function depth(part: Part): number {
  return 1 + Math.max(0, ...[...part.children, ...(part.message ? [part.message] : [])].map(depth))
}

const MULTIPART = 'Content-Type: multipart/mixed; boundary=b\r\n\r\n'

test('attack 22a: a million parts [mailparser #202]', options, () => {
  const content = `${MULTIPART}${'--b\n\n'.repeat(1_000_000)}--b--\n`
  const summary = scan(content)
  const root = decodeParts(summary.parts)
  assert.ok(summary.leniencies.includes('too-many-parts'))
  assert.ok(countParts(root) <= MAX_PARTS)
  // What is not cut into parts is text of the last one: nothing is lost.
  assert.equal(root.children.at(-1)?.bodyEnd, content.length)
  assert.ok(summary.bodyStructure.length < MAX_PARTS * 200)
})

test('attack 22b: deep nesting of multiparts and messages [Stalwart CVE-2026-26312]', options, () => {
  const multiparts = Array.from(
    { length: 20_000 },
    (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`,
  ).join('')
  const messages = 'Content-Type: message/rfc822\r\n\r\n'.repeat(100_000)
  const digests = `Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n`.repeat(20_000)
  for (const content of [multiparts, messages, digests]) {
    const summary = scan(content)
    const root = decodeParts(summary.parts)
    assert.ok(summary.leniencies.includes('structure-too-deep'))
    assert.ok(depth(root) <= MAX_DEPTH + 2, String(depth(root)))
    assert.equal(root.bodyEnd, content.length)
  }
})

test('attack 22f: boundaries of boundaries: many alike, none that fits', options, () => {
  const long = 'a'.repeat(200)
  const nested = Array.from(
    { length: 40 },
    (_, i) => `Content-Type: multipart/mixed; boundary="${long}${i}x"\r\n\r\n--${long}${i}x\r\n`,
  ).join('')
  const summary = scan(nested + `--${long}9y\r\n`.repeat(10_000) + '--\r\n'.repeat(MANY))
  assert.ok(countParts(decodeParts(summary.parts)) <= 42)
})

test('attack 9a: a header without end', options, () => {
  const fields = scan('X: y\r\n'.repeat(1_000_000))
  assert.ok(fields.leniencies.includes('header-too-large'))
  const line = scan(`X: ${'y'.repeat(4_000_000)}`)
  assert.equal(line.headerBytes, 4_000_003)
  const folds = scan(`To: ${'a@b,\r\n '.repeat(MANY)}`)
  assert.ok(folds.envelope.length < MAX_HEADER_BYTES * 10)
  const scanner = new MessageScanner()
  for (let i = 0; i < MANY; i++) scanner.push(Buffer.from('X: y\r\n'))
  scanner.push(Buffer.from('\r\n'))
  assert.ok((scanner.header?.length ?? 0) <= MAX_HEADER_BYTES)
})

test('attack 9a: large headers of many parts share one budget', options, () => {
  const header = `Content-Type: text/plain; name="${'x'.repeat(15_000)}"\r\n`
  const summary = scan(`${MULTIPART}${`--b\r\n${header}\r\n`.repeat(1_000)}`)
  assert.ok(summary.leniencies.includes('headers-too-large'))
  assert.ok(summary.bodyStructure.length + summary.parts.length < 4_000_000)
})

test('the list of leniencies stays short', () => {
  assert.ok(scan(`${MULTIPART}--b\r\nContent-Type: x\r\n\r\n`).leniencies.length <= MAX_LENIENCIES)
})

test('attack 22c: parameters without end, in sections and without [Dovecot CVE-2026-27859]', options, () => {
  const fields = [
    `a/b; ${Array.from({ length: MANY }, (_, i) => `f*${i}*=%41`).join(';')}`,
    `a/b; ${'x=1;'.repeat(MANY)}`,
    `a/b; f="${'\\"'.repeat(MANY)}`,
    `a/b; f=${' '.repeat(MANY)}`,
    `a/b; f=${'x '.repeat(MANY)}`,
    `a/b${' ('.repeat(MANY)}`,
    `a/b${'; '.repeat(MANY)}`,
    'a'.repeat(MANY),
  ]
  for (const field of fields) {
    const { raw } = parseParameters(field)
    assert.ok(raw.length <= MAX_PARAMETERS)
    assert.ok(decodeParameters(raw).params.length <= MAX_PARAMETERS)
  }
})

test(
  'attack 22d: address groups within groups, brackets, quotes and comments without end [nodemailer CVE-2025-14874]',
  options,
  () => {
    for (const piece of [
      'g:',
      '<',
      '"',
      '(',
      '\\"',
      'a@',
      '@',
      ',',
      ';',
      '<a@b>',
      'a b ',
      '[',
      '=?',
      ' ',
      'a.',
      '((',
    ]) {
      for (const tail of ['', ' <a@b>']) {
        const { mailboxes } = parseAddresses(piece.repeat(MANY) + tail)
        assert.ok(mailboxes.length <= 2_001, piece)
      }
    }
  },
)

test('attack 22e: encoded words that never end [CVE-2021-23400]', options, () => {
  for (const piece of [
    '=?',
    '=?a?q?',
    '=?utf-8?b?',
    '=?a?q?x?= ',
    '?=',
    '=?a?q?=?=',
    '\u001b',
    '\u001b$B',
    '= ?',
  ]) {
    const { text } = decodeWords(piece.repeat(MANY))
    assert.ok(text.length <= piece.length * MANY)
  }
})

test('attack 22e: charsets, dates and ids of any size', options, () => {
  for (const piece of ['\u001b$B', '\u001b$A0!\u001b$B0!', '\u000e', '+', '+AAA-', '\u0081', '\u008f']) {
    for (const label of ['iso-2022-jp', 'utf-7', 'shift_jis', 'euc-jp', undefined])
      assert.ok(
        decodeText(Buffer.from(piece.repeat(MANY), 'latin1'), label).text.length <= MANY * piece.length,
      )
  }
  for (const piece of ['(', '1 ', ' ', '1:', 'Jul ']) assert.equal(parseDate(piece.repeat(MANY)), undefined)
  assert.equal(messageIds('<a@b>'.repeat(MANY)).length, MAX_REFERENCES)
  for (const piece of ['<', '<a', '>', '\r\n ']) assert.equal(messageIds(piece.repeat(MANY)).length, 0)
})

test('attack 22g: HTML that never closes [James CVE-2024-45626]', options, () => {
  for (const piece of [
    '<',
    '<a',
    '<!--',
    '<script',
    '<script>',
    '<style>x',
    '&',
    '&#',
    '&#x',
    '<p>',
    '<td>',
    ' ',
    '</',
    '<a "',
  ])
    assert.ok(htmlToText(piece.repeat(MANY)).length <= piece.length * MANY * 2, piece)
})

test('attack 31a: header fields of any shape', options, () => {
  for (const piece of [':', 'a:\n', '\n ', ' ', 'a', 'a \t', '\r']) {
    const header = Buffer.from(`x${piece.repeat(MANY)}`)
    assert.ok(headerFields(header).length <= 2_000)
    assert.ok(new HeaderSubset(['a'], false).of(header).length <= header.length)
  }
})
