import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Turns } from './turns.ts'

test('attack 10c: however many strangers wait for their turn, every second one is for those who have logged in', async () => {
  const turns = new Turns()
  const order: string[] = []
  const all = [
    ...Array.from({ length: 100 }, (_, n) => ['strangers', `s${n}`] as const),
    ...Array.from({ length: 3 }, (_, n) => ['members', `m${n}`] as const),
  ].map(async ([by, name]) => {
    await turns.next(by)
    order.push(name)
  })
  await Promise.all(all)
  assert.deepEqual(order.slice(0, 7), ['m0', 's0', 'm1', 's1', 'm2', 's2', 's3'])
  assert.equal(order.length, 103)
})
