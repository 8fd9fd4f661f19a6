import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BelievedTime } from './believed-time.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

function clocks(lastMs?: number) {
  const at = { wall: 1_000 * DAY, monotonic: 5 }
  const time = new BelievedTime({ now: () => at.wall, monotonic: () => at.monotonic, lastMs })
  const pass = (ms: number): number => {
    at.wall += ms
    at.monotonic += ms
    return time.now()
  }
  return { at, time, pass }
}

test('attack 29f: a clock that jumps ahead for hours is not believed, and all is well when it is back', () => {
  const { at, time, pass } = clocks()
  const before = pass(HOUR)
  at.wall += 3_650 * DAY
  assert.equal(time.now(), before)
  assert.equal(pass(HOUR), before + HOUR, 'time goes on')
  at.wall -= 3_650 * DAY
  assert.equal(pass(HOUR), before + 2 * HOUR)
})

test('a clock that says the same for a day is believed', () => {
  const { at, time, pass } = clocks()
  at.wall += 30 * DAY
  assert.equal(time.now(), 1_000 * DAY)
  pass(12 * HOUR)
  assert.equal(pass(13 * HOUR), 1_031 * DAY + HOUR)
})

test('a clock that is put back is believed at once, and so is its return', () => {
  const { at, time, pass } = clocks()
  at.wall -= 3 * DAY
  assert.equal(time.now(), 997 * DAY)
  assert.equal(pass(HOUR), 997 * DAY + HOUR)
  at.wall += HOUR / 2
  assert.equal(time.now(), 997 * DAY + 1.5 * HOUR, 'a small step is no jump')
})

test('a start long after all that is known is not believed at first; one soon after is', () => {
  const late = clocks(900 * DAY)
  assert.equal(late.time.now(), 900 * DAY)
  late.pass(23 * HOUR)
  assert.equal(late.pass(2 * HOUR), 1_001 * DAY + HOUR)
  assert.equal(clocks(999 * DAY).time.now(), 1_000 * DAY)
  assert.equal(clocks(2_000 * DAY).time.now(), 1_000 * DAY, 'traces of a clock that was ahead')
})
