import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import type { LineResult } from './lines.ts'
import { LineReader } from './lines.ts'
import { ByteQueue } from './queue.ts'

function readAll(input: Buffer, size: number, maxBytes: number): LineResult[] {
  const queue = new ByteQueue()
  const reader = new LineReader(queue)
  const results: LineResult[] = []
  for (let at = 0; at < input.length; at += size) {
    queue.push(input.subarray(at, at + size))
    for (let read = reader.next(maxBytes); read.kind !== 'need-more'; read = reader.next(maxBytes)) {
      results.push(read)
      if (read.kind === 'too-long') return results
    }
  }
  return results
}

const shown = (results: readonly LineResult[]): unknown[] =>
  results.map((read) =>
    read.kind === 'line' ? [read.bytes.toString('latin1'), read.ending, read.bareCr] : read.kind,
  )

test('CR LF, a bare LF and a bare CR are told apart', () => {
  const input = Buffer.from('a\r\nb\nc\rd\r\n\r\n\n\r\r\ne')
  assert.deepEqual(shown(readAll(input, 99, 99)), [
    ['a', 'crlf', false],
    ['b', 'lf', false],
    ['c\rd', 'crlf', true],
    ['', 'crlf', false],
    ['', 'lf', false],
    ['\r', 'crlf', true],
  ])
})

test('a line has at most so many octets, however it was cut', () => {
  for (const size of [1, 2, 3, 99]) {
    assert.deepEqual(shown(readAll(Buffer.from('12345678\r\n'), size, 10)), [['12345678', 'crlf', false]])
    assert.deepEqual(shown(readAll(Buffer.from('123456789\r\n'), size, 10)), ['too-long'])
    assert.deepEqual(shown(readAll(Buffer.from('1234567890'), size, 10)), ['too-long'])
  }
})

test('property: input cut at every octet or anywhere gives the same lines; round trip by joining them', () => {
  const octets = fc
    .array(fc.constantFrom('\r\n', '\r', '\n', 'x', 'yz'), { maxLength: 40 })
    .map((pieces) => Buffer.from(pieces.join('')))
  fc.assert(
    fc.property(
      octets,
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 30 }),
      (input, size, max) => {
        assert.deepEqual(readAll(input, size, max), readAll(input, 1, max))
        const joined = readAll(input, size, 999)
          .map((read) =>
            read.kind === 'line' ? read.bytes.toString() + (read.ending === 'crlf' ? '\r\n' : '\n') : '',
          )
          .join('')
        assert.equal(joined, input.toString().slice(0, input.lastIndexOf('\n') + 1))
      },
    ),
  )
})
