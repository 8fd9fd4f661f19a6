import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readInitialResponse, readResponse, writeChallenge, writeInitialResponse } from './wire.ts'

test('attack 7a: bad base64 is refused (CVE-2025-59028)', () => {
  for (const line of [
    'A',
    'AA',
    'AAA',
    'AA=',
    'A===',
    '====',
    'AAAA=',
    'AA==AAAA',
    ' AAAA',
    'AAAA ',
    'AA\nAA',
    'AA-_',
    'AAAÄ',
    '=',
    '**',
  ])
    assert.equal(readResponse(line).kind, 'malformed', line)
  // The same octet in a second spelling.
  assert.equal(readResponse('AB==').kind, 'malformed')
  assert.equal(readResponse('A'.repeat(5468)).kind, 'malformed')
})

test('cancelled, empty and initial', () => {
  assert.equal(readResponse('*').kind, 'cancelled')
  assert.deepEqual(readResponse(''), { kind: 'response', bytes: Buffer.alloc(0) })
  assert.equal(readInitialResponse('*').kind, 'malformed')
  assert.equal(readInitialResponse('').kind, 'malformed')
  const empty = readInitialResponse('=')
  assert.ok(empty.kind === 'response' && empty.bytes.length === 0)
})

test('round trip: what is written is read back; cut at every byte it is refused but between two groups', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (octets) => {
      const line = writeChallenge(octets)
      assert.deepEqual(readResponse(line), { kind: 'response', bytes: Buffer.from(octets) })
      const initial = readInitialResponse(writeInitialResponse(octets))
      assert.ok(initial.kind === 'response' && Buffer.from(octets).equals(initial.bytes))
      for (let cut = 1; cut < line.length; cut++)
        if (cut % 4 !== 0) assert.equal(readResponse(line.slice(0, cut)).kind, 'malformed')
    }),
  )
})
