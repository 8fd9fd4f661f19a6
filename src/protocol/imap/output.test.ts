import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Output } from './output.ts'

type Piece = { text: string } | { number: number } | { octets: Uint8Array }

const texts = fc
  .oneof(fc.uint8Array({ maxLength: 90 }), fc.uint8Array({ minLength: 600, maxLength: 2000 }))
  .map((octets): Piece => ({ text: Buffer.from(octets).toString('latin1') }))
const edges = [0, 9, 10, 99, 100, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1_0000_0000, 2 ** 40]
const numbers = fc
  .oneof(fc.nat(), fc.constantFrom(...edges), fc.integer({ min: 0, max: 2 ** 45 }))
  .map((number): Piece => ({ number }))
const sizes = fc.oneof(fc.nat(40), fc.integer({ min: 10_000, max: 40_000 }), fc.constantFrom(81_920, 100_000))
const octets = fc
  .tuple(sizes, fc.nat(250))
  .map(([size, first]): Piece => ({ octets: Uint8Array.from({ length: size }, (_, i) => first + i * 7) }))
const takes = fc.array(fc.array(fc.oneof(texts, numbers, octets), { maxLength: 30 }), { maxLength: 8 })

test('what is written comes out whole and in order, and what was taken stays as it was', () => {
  fc.assert(
    fc.property(takes, (rounds) => {
      const out = new Output()
      const taken = rounds.map((pieces) => {
        for (const piece of pieces) write(out, piece)
        assert.equal(out.pendingBytes, expected(pieces).length)
        return out.take()
      })
      for (const [at, pieces] of rounds.entries()) assert.ok(taken[at]?.equals(expected(pieces)))
    }),
    { numRuns: 60 },
  )
})

test('the few octets behind a long answer hold no long block', () => {
  const out = new Output()
  for (let i = 0; i < 10_000; i++) out.text('* 1 EXISTS\r\n')
  assert.equal(out.take().length, 120_000)
  out.text('a1 OK done\r\n')
  assert.ok(out.take().buffer.byteLength <= 64 * 1024)
})

function write(out: Output, piece: Piece): void {
  if ('text' in piece) out.text(piece.text)
  else if ('number' in piece) out.number(piece.number)
  else out.octets(piece.octets)
}

function expected(pieces: readonly Piece[]): Buffer {
  return Buffer.concat(
    pieces.map((piece) => {
      if ('text' in piece) return Buffer.from(piece.text, 'latin1')
      return 'number' in piece ? Buffer.from(String(piece.number)) : piece.octets
    }),
  )
}
