import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Columns } from './columns.ts'

/** Each message's row says its UID over again, so that a row in a wrong place shows. */
function columnsOf(uids: readonly number[]): Columns {
  const numbers = Float64Array.from(uids)
  const columns = new Columns({
    uids: Uint32Array.from(uids),
    messages: numbers,
    flags: numbers.slice(),
    modseqs: numbers.slice(),
  })
  return columns
}

const uidSets = fc.uniqueArray(fc.integer({ min: 1, max: 300 }), { maxLength: 100 })

test('rows are found and left out by UID, in whatever order the UIDs come', () => {
  fc.assert(
    fc.property(uidSets, uidSets, fc.nat(3), (all, named, added) => {
      const uids = [...all].sort((a, b) => a - b)
      const columns = columnsOf(uids)
      for (let i = 1; i <= added; i++)
        columns.append({ uid: 300 + i, message: 300 + i, flags: 300 + i, modseq: 300 + i })
      const present = [...uids, ...Array.from({ length: added }, (_, i) => 301 + i)]
      const gone = [...named, 301]
      const expected = present.map((_, index) => index).filter((index) => gone.includes(present[index] ?? 0))
      assert.deepEqual([...columns.indexesOf(gone)], expected)
      const left = columns.without(expected)
      const kept = present.filter((uid) => !gone.includes(uid))
      for (const column of [left.uids, left.messages, left.flags, left.modseqs])
        assert.deepEqual([...column.subarray(0, left.count)], kept)
    }),
  )
})
