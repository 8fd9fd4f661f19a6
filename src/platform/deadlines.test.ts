import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deadlines, type Timed } from './deadlines.ts'
import { manualClock } from './testing.ts'

function entry(dueMs: number, expired: string[], name: string): Timed {
  return {
    dueMs,
    expire() {
      expired.push(name)
      this.dueMs = Number.POSITIVE_INFINITY
    },
  }
}

test('one timer serves all; each entry expires once it is due, not before', () => {
  const clock = manualClock()
  const deadlines = new Deadlines(clock)
  const expired: string[] = []
  const start = clock.monotonic()
  for (const [name, ms] of [
    ['late', 60_000],
    ['soon', 1_000],
    ['middle', 30_000],
  ] as const)
    deadlines.set(entry(start + ms, expired, name))
  assert.equal(clock.timers, 1)
  clock.skip(900)
  assert.deepEqual(expired, [])
  clock.skip(200)
  assert.deepEqual(expired, ['soon'])
  clock.skip(60_000)
  assert.deepEqual(expired.sort(), ['late', 'middle', 'soon'])
  assert.equal(clock.timers, 0)
})

test('an entry that moves its deadline away costs a look, not an expiry; nearer ones arm the timer anew', () => {
  const clock = manualClock()
  const deadlines = new Deadlines(clock)
  const expired: string[] = []
  const moving = entry(clock.monotonic() + 1_000, expired, 'moving')
  deadlines.set(moving)
  moving.dueMs += 10_000
  deadlines.set(moving)
  clock.skip(1_000)
  assert.deepEqual(expired, [])
  moving.dueMs = clock.monotonic() + 500
  deadlines.set(moving)
  assert.equal(clock.timers, 1)
  clock.skip(500)
  assert.deepEqual(expired, ['moving'])
})

test('entries that expire may take themselves and others off, and add new ones', () => {
  const clock = manualClock()
  const deadlines = new Deadlines(clock)
  const expired: string[] = []
  const other = entry(clock.monotonic() + 1_000, expired, 'other')
  const next = entry(clock.monotonic() + 2_000, expired, 'next')
  const first: Timed = {
    dueMs: clock.monotonic() + 1_000,
    expire() {
      expired.push('first')
      deadlines.remove(first)
      deadlines.remove(other)
      deadlines.set(next)
    },
  }
  deadlines.set(first)
  deadlines.set(other)
  clock.skip(1_000)
  assert.deepEqual(expired, ['first'])
  assert.equal(deadlines.size, 1)
  clock.skip(1_000)
  assert.deepEqual(expired, ['first', 'next'])
})

test('a deadline in the past fires at the grain, and does not spin', () => {
  const clock = manualClock()
  const deadlines = new Deadlines(clock)
  let calls = 0
  deadlines.set({ dueMs: 0, expire: () => calls++ })
  clock.skip(99)
  assert.equal(calls, 0)
  clock.skip(1)
  assert.equal(calls, 1)
  clock.skip(100)
  assert.equal(calls, 2)
})
