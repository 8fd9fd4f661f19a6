import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeMessage, stampId } from './message.ts'

test('a message has the size that was asked for, CRLF ends, and no line that starts with a dot', () => {
  for (const sizeBytes of [1_500, 4_096, 65_536]) {
    for (let seed = 0; seed < 20; seed++) {
      const message = makeMessage(seed, sizeBytes)
      assert.equal(message.length, sizeBytes)
      const text = message.toString('latin1')
      assert.ok(text.endsWith('--\r\n'))
      assert.doesNotMatch(text, /(^|[^\r])\n|\r(?!\n)|(^|\n)\./)
      for (const line of text.split('\r\n')) assert.ok(line.length <= 160)
    }
  }
})

test('an id is stamped in place', () => {
  const message = makeMessage(1, 4_096)
  stampId(message, 42)
  assert.match(message.toString('latin1'), /^Message-ID: <000000000042\.1@far\.example>\r$/m)
  assert.equal(message.length, 4_096)
})

test('messages differ by seed and repeat for one', () => {
  assert.deepEqual(makeMessage(3, 4_096), makeMessage(3, 4_096))
  assert.notDeepEqual(makeMessage(3, 4_096), makeMessage(4, 4_096))
})
