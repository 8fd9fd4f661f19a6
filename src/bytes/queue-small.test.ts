import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
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

test('an empty queue holds nothing of what went through it', () => {
  const script = `
    const { ByteQueue } = await import(${JSON.stringify(new URL('./queue.ts', import.meta.url).href)})
    const queue = new ByteQueue()
    const seen = []
    const pass = () => {
      const chunk = Buffer.allocUnsafeSlow(65_536)
      seen.push(new WeakRef(chunk))
      queue.push(chunk)
      queue.take(chunk.length)
    }
    for (let i = 0; i < 20; i++) pass()
    // What a WeakRef points to stays until the turn ends in which it was made.
    await new Promise((resolve) => setImmediate(resolve))
    gc()
    console.log(seen.filter((ref) => ref.deref() !== undefined).length, queue.length)`
  const args = ['--expose-gc', '--input-type=module', '-e', script]
  assert.equal(execFileSync(process.execPath, args, { encoding: 'utf8' }), '0 0\n')
})
