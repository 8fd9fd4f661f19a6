import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Operation } from './operations.ts'
import { type Call, pack, unpack } from './packing.ts'

const operation: Operation = { op: 'remove-alias', alias: 'ä "quoted"\n@example.test' }

test('what is packed comes out whole, whatever the chunks were', () => {
  const blobs = fc.array(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 }), { maxLength: 5 })
  fc.assert(
    fc.property(fc.array(blobs, { maxLength: 6 }), (many) => {
      const calls: Call[] = many.map((one, i) => ({ id: i + 1, operation, blobs: one }))
      const packet = pack(calls)
      assert.equal(structuredClone(packet.bytes, { transfer: [packet.bytes] }).byteLength >= 0, true)
    }),
  )
  fc.assert(
    fc.property(fc.array(blobs, { maxLength: 6 }), (many) => {
      const calls: Call[] = many.map((one, i) => ({ id: i + 1, operation, blobs: one }))
      const unpacked = unpack(pack(calls))
      assert.deepEqual(
        unpacked.map(({ id, operation: op, blobs: octets }) => [
          id,
          op,
          octets.map((one) => Buffer.from(one).toString('hex')),
        ]),
        many.map((one, i) => [i + 1, operation, one.map((chunks) => Buffer.concat(chunks).toString('hex'))]),
      )
      for (const call of unpacked)
        assert.equal(
          call.sizeBytes,
          call.blobs.reduce((sum, blob) => sum + blob.length, 0),
        )
    }),
  )
})
