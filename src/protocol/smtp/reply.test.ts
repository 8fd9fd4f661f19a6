import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { ByteQueue } from '../../bytes/queue.ts'
import type { Reply } from '../../mail/reply.ts'
import { reply } from '../../mail/reply.ts'
import { CLIENT_LIMITS } from './limits.ts'
import { encodeReply } from './reply.ts'
import type { ReplyResult } from './reply-reader.ts'
import { ReplyReader } from './reply-reader.ts'

function readAll(bytes: Buffer, pieceBytes: number): ReplyResult[] {
  const queue = new ByteQueue()
  const reader = new ReplyReader(queue, CLIENT_LIMITS)
  const results: ReplyResult[] = []
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    queue.push(bytes.subarray(at, at + pieceBytes))
    for (let read = reader.next(); read.kind !== 'need-more'; read = reader.next()) {
      results.push(read)
      if (read.kind === 'invalid') return results
    }
  }
  return results
}

test('a reply is lines with code and enhanced code', () => {
  assert.equal(
    encodeReply(reply(550, '5.1.1', 'No such user\nask her')).toString(),
    '550-5.1.1 No such user\r\n550 5.1.1 ask her\r\n',
  )
  assert.equal(encodeReply({ code: 250, lines: [] }).toString(), '250 \r\n')
})

test('text from outside can’t break a reply', () => {
  const text = encodeReply(reply(550, '5.1.1', 'a\r\n250 ok\u0000\u007f\u0085\u2028é\ud800')).toString(
    'latin1',
  )
  assert.equal(text, '550-5.1.1 a \r\n550 5.1.1 250 ok ???\r\n'.replace('???', '??'))
})

test('UTF-8 where it may be', () => {
  assert.equal(encodeReply(reply(250, undefined, 'für 飛脚'), { utf8: true }).toString(), '250 für 飛脚\r\n')
})

test('a code and an enhanced code that disagree are our own fault', () => {
  assert.throws(() => encodeReply(reply(550, '4.1.1', 'x')), /enhanced code/)
  assert.throws(() => encodeReply(reply(600, undefined, 'x')), /reply code/)
  assert.throws(() => encodeReply(reply(354, '3.0.0', 'x')), /enhanced code/)
})

test('property: any text gives lines of at most 512 octets that are read back', () => {
  const codes = fc.constantFrom([250, '2.1.0'], [451, '4.3.0'], [550, '5.7.1'], [354, undefined] as const)
  fc.assert(
    fc.property(
      codes,
      fc.array(fc.string({ unit: 'binary', maxLength: 1500 }), { maxLength: 4 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 600 }),
      ([code, enhanced], lines, utf8, pieceBytes) => {
        const bytes = encodeReply({ code, enhanced, lines } as Reply, { utf8 })
        for (const line of bytes.toString('latin1').split('\r\n').slice(0, -1)) {
          assert.ok(line.length <= 510)
          assert.match(line, /^\d{3}[ -]/)
          assert.doesNotMatch(line, utf8 ? /[\u0000-\u001f\u007f]/ : /[^ -~]/)
        }
        const [read, ...more] = readAll(bytes, pieceBytes)
        assert.equal(more.length, 0)
        assert.ok(read?.kind === 'reply')
        assert.equal(read.reply.code, code)
        assert.equal(read.reply.enhanced, enhanced)
      },
    ),
  )
})

test('replies cut at every octet; a space may be missing, LF alone ends a line', () => {
  const bytes = Buffer.from(
    '220 hi\r\n250-5.1.0 x\r\n250-\r\n250\r\n550-5.1.1 a\n550 5.1.1  b \r\n354 go\r\n',
  )
  const whole = readAll(bytes, bytes.length)
  assert.deepEqual(
    whole.map((read) => (read.kind === 'reply' ? read.reply : read)),
    [
      { code: 220, enhanced: undefined, lines: ['hi'] },
      { code: 250, enhanced: undefined, lines: ['5.1.0 x', '', ''] },
      { code: 550, enhanced: '5.1.1', lines: ['a', 'b'] },
      { code: 354, enhanced: undefined, lines: ['go'] },
    ],
  )
  for (let size = 1; size < bytes.length; size++) assert.deepEqual(readAll(bytes, size), whole)
})

test('property: no octets break the reader, and cutting changes nothing', () => {
  const octets = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.stringMatching(/^(?:[2-5]\d\d[- ]?[ -~]{0,9}\r?\n){0,9}$/).map((text) => Buffer.from(text)),
  )
  fc.assert(
    fc.property(octets, fc.integer({ min: 1, max: 50 }), (bytes, size) => {
      const buffer = Buffer.from(bytes)
      assert.deepEqual(readAll(buffer, size), readAll(buffer, buffer.length + 1))
    }),
  )
})
