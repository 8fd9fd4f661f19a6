import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Notify } from '../mail/envelope.ts'
import type { QueueId, TraceId } from '../mail/ids.ts'
import { type Reply, reply } from '../mail/reply.ts'
import type { QueueItem, QueueRecipient } from '../ports/queue.ts'
import { MAX_REPLY_CHARS, MAX_REPLY_LINES } from './limits.ts'
import { boundedReply } from './outcome.ts'
import { settle } from './report.ts'
import { address, DEFERRED, REFUSED, TAKEN } from './store.test-kit.ts'

const retry = { retryAfterMs: [100], giveUpAfterMs: 10_000, tellDelayAfterMs: 1_000 }

function recipient(notify: Notify | undefined, more: Partial<QueueRecipient> = {}): QueueRecipient {
  return { address: address('x@a.test'), notify, state: 'waiting', attempts: 5, nextAttemptAtMs: 0, ...more }
}

const item = (recipients: readonly QueueRecipient[], from: string | null = 'me@example.test'): QueueItem => ({
  id: 1 as QueueId,
  traceId: 't' as TraceId,
  sender: { reversePath: from === null ? null : address(from), bodyType: '7BIT', smtputf8: false },
  sizeBytes: 1,
  arrivedAtMs: 0,
  recipients,
})

/** What the sender hears. */
function heard(notify: Notify | undefined, said: Reply, nowMs: number, dsnOffered = false): string {
  const one = recipient(notify)
  const attempt = { results: [{ recipient: one, reply: said }], dsnOffered }
  const { reported } = settle(item([one]), attempt, { retry, nowMs, chance: 0 })
  return reported.map(({ action, expired }) => `${action}${expired ? ' expired' : ''}`).join(' ')
}

// rfc3461 §4.1, each NOTIFY by each end: refused, late, given up, taken by a host without DSN and by one with it.
const TABLE: readonly (readonly [Notify | undefined, ...string[]])[] = [
  [undefined, 'failed', 'delayed', 'failed expired', '', ''],
  ['NEVER', '', '', '', '', ''],
  [['SUCCESS'], '', '', '', 'relayed', ''],
  [['FAILURE'], 'failed', '', 'failed expired', '', ''],
  [['DELAY'], '', 'delayed', '', '', ''],
  [['SUCCESS', 'FAILURE', 'DELAY'], 'failed', 'delayed', 'failed expired', 'relayed', ''],
]
for (const [notify, ...expected] of TABLE) {
  test(`NOTIFY=${notify ?? 'absent'} tells ${expected.join(', ')}`, () => {
    assert.deepEqual(
      [
        heard(notify, REFUSED, 0),
        heard(notify, DEFERRED, 2_000),
        heard(notify, DEFERRED, 20_000),
        heard(notify, TAKEN, 0),
        heard(notify, TAKEN, 0, true),
      ],
      expected,
    )
  })
}

test('attack 13a: a null sender hears nothing', () => {
  const one = recipient(['SUCCESS', 'FAILURE', 'DELAY'])
  for (const said of [REFUSED, TAKEN, DEFERRED]) {
    const attempt = { results: [{ recipient: one, reply: said }], dsnOffered: false }
    assert.deepEqual(settle(item([one], null), attempt, { retry, nowMs: 5_000, chance: 0 }).reported, [])
  }
})

test('recipients that fared alike are one fact of the trace', () => {
  const results = Array.from({ length: 500 }, (_, i) => ({
    recipient: recipient(undefined, { address: address(`u${i}@a.test`) }),
    reply: i === 7 ? REFUSED : TAKEN,
  }))
  const { facts, outcomes } = settle(
    item(results.map((one) => one.recipient)),
    { results, dsnOffered: false, hop: { name: 'mx.a.test', address: '192.0.2.1', port: 25 } },
    { retry, nowMs: 0, chance: 0 },
  )
  assert.equal(outcomes.length, 500)
  assert.deepEqual(
    facts.map((fact) => fact.kind === 'attempt' && [fact.outcome, fact.recipients.length]),
    [
      ['delivered', 499],
      ['failed', 1],
    ],
  )
})

test('attack 11a: of a reply of a megabyte a little is kept', () => {
  const long = boundedReply(
    reply(550, '5.7.1', Array.from({ length: 128 }, () => 'x'.repeat(12_000)).join('\n')),
  )
  assert.ok(long.lines.join('').length <= MAX_REPLY_CHARS)
  const many = boundedReply(reply(550, '5.7.1', 'x\n'.repeat(128)))
  assert.equal(many.lines.length, MAX_REPLY_LINES)
  assert.deepEqual(boundedReply(REFUSED), REFUSED)
})
