import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  containsUid,
  countUids,
  formatUidSet,
  indexesInSet,
  iterateUids,
  largestUid,
  MAX_RANGES,
  MAX_UID,
  parseUidSet,
  resolveStar,
  type UidSet,
  uidSetOf,
  unionSets,
} from './uid-set.ts'

const parse = (text: string): UidSet => {
  const set = parseUidSet(text)
  assert.ok(set, text)
  return set
}

test('sets are read, merged and written in the shortest form', () => {
  const cases = {
    '1': '1',
    '4:2': '2:4',
    '1,2,3': '1:3',
    '7,1:3,2:5,6': '1:7',
    '1,3,5': '1,3,5',
    '*': '*',
    '2:*': '2:*',
    '*:2': '2:*',
    '5,2:*,4:*': '5,2:*,4:*',
    '*,1': '1,*',
    '4294967295': '4294967295',
  }
  for (const [text, canonical] of Object.entries(cases)) assert.equal(formatUidSet(parse(text)), canonical)
})

test('what is no set is refused', () => {
  const wrong = [
    '',
    '0',
    '0:1',
    '1:0',
    '01',
    '1,',
    ',1',
    '1::2',
    '1:',
    ':1',
    '1 ',
    ' 1',
    '-1',
    '1.5',
    '+1',
    'a',
  ]
  for (const text of [...wrong, '4294967296', '99999999999999999999', '**', '1:2:3', '1,0', '٣'])
    assert.equal(parseUidSet(text), undefined, text)
})

test('n:* holds the largest number even where n is beyond it (rfc3501 §6.4.8)', () => {
  assert.equal(formatUidSet(resolveStar(parse('559:*'), 100)), '100:559')
  assert.equal(formatUidSet(resolveStar(parse('*'), 100)), '100')
  assert.equal(formatUidSet(resolveStar(parse('2:*,90:*'), 100)), '2:100')
  assert.equal(formatUidSet(resolveStar(parse('1,*'), 0)), '1')
  assert.equal(largestUid(parse('1:7,*')), 7)
  assert.equal(largestUid(parse('1,9:*')), 9)
})

test('members agree with the naive set, and the round trip', () => {
  const range = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 }))
  fc.assert(
    fc.property(fc.array(range, { minLength: 1 }), (ranges) => {
      const naive = new Set<number>()
      for (const [a, b] of ranges) for (let n = Math.min(a, b); n <= Math.max(a, b); n++) naive.add(n)
      const set = parse(ranges.map(([a, b]) => `${a}:${b}`).join(','))
      const sorted = [...naive].sort((a, b) => a - b)
      assert.deepEqual([...iterateUids(set, 1000)], sorted)
      assert.equal(countUids(set), naive.size)
      for (let n = 0; n <= 61; n++) assert.equal(containsUid(set, n), naive.has(n))
      assert.deepEqual(uidSetOf(naive), set)
      assert.deepEqual(parse(formatUidSet(set)), set)
      const uids = [2, 3, 5, 20, 21, 59]
      const hits = uids.flatMap((uid, i) => (naive.has(uid) ? [i] : []))
      assert.deepEqual(indexesInSet(set, Uint32Array.from(uids)), hits)
      assert.deepEqual(unionSets(set, parse('61')), uidSetOf([...sorted, 61]))
    }),
  )
})

test('attack 26b: a set is never spread out', () => {
  const all = parse(`1:${MAX_UID}`)
  assert.equal(countUids(all), MAX_UID)
  assert.deepEqual(indexesInSet(all, [3, 9]), [0, 1])
  assert.equal([...iterateUids(all, 10)].length, 10)
  const odd = Array.from({ length: MAX_RANGES }, (_, i) => i * 2 + 1)
  assert.equal(parse(odd.join(',')).bounds.length, MAX_RANGES * 2)
  assert.equal(parseUidSet([...odd, 1].join(',')), undefined)
  assert.equal(formatUidSet(parse([...odd].reverse().join(','))), odd.join(','))
})
