import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatLocalTime } from './local-time.ts'

test('a moment is told in local time with its zone', () => {
  const atMs = Date.UTC(2026, 10, 24, 23, 38, 3)
  assert.equal(formatLocalTime(atMs, 0), '2026-11-24 23:38:03 +0000')
  assert.equal(formatLocalTime(atMs, 540), '2026-11-25 08:38:03 +0900')
  assert.equal(formatLocalTime(atMs, -210), '2026-11-24 20:08:03 -0330')
})
