import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hasBit, keywordBit, keywordsOf, unionBits, withoutBits } from './flag-bits.ts'
import { KEYWORDS_PER_MAILBOX } from './limits.ts'

const bits = fc.maxSafeInteger().map(Math.abs)

test('sets of 53 bits behave as big integers do', () => {
  fc.assert(
    fc.property(bits, bits, (a, b) => {
      assert.equal(BigInt(unionBits(a, b)), BigInt(a) | BigInt(b))
      assert.equal(BigInt(withoutBits(a, b)), BigInt(a) & ~BigInt(b))
      for (let i = 0; i < 53; i++) assert.equal(hasBit(a, i), ((BigInt(a) >> BigInt(i)) & 1n) === 1n)
    }),
  )
})

test('the last keyword fits, and with all of them the number is exact', () => {
  let all = 31
  for (let i = 0; i < KEYWORDS_PER_MAILBOX; i++) all = unionBits(all, keywordBit(i))
  assert.equal(all, Number.MAX_SAFE_INTEGER)
  const names = Array.from({ length: KEYWORDS_PER_MAILBOX }, (_, i) => `k${i}`)
  assert.deepEqual(keywordsOf(all, names), names)
  assert.deepEqual(keywordsOf(keywordBit(47) + keywordBit(0) + 31, names), ['k0', 'k47'])
  assert.deepEqual(keywordsOf(31, names), [])
})
