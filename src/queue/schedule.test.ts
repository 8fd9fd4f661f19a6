import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reply } from '../mail/reply.ts'
import { outcomeOf } from './outcome.ts'
import { horizonMs, isDelayTold, isDue, nextAttempt, type RetrySettings } from './schedule.ts'

const settings: RetrySettings = {
  retryAfterMs: [100, 200, 400],
  giveUpAfterMs: 10_000,
  tellDelayAfterMs: 1_000,
}
const at = (attempts: number, nowMs: number, chance = 0) =>
  nextAttempt(settings, { attempts, arrivedAtMs: 0, nowMs, chance })

test('waits grow and the last one repeats', () => {
  assert.deepEqual(
    [1, 2, 3, 4, 50].map((attempts) => at(attempts, 1_000)),
    [1_100, 1_200, 1_400, 1_400, 1_400].map((atMs) => ({ kind: 'retry', atMs })),
  )
})

test('messages that failed together do not come back together', () => {
  assert.deepEqual(at(3, 1_000, 1), { kind: 'retry', atMs: 1_440 })
})

test('there is one last attempt at the end of the time, then none', () => {
  assert.deepEqual(at(9, 9_900), { kind: 'retry', atMs: 10_000 })
  assert.deepEqual(at(10, 10_000), { kind: 'give-up' })
  assert.deepEqual(at(3, 99_999), { kind: 'give-up' })
})

test('a clock that jumped forward, or a week without power, does not send mail back after one attempt', () => {
  assert.deepEqual(at(1, 99_999), { kind: 'retry', atMs: 100_099 })
  assert.deepEqual(at(2, 99_999), { kind: 'retry', atMs: 100_199 })
})

test('what a clock set in the far future is due as soon as the clock is right', () => {
  const horizon = horizonMs(settings)
  assert.equal(isDue(500, 500, horizon), true)
  assert.equal(isDue(501, 500, horizon), false)
  assert.equal(isDue(500 + horizon, 500, horizon), false)
  assert.equal(isDue(501 + horizon, 500, horizon), true)
  const latest = nextAttempt(settings, { attempts: 50, arrivedAtMs: 0, nowMs: 500, chance: 1 })
  assert.ok(
    latest.kind === 'retry' && !isDue(latest.atMs, 500, horizon),
    'no due time of our own is taken for one',
  )
})

test('a clock that is not believed sends no mail back, and makes no storm of attempts', () => {
  const nowMs = 5_000_000
  const next = nextAttempt(settings, { attempts: 9, arrivedAtMs: 0, nowMs, believedMs: 900, chance: 0 })
  assert.deepEqual(next, { kind: 'retry', atMs: nowMs + 400 })
  assert.deepEqual(at(9, nowMs), { kind: 'give-up' })
})

test('a clock that was days ahead holds no message for days', () => {
  const hour = 3_600_000
  const usual = { retryAfterMs: [hour, 4 * hour], giveUpAfterMs: 120 * hour, tellDelayAfterMs: 4 * hour }
  const setAhead = 9 * 24 * hour + 4 * hour
  assert.ok(isDue(setAhead, 0, horizonMs(usual)))
})

test('a clock that jumped back never schedules into the past', () => {
  const next = nextAttempt(settings, { attempts: 1, arrivedAtMs: 50_000, nowMs: 1_000, chance: 0 })
  assert.ok(next.kind === 'retry' && next.atMs >= 1_000)
})

test('a delay is told once', () => {
  assert.equal(isDelayTold(settings, { arrivedAtMs: 0, nowMs: 999, toldAtMs: undefined }), false)
  assert.equal(isDelayTold(settings, { arrivedAtMs: 0, nowMs: 1_000, toldAtMs: undefined }), true)
  assert.equal(isDelayTold(settings, { arrivedAtMs: 0, nowMs: 5_000, toldAtMs: 1_000 }), false)
})

const OUTCOMES: readonly (readonly [number, string | undefined, string, string])[] = [
  [250, '2.0.0', 'ok', 'delivered'],
  [251, undefined, 'will forward', 'delivered'],
  [421, '4.3.2', 'closing', 'deferred'],
  [450, '4.7.1', 'greylisted', 'deferred'],
  [550, '5.1.1', 'no such user', 'failed'],
  [554, undefined, 'refused', 'failed'],
  [552, '5.2.2', 'mailbox full', 'failed'],
  [552, '5.5.3', 'Too many recipients', 'deferred'],
  [552, undefined, 'Too many recipients', 'deferred'],
  [550, '4.7.0', 'contradicts itself', 'deferred'],
  [530, '5.7.0', 'Must issue a STARTTLS command first', 'deferred'],
  [535, '5.7.8', 'wrong password', 'deferred'],
  [354, undefined, 'out of place', 'deferred'],
  [999, undefined, 'nonsense', 'deferred'],
]
for (const [code, enhanced, text, expected] of OUTCOMES) {
  test(`${code} ${enhanced ?? ''} ${text} means ${expected}`, () =>
    assert.equal(outcomeOf(reply(code, enhanced, text)), expected))
}
