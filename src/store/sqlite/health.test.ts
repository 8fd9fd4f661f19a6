import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Health } from './health.ts'

test('trouble is told once when it begins and once when it is over', () => {
  const told: string[] = []
  let nowMs = 0
  const health = new Health(
    (trouble, cause) => told.push(`${trouble} ${cause ?? 'over'}`),
    () => nowMs,
  )
  health.works('room')
  health.failed('room', 'full')
  health.failed('room', 'full still')
  health.works('room')
  assert.deepEqual(told, ['room full'], 'a disk around its mark is not told of again and again')
  nowMs += 20_000
  health.works('room')
  health.works('room')
  health.failed('disk', 'EIO')
  health.works('disk')
  assert.deepEqual(told, ['room full', 'room over', 'disk EIO', 'disk over'])
})
