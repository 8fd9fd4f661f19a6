import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from './clock.ts'
import { systemRandom } from './random.ts'

test('random octets of any count, also beyond what one call gives', () => {
  const random = systemRandom()
  assert.equal(random.bytes(0).length, 0)
  const many = random.bytes(200_000)
  assert.equal(many.length, 200_000)
  assert.ok(new Set(many.subarray(199_000)).size > 200, 'the last octets are filled too')
  assert.notDeepEqual(random.bytes(16), random.bytes(16))
})

test('small requests are all different, and none is what a used-up pool holds', () => {
  const random = systemRandom()
  const seen = new Set(Array.from({ length: 5_000 }, () => Buffer.from(random.bytes(10)).toString('hex')))
  assert.equal(seen.size, 5_000)
  assert.ok(!seen.has('00'.repeat(10)))
})

test('the clock: monotonic does not go back, after() calls once and can be cancelled', async () => {
  const clock = systemClock()
  const before = clock.monotonic()
  assert.ok(Math.abs(clock.now() - Date.now()) < 1000)
  let cancelled = true
  const cancel = clock.after(1, () => {
    cancelled = false
  })
  cancel()
  // The clock's timers do not keep the process alive; this one does.
  const keep = setTimeout(() => undefined, 60_000)
  await new Promise<void>((resolve) => clock.after(5, resolve))
  clearTimeout(keep)
  assert.ok(clock.monotonic() >= before)
  assert.equal(cancelled, true)
})
