import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertOnlyTraceAdded, dotStuffed, samples, withCrlf } from './messages.ts'

const trace = Buffer.from('Return-Path: <a@b.test>\r\nReceived: from x by y\r\n\twith ESMTPS; now\r\n')

test('trace fields above a message are no difference', () => {
  for (const { name, bytes } of samples) {
    const added = assertOnlyTraceAdded(Buffer.concat([trace, bytes]), bytes, name)
    assert.equal(added, trace.toString())
  }
})

test('any other field above, and any changed octet, is told', () => {
  for (const { name, bytes } of samples) {
    const other = Buffer.concat([trace, Buffer.from('X-Added: 1\r\n'), bytes])
    assert.throws(() => assertOnlyTraceAdded(other, bytes, name), /"X-Added" was added/)
    for (const at of [0, Math.floor(bytes.length / 2), bytes.length - 1]) {
      const changed = Buffer.concat([trace, bytes])
      changed[trace.length + at] = (changed[trace.length + at] ?? 0) ^ 1
      assert.throws(() => assertOnlyTraceAdded(changed, bytes, name), /differs/)
    }
    assert.throws(() => assertOnlyTraceAdded(Buffer.concat([trace, bytes, Buffer.from('\r\n')]), bytes, name))
    assert.throws(() => assertOnlyTraceAdded(bytes.subarray(1), bytes, name))
  }
})

test('every sample is a message of whole lines, none too long for SMTP', () => {
  for (const { name, bytes } of samples) {
    const text = bytes.toString('latin1')
    assert.ok(text.endsWith('\r\n'), name)
    assert.doesNotMatch(text.replaceAll('\r\n', ''), /[\r\n]/, name)
    // rfc5321 §4.5.3.1.6: 1,000 octets with the line end.
    assert.ok(Math.max(...text.split('\r\n').map((line) => line.length)) <= 998, name)
    assert.ok(withCrlf(Buffer.from(text.replaceAll('\r\n', '\n'), 'latin1')).equals(bytes), name)
  }
})

test('dots are doubled at the start of lines alone, and the end is marked', () => {
  assert.equal(dotStuffed(Buffer.from('.a\r\nb.\r\n.\r\n')).toString(), '..a\r\nb.\r\n..\r\n.\r\n')
  assert.equal(dotStuffed(Buffer.from('a')).toString(), 'a\r\n.\r\n')
})
