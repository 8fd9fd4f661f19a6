import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { median, pairRatios, percentile, spread } from './statistics.ts'

test('the median, of odd and even counts, in any order', () => {
  assert.equal(median([3]), 3)
  assert.equal(median([9, 1, 5]), 5)
  assert.equal(median([4, 1, 3, 2]), 2.5)
  assert.throws(() => median([]), RangeError)
})

test('half of the values are not above the median and half not below it', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 }), (values) => {
      const middle = median(values)
      assert.ok(values.filter((value) => value <= middle).length * 2 >= values.length)
      assert.ok(values.filter((value) => value >= middle).length * 2 >= values.length)
    }),
  )
})

test('percentiles are values that were there', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1)
  assert.equal(percentile(hundred, 0.5), 50)
  assert.equal(percentile(hundred, 0.99), 99)
  assert.equal(percentile(hundred, 1), 100)
  assert.equal(percentile([7], 0.01), 7)
  assert.throws(() => percentile([], 0.5), RangeError)
})

test('ratios are taken pair by pair, without runs that have no partner', () => {
  assert.deepEqual(pairRatios([10, 20, 30], [5, 4]), [2, 5])
  assert.deepEqual(pairRatios([10, 20], [0, 4]), [5])
  assert.deepEqual(pairRatios([], [1]), [])
})

test('how far runs lie apart', () => {
  assert.equal(spread([10, 10, 10]), 0)
  assert.equal(spread([8, 10, 12]), 0.4)
  assert.equal(spread([0, 0]), 0)
})
