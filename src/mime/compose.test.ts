import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Bug } from '../mail/assert.ts'
import {
  composeAddressField,
  composeField,
  composeMultipart,
  composeParameterField,
  composePart,
  composeRawField,
  composeTextPart,
} from './compose.ts'
import { headerFields, unfold } from './header.ts'
import { decodeParts } from './parts.ts'
import { MessageScanner } from './scanner.ts'
import { partText } from './text.ts'
import { decodedWords } from './words.ts'

test('attack 8c: a line end in a value is refused', () => {
  for (const text of ['a\r\nBcc: x@y', 'a\nb', 'a\rb', 'a\0b', 'a\u001b[31m']) {
    assert.throws(() => composeField('Subject', text), Bug)
    assert.throws(() => composeRawField('X-A', text), Bug)
    assert.throws(() => composeParameterField('Content-Type', 'a/b', { name: text }), Bug)
    const address = { local: 'a', domain: 'b.test' }
    assert.throws(() => composeAddressField('To', [{ name: text, address }]), Bug)
    assert.throws(() => composeAddressField('To', [{ address: { ...address, local: text } }]), Bug)
  }
  for (const name of ['', 'A B', 'A:', 'A\r\nB', 'é']) assert.throws(() => composeField(name, 'x'), Bug)
})

test('fields are folded, encoded where they must be', () => {
  assert.equal(composeField('Subject', 'plain'), 'Subject: plain\r\n')
  assert.equal(composeField('Subject', ''), 'Subject:\r\n')
  assert.equal(composeField('Subject', '会議'), 'Subject: =?UTF-8?B?5Lya6K2w?=\r\n')
  assert.equal(
    composeField('X-Long', `${'word '.repeat(20)}end`),
    `X-Long:${' word'.repeat(13)}\r\n${' word'.repeat(7)} end\r\n`,
  )
  assert.equal(
    composeAddressField('To', [
      { name: '山田', address: { local: 'taro', domain: 'b.test' } },
      { address: { local: 'a b', domain: 'b.test' } },
    ]),
    'To: =?UTF-8?B?5bGx55Sw?= <taro@b.test>, "a b"@b.test\r\n',
  )
})

test('a line with an encoded word has at most 76 characters (rfc2047 §2)', () => {
  const address = { local: 'taro', domain: 'b.test' }
  for (let length = 1; length < 60; length++) {
    const name = '山'.repeat(length)
    const fields = composeField('Subject', name) + composeAddressField('Reply-To', [{ name, address }])
    for (const line of fields.split('\r\n')) assert.ok(line.length <= 76, line)
  }
})

test('round trip: any text in a field, no line too long', () => {
  const unit = fc.constantFrom('a', ' ', '会', '=?', '?=', 'é', '.', 'word', 'x'.repeat(500), '😀')
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 60 }), (text) => {
      const field = composeField('Subject', text)
      assert.ok(field.split('\r\n').every((line) => line.length <= 998))
      const read = headerFields(Buffer.from(field))
      assert.equal(read.length, 1)
      // White space at the ends of a field's value is no part of it.
      assert.equal(decodedWords(unfold(read[0]?.raw ?? '')).trim(), text.trim())
    }),
    { numRuns: 300 },
  )
})

test('a report is composed whose parts are read as they were written', () => {
  const report = composeMultipart(
    'report',
    '=_boundary',
    [
      composeTextPart('配達できませんでした。\n'),
      composePart(
        [composeRawField('Content-Type', 'message/delivery-status')],
        Buffer.from('Reporting-MTA: dns; x\r\n'),
      ),
      composePart(
        [composeRawField('Content-Type', 'message/rfc822')],
        Buffer.from('Subject: lost\r\n\r\nbody\r\n'),
      ),
    ],
    { 'report-type': 'delivery-status' },
  )
  const scanner = new MessageScanner()
  scanner.push(report)
  const summary = scanner.end(new Uint8Array())
  const root = decodeParts(summary.parts)
  assert.deepEqual(summary.leniencies, [])
  assert.deepEqual(
    root.children.map(({ type, subtype }) => `${type}/${subtype}`),
    ['text/plain', 'message/delivery-status', 'message/rfc822'],
  )
  const [text, status] = root.children
  assert.ok(text !== undefined && status !== undefined)
  assert.equal(partText(text, (start, end) => report.subarray(start, end)).text, '配達できませんでした。\n')
  assert.equal(report.toString('utf8', status.bodyStart, status.bodyEnd), 'Reporting-MTA: dns; x\r\n')
  assert.throws(() => composeMultipart('mixed', 'b', [Buffer.from('x--b')]), Bug)
})

test('text is encoded as its characters need', () => {
  const encoding = (text: string): string =>
    /Encoding: (\S+)/.exec(composeTextPart(text).toString('latin1'))?.[1] ?? ''
  assert.equal(encoding('plain\n'), '7bit')
  assert.equal(encoding('x'.repeat(100)), 'quoted-printable')
  assert.equal(encoding('日本'), 'base64')
})
