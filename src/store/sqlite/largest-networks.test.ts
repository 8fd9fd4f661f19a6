import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LargestNetworks } from './largest-networks.ts'

test('the network that holds most makes room until it holds no more than the second', () => {
  const largest = new LargestNetworks(
    [
      ['a', 1000],
      ['b', 600],
    ],
    160,
  )
  assert.deepEqual(largest.next(10_000), { network: 'a', excessBytes: 400 })
  assert.deepEqual(largest.next(50), { network: 'a', excessBytes: 50 })
  largest.shrink('a', 500)
  assert.deepEqual(largest.next(10_000), { network: 'b', excessBytes: 100 })
})

test('of two alike the first goes first, by no less than a sixteenth of the bound', () => {
  const largest = new LargestNetworks(
    [
      ['a', 1000],
      ['b', 1000],
    ],
    160,
  )
  assert.deepEqual(largest.next(10_000), { network: 'a', excessBytes: 10 })
})

test('below the bound nobody is chosen: the oldest of all goes', () => {
  const largest = new LargestNetworks([['a', 200]], 160)
  assert.deepEqual(largest.next(10_000), { network: 'a', excessBytes: 40 })
  largest.shrink('a', 40)
  assert.deepEqual(largest.next(9_960), { network: null, excessBytes: 9_960 })
  largest.shrink(null, 100)
  assert.deepEqual(largest.next(9_860), { network: null, excessBytes: 9_860 })
})

test('of a bound of nothing all goes', () => {
  const largest = new LargestNetworks([['a', 3]], 0)
  assert.deepEqual(largest.next(3), { network: 'a', excessBytes: 3 })
  largest.shrink('a', Number.POSITIVE_INFINITY)
  assert.deepEqual(largest.next(3), { network: null, excessBytes: 3 })
})
