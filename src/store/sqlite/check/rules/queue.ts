import { isTraceId } from '../../../../mail/ids.ts'
import { SALVAGE } from '../finding.ts'
import type { Rule } from '../rule.ts'
import { isAddressPair, isDetail, isSender, jsonOf } from '../texts.ts'

const STATES = `('waiting', 'held', 'delivered', 'failed', 'cancelled')`

/** What waits to go out, and the traces. */
export const QUEUE_RULES: readonly Rule[] = [
  {
    kind: 'queue-body',
    table: 'queue',
    sql: 'SELECT id, body AS ofBody FROM queue WHERE body NOT IN (SELECT id FROM bodies)',
    says: ({ ofBody }) => `the content of the message that waits, body number ${ofBody}, is not there`,
    advice: 'take it out with `hikyaku queue cancel`, and tell its sender',
  },
  {
    kind: 'queue-form',
    table: 'queue',
    sql: 'SELECT id, trace, sender FROM queue',
    isWrong: ({ sender, trace }) => typeof trace !== 'string' || !isTraceId(trace) || !isSender(sender),
    says: () => 'who sent the message that waits cannot be read',
    advice: SALVAGE,
  },
  {
    kind: 'queue-size',
    table: 'queue',
    sql: `SELECT q.id, q.skip, q.size AS has, b.size - q.skip AS should,
        (q.skip BETWEEN 0 AND octet_length(b.prefix)) AS isSure
      FROM queue q JOIN bodies b ON b.id = q.body
      WHERE q.size != b.size - q.skip OR q.skip NOT BETWEEN 0 AND octet_length(b.prefix)`,
    says: ({ has, isSure, should, skip }) =>
      isSure === 1
        ? `the message that waits is said to have ${has} octets, and has ${should}`
        : `${skip} octets before the message that waits are not to go out, which cannot be`,
    isProven: ({ isSure }) => isSure === 1,
    repair: ['UPDATE queue SET size = $should WHERE id = $id'],
    repaired: ({ should }) => `it has ${should} octets`,
    advice: SALVAGE,
  },
  {
    kind: 'queue-recipients',
    table: 'queue',
    sql: `SELECT q.id FROM queue q WHERE NOT EXISTS
      (SELECT 1 FROM queue_recipients r WHERE r.queue = q.id AND r.state IN ('waiting', 'held'))`,
    says: () => 'the message in the queue waits for no recipient',
    advice: 'look at it with `hikyaku queue show`, then take it out with `hikyaku queue cancel`',
  },
  {
    kind: 'recipient-stray',
    table: 'queue_recipients',
    sql: `SELECT queue || '/' || n AS row, queue AS ofQueue, n, address FROM queue_recipients
      WHERE queue NOT IN (SELECT id FROM queue)`,
    says: ({ address }) => `recipient ${address} of a message that is not in the queue`,
    repair: ['DELETE FROM queue_recipients WHERE queue = $ofQueue AND n = $n'],
    repaired: () => 'removed',
  },
  {
    kind: 'recipient-form',
    table: 'queue_recipients',
    sql: `SELECT queue || '/' || n AS row, address, state, state IN ${STATES} AS isState FROM queue_recipients`,
    isWrong: ({ address, isState }) => isState !== 1 || !isAddressPair(address),
    says: () => 'the address of a recipient, or how far its delivery is, cannot be read',
    advice: SALVAGE,
  },
  {
    kind: 'recipient-detail',
    table: 'queue_recipients',
    sql: `SELECT queue || '/' || n AS row, queue AS ofQueue, n, detail FROM queue_recipients`,
    isWrong: ({ detail }) => !isDetail(detail),
    says: () => 'what the sender asked for this recipient, and its last reply, cannot be read',
    repair: [`UPDATE queue_recipients SET detail = '{}' WHERE queue = $ofQueue AND n = $n`],
    repaired: () => 'it is delivered as if the sender had asked for nothing special',
  },
  {
    kind: 'trace-form',
    table: 'traces',
    sql: `SELECT trace || '/' || id AS row, trace, CASE WHEN json_valid(events) THEN NULL ELSE events END AS broken,
        CASE WHEN json_valid(events) THEN json_type(events) END AS type FROM traces`,
    isWrong: ({ trace, type }) => type !== 'array' || typeof trace !== 'string' || !isTraceId(trace),
    says: ({ broken }) =>
      broken !== null && jsonOf(broken) === undefined
        ? 'what happened to the message cannot be read'
        : 'the trace has no right id or no list of events',
    advice: 'nothing needs to be done: it goes with its age, and no mail hangs on it',
  },
  {
    kind: 'trace-address-stray',
    table: 'trace_addresses',
    sql: `SELECT d.id FROM trace_addresses d WHERE NOT EXISTS
      (SELECT 1 FROM traces t WHERE t.trace = d.trace AND t.id = d.id)`,
    says: () => 'addresses of a trace that is not there',
    repair: ['DELETE FROM trace_addresses WHERE id = $id'],
    repaired: () => 'removed',
  },
]
