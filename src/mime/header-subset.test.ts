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

test('many names of one length cost each octet of a header a few looks', () => {
  const names = Array.from({ length: 100 }, (_, at) => `x-same-${String(at).padStart(2, '0')}`)
  const header = Buffer.from(`${'X-SAME-99:\r\nx-same-zz:\r\n'.repeat(100)}\r\n`)
  let looks = 0
  const octets = new Proxy(header, {
    get(of, key) {
      looks++
      return of[key as unknown as number]
    },
  })
  const chosen = new Uint8Array(header.length)
  const length = new HeaderSubset(names, false).copy({ octets, start: 0, end: header.length }, chosen, 0)
  assert.equal(Buffer.from(chosen.subarray(0, length)).toString(), `${'X-SAME-99:\r\n'.repeat(100)}\r\n`)
  assert.ok(looks < 20 * header.length, `${looks} looks at ${header.length} octets`)
})

test('property: whatever names there are, the fields are those that a set of them has', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'B', 'b', 'Z', '-', '0'), minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(fc.array(name, { maxLength: 60 }), fc.array(name, { maxLength: 30 }), (names, fields) => {
      const listed = new Set(names.map((each) => each.toLowerCase()))
      const chosen = fields.filter((each) => listed.has(each.toLowerCase()))
      const header = Buffer.from(fields.map((each) => `${each}: 1\r\n`).join(''))
      const subset = Buffer.from(new HeaderSubset(names, false).of(header)).toString()
      assert.equal(subset, chosen.map((each) => `${each}: 1\r\n`).join(''))
    }),
  )
})
