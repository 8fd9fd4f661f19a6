import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseMailboxName } from '../../mail/mailbox-name.ts'
import { appendCommand, command, condition, response } from './arbitraries.test-kit.ts'
import { encodeCommand } from './encode-command.ts'
import { literalMark } from './literal.ts'
import { parseCommand } from './parse-command.ts'
import { isTextLine, parseServerLine } from './parse-response.ts'
import type { WirePart } from './reader.ts'
import { encodeResponse } from './response.ts'
import { encodeCondition } from './responses/condition.ts'

/** Cuts a whole response into text and literals, as an input does that has all of it. */
function partsOf(wire: string): WirePart[] {
  const parts: WirePart[] = []
  for (let at = 0; ; ) {
    const end = wire.indexOf('\r\n', at)
    const line = wire.slice(at, end)
    const mark = parts.length === 0 && isTextLine(line) ? undefined : literalMark(line)
    parts.push({ kind: 'text', text: mark?.text ?? line })
    if (mark === undefined) {
      assert.equal(end + 2, wire.length, 'octets behind the response')
      return parts
    }
    at = end + 2 + mark.sizeBytes
    parts.push({ kind: 'literal', octets: wire.slice(end + 2, at) })
  }
}

test('round trip of every command', () => {
  fc.assert(
    fc.property(command, (one) => {
      assert.deepEqual(parseCommand(encodeCommand('t1', one)), { ok: true, tag: 't1', command: one })
    }),
    { numRuns: 2000 },
  )
})

test('a mailbox name too long for a quoted string is a literal of its own', () => {
  const mailbox = parseMailboxName(Array.from({ length: 4 }, () => `${'é'.repeat(120)} x`).join('/'))
  assert.ok(mailbox !== undefined)
  const parts = encodeCommand('t1', { kind: 'select', mailbox })
  assert.deepEqual(
    parts.map(({ kind }) => kind),
    ['text', 'literal', 'text'],
  )
  assert.deepEqual(parseCommand(parts), { ok: true, tag: 't1', command: { kind: 'select', mailbox } })
})

test('round trip of APPEND', () => {
  fc.assert(
    fc.property(appendCommand, (one) => {
      assert.deepEqual(parseCommand(encodeCommand('t1', one)), { ok: true, tag: 't1', command: one })
    }),
  )
})

test('round trip of every response', () => {
  fc.assert(
    fc.property(response, (one) => {
      assert.deepEqual(parseServerLine(partsOf(encodeResponse(one))), { kind: 'untagged', response: one })
    }),
    { numRuns: 2000 },
  )
})

test('round trip of completions', () => {
  fc.assert(
    fc.property(condition, (one) => {
      const line = parseServerLine(partsOf(encodeCondition(one, 'a1')))
      assert.deepEqual(line, { kind: 'tagged', tag: 'a1', condition: one })
    }),
  )
})
