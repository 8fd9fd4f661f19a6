import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Attempt } from '../ports/budget.ts'
import type { Clock } from '../ports/clock.ts'
import { FailureBudget } from './budget.ts'
import {
  BLOCK_AT_FAILURES,
  BLOCK_MS,
  FORGET_ONE_MS,
  FREE_FAILURES,
  KNOWN_GOOD_BLOCK_AT_FAILURES,
} from './limits.ts'

interface Rig {
  readonly budget: FailureBudget
  pass(ms: number): void
}

function rig(maxEntries?: number): Rig {
  let now = 1_000
  const clock: Clock = {
    now: () => assert.fail('the wall clock may jump'),
    zoneMinutes: () => 0,
    monotonic: () => now,
    after: () => assert.fail('no timer is needed'),
  }
  return {
    budget: new FailureBudget(clock, maxEntries),
    pass(ms) {
      now += ms
    },
  }
}

const attempt = (client: string, login = 'a@x.test', knownGood = false): Attempt => ({
  client,
  login,
  knownGood,
})

function delay(budget: FailureBudget, one: Attempt): number | 'blocked' {
  const verdict = budget.admit(one)
  return 'delayMs' in verdict ? verdict.delayMs : 'blocked'
}

test('slow first, then blocked, then let in again', () => {
  const { budget, pass } = rig()
  const seen = Array.from({ length: BLOCK_AT_FAILURES + 2 }, () => delay(budget, attempt('192.0.2.1')))
  assert.deepEqual(seen.slice(0, FREE_FAILURES), new Array(FREE_FAILURES).fill(0))
  assert.deepEqual(seen.slice(FREE_FAILURES), [
    1_000,
    2_000,
    4_000,
    8_000,
    16_000,
    16_000,
    16_000,
    16_000,
    16_000,
    16_000,
    'blocked',
    'blocked',
  ])
  assert.deepEqual(budget.admit(attempt('192.0.2.1')), { blockedForMs: BLOCK_MS })
  pass(BLOCK_MS - 1)
  assert.deepEqual(budget.admit(attempt('192.0.2.1')), { blockedForMs: 1 })
  pass(1)
  assert.equal(delay(budget, attempt('192.0.2.1')), 16_000)
})

test('a hundred guesses sent together are not all the first', () => {
  const { budget } = rig()
  const together = Array.from({ length: 100 }, (_, i) => delay(budget, attempt('192.0.2.1', `u${i}@x.test`)))
  assert.equal(together.filter((one) => one !== 'blocked').length, BLOCK_AT_FAILURES)
})

test('attack 28a: an account guessed at from many addresses is blocked for strangers, not for its owner', () => {
  const { budget } = rig()
  for (let i = 0; i < BLOCK_AT_FAILURES; i++) budget.admit(attempt(`192.0.2.${i}`))
  assert.equal(delay(budget, attempt('198.51.100.1')), 'blocked')
  assert.equal(delay(budget, attempt('198.51.100.1', 'a@x.test', true)), 0)
  assert.equal(delay(budget, attempt('198.51.100.1', 'b@x.test')), 0)
})

test('a known good address that guesses is blocked too, for that account', () => {
  const { budget } = rig()
  for (let i = 0; i < KNOWN_GOOD_BLOCK_AT_FAILURES; i++)
    assert.notEqual(delay(budget, attempt('192.0.2.1', 'a@x.test', true)), 'blocked')
  assert.equal(delay(budget, attempt('192.0.2.1', 'a@x.test', true)), 'blocked')
  assert.equal(delay(budget, attempt('192.0.2.1', 'b@x.test', true)), 0)
})

test('a success takes back its own charge only: an account of one’s own buys no guesses', () => {
  const { budget } = rig()
  let guesses = 0
  for (let i = 0; i < 200; i++) {
    if (delay(budget, attempt('192.0.2.1', 'victim@x.test')) !== 'blocked') guesses++
    const own = attempt('192.0.2.1', 'own@x.test')
    if (delay(budget, own) !== 'blocked') budget.refund(own)
  }
  assert.ok(guesses <= BLOCK_AT_FAILURES, String(guesses))
})

test('attack 28a: the right password at the last free place does not block its owner', () => {
  const { budget } = rig()
  for (let i = 0; i < BLOCK_AT_FAILURES - 1; i++) budget.admit(attempt('192.0.2.1'))
  for (let i = 0; i < 5; i++) {
    assert.equal(delay(budget, attempt('192.0.2.1')), 16_000)
    budget.refund(attempt('192.0.2.1'))
  }
})

test('failures are forgotten one at a time', () => {
  const { budget, pass } = rig()
  for (let i = 0; i < FREE_FAILURES + 2; i++) budget.admit(attempt('192.0.2.1'))
  pass(FORGET_ONE_MS * 2)
  assert.equal(delay(budget, attempt('192.0.2.1')), 1_000)
  pass(FORGET_ONE_MS * 100)
  assert.equal(delay(budget, attempt('192.0.2.1')), 0)
})

test('the tables are bounded; who was seen last stays', () => {
  const { budget } = rig(10)
  for (let i = 0; i < BLOCK_AT_FAILURES; i++) {
    budget.admit(attempt('192.0.2.1', 'a@x.test'))
    budget.admit(attempt(`203.0.113.${i}`, `u${i}@x.test`))
  }
  assert.equal(delay(budget, attempt('192.0.2.1', 'c@x.test')), 'blocked')
  for (let i = 0; i < 10; i++) budget.admit(attempt(`198.51.100.${i}`, `v${i}@x.test`))
  assert.equal(delay(budget, attempt('192.0.2.1', 'c@x.test')), 0)
})
