import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteQueue } from './queue.ts'

test('small pieces are joined, and what was taken stays as it was', () => {
  const sizes = fc.array(fc.tuple(fc.nat(700), fc.nat(900)), { maxLength: 60 })
  fc.assert(
    fc.property(sizes, (steps) => {
      const queue = new ByteQueue()
      const whole: number[] = []
      const taken: { at: number; bytes: Buffer }[] = []
      let at = 0
      for (const [push, take] of steps) {
        const bytes = Buffer.from(Array.from({ length: push }, (_, i) => (whole.length + i) % 251))
        whole.push(...bytes)
        queue.push(bytes)
        const got = take % 2 === 0 ? queue.takeChunk(take) : queue.take(Math.min(take, queue.length))
        taken.push({ at, bytes: got })
        at += got.length
        assert.equal(queue.length, whole.length - at)
        const wanted = (at + 5) % 251
        assert.equal(queue.indexOf(wanted, 3), whole.slice(at).indexOf(wanted, 3))
      }
      for (const one of taken)
        assert.deepEqual([...one.bytes], whole.slice(one.at, one.at + one.bytes.length))
    }),
  )
})

test('octets that come one by one do not make a list of them', () => {
  const queue = new ByteQueue()
  for (let i = 0; i < 10_000; i++) queue.push(Buffer.from('x'))
  let chunks = 0
  while (queue.length > 0) {
    queue.takeChunk()
    chunks++
  }
  assert.ok(chunks < 10, `${chunks} chunks`)
})
