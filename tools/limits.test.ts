import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readLimits, reasonsOf, valueText } from './limits.ts'

test('reasons stand above their numbers, in blocks, lines and interfaces', () => {
  const reasons = reasonsOf(`/** Why so many. */
export const MANY = 5
/** Why
 * so long. */
export const LONG_MS = 2
export const SHORT_MS = 1

export interface Bounds {
  /** What it is. */
  readonly size: number
}
export const BOUNDS: Bounds = {
  // Why this
  // much.
  size: 3,
}
`)
  assert.equal(reasons.get('MANY'), 'Why so many.')
  assert.equal(reasons.get('LONG_MS'), 'Why so long.')
  assert.equal(reasons.get('SHORT_MS'), 'Why so long.', 'a pair shares its reason')
  assert.equal(reasons.get('BOUNDS.size'), 'What it is. Why this much.')
})

test('numbers are shown in the largest unit that they are whole numbers of', () => {
  assert.equal(valueText('X_BYTES', 64 * 1024 * 1024), '64 MiB')
  assert.equal(valueText('X.commandOctets', 24_576), '24 KiB')
  assert.equal(valueText('idleMs', 300_000), '5 min')
  assert.equal(valueText('ROWS', 10_000), '10,000')
})

test('every bound of every room has a reason', async () => {
  const limits = await readLimits(fileURLToPath(new URL('..', import.meta.url)))
  assert.ok(limits.length > 200, `${limits.length} found`)
  assert.deepEqual(
    limits.filter(({ reason }) => reason === '').map(({ room, name }) => `${room}: ${name}`),
    [],
  )
})
