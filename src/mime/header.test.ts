import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { headerFields, unfold } from './header.ts'
import { MAX_FIELDS } from './limits.ts'

const HEADER = Buffer.from(
  'Received: one\r\n two\r\nSubject: a\r\n b\r\nTo : x@example.test\r\ngarbage\r\nsubject:second\nX-Empty:\r\n\r\n',
)

test('fields come in order, duplicates kept, garbage left out', () => {
  assert.deepEqual(
    headerFields(HEADER).map(({ name, key, raw }) => [name, key, unfold(raw)]),
    [
      ['Received', 'received', 'one two'],
      ['Subject', 'subject', 'a b'],
      ['To', 'to', 'x@example.test'],
      ['subject', 'subject', 'second'],
      ['X-Empty', 'x-empty', ''],
    ],
  )
})

test('offsets give the octets of each field', () => {
  const text = HEADER.toString('latin1')
  for (const { name, raw, start, end } of headerFields(HEADER)) {
    assert.ok(text.slice(start, end).startsWith(name))
    assert.ok(text.slice(start, end).endsWith(raw))
  }
})

test('round trip: fields that are written are read', () => {
  const name = fc.stringMatching(/^[!-9;-~]{1,20}$/)
  const value = fc.stringMatching(/^[!-~][ -~]{0,30}[!-~]$/)
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 10 }), (fields) => {
      const header = Buffer.from(`${fields.map(([key, text]) => `${key}: ${text}\r\n`).join('')}\r\n`)
      const read = headerFields(header)
      assert.deepEqual(
        read.map(({ name: key, raw }) => [key, unfold(raw)]),
        fields,
      )
    }),
    { numRuns: 200 },
  )
})

test('cut at every byte: whole fields stay as they are', () => {
  const whole = headerFields(HEADER)
  for (let cut = 0; cut <= HEADER.length; cut++) {
    const fields = headerFields(HEADER.subarray(0, cut))
    for (const [index, field] of fields.slice(0, -1).entries()) assert.deepEqual(field, whole[index])
  }
})

test('attack 31a: the number of fields is bounded', () => {
  assert.equal(headerFields(Buffer.from('A: 1\r\n'.repeat(MAX_FIELDS + 10))).length, MAX_FIELDS)
})
