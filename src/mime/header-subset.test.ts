import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { headerFields } from './header.ts'
import { HeaderSubset } from './header-subset.ts'

const HEADER = Buffer.from(
  'Received: one\r\n two\r\nSubject: a\r\n b\r\nTo : x@example.test\r\ngarbage\r\nsubject:second\nX-Empty:\r\n\r\n',
)

test('a subset of the header is byte for byte, with the empty line', () => {
  const subset = (names: string[], not: boolean): string =>
    Buffer.from(new HeaderSubset(names, not).of(HEADER)).toString()
  assert.equal(subset(['SUBJECT'], false), 'Subject: a\r\n b\r\nsubject:second\n\r\n')
  assert.equal(subset(['to', 'x-empty'], false), 'To : x@example.test\r\nX-Empty:\r\n\r\n')
  assert.equal(subset(['none'], false), '\r\n')
  assert.equal(subset(['received', 'subject', 'x-empty'], true), 'To : x@example.test\r\ngarbage\r\n\r\n')
  assert.equal(subset([], true), HEADER.toString())
})

test('a header without an empty line gets none', () => {
  const header = Buffer.from('A: 1\r\nB: 2\r\n')
  assert.equal(Buffer.from(new HeaderSubset(['b'], false).of(header)).toString(), 'B: 2\r\n')
})

const words = [
  'Subject',
  'SUBJECT',
  'To',
  'X-A',
  ':',
  ' ',
  '\t',
  '\r',
  '\n',
  '\r\n',
  '\r\n ',
  'é',
  '\0',
  'x'.repeat(60),
]
const blocks = fc.array(fc.constantFrom(...words), { maxLength: 40 }).map((all) => Buffer.from(all.join('')))

test('property: fields are those that a header has, and every octet is in the subset or in the other one', () => {
  const names = ['subject', 'X-A']
  const listed = new Set(names.map((name) => name.toLowerCase()))
  fc.assert(
    fc.property(blocks, (header) => {
      const fields = headerFields(header).filter(({ key }) => listed.has(key))
      const chosen = Buffer.concat(fields.map(({ start, end }) => header.subarray(start, end)))
      const subset = Buffer.from(new HeaderSubset(names, false).of(header))
      const rest = Buffer.from(new HeaderSubset(names, true).of(header))
      const empty = subset.subarray(chosen.length).toString()
      assert.deepEqual(subset.subarray(0, chosen.length), chosen)
      assert.ok(['', '\n', '\r\n'].includes(empty))
      assert.ok(rest.toString().endsWith(empty))
      const whole = Buffer.from(new HeaderSubset([], true).of(header))
      assert.equal(subset.length + rest.length - empty.length, whole.length)
      if (empty === '') assert.deepEqual(whole, header)
    }),
    { numRuns: 500 },
  )
})

test('property: a block is looked at where it stands, and written where it is wanted', () => {
  fc.assert(
    fc.property(blocks, blocks, blocks, fc.boolean(), (before, header, after, not) => {
      const subset = new HeaderSubset(['TO', 'subject'], not)
      const octets = Buffer.concat([before, header, after])
      const target = Buffer.alloc(before.length + header.length + 1, '?')
      const start = before.length
      const length = subset.copy({ octets, start, end: start + header.length }, target, start)
      assert.deepEqual(target.subarray(start, start + length), Buffer.from(subset.of(header)))
      assert.equal(target[start + header.length], 0x3f)
    }),
    { numRuns: 300 },
  )
})
