import type { RecordOperation } from '../operations.ts'
import { accept } from './accept.ts'
import { dropBodyRef } from './bodies.ts'
import type { Context } from './context.ts'
import { insertTrace } from './traces.ts'

const SELECT_ITEM = 'SELECT body, trace, arrived_ms FROM queue WHERE id = ?'
// The last reply is replaced as a whole; what the sender asked for (NOTIFY, ORCPT) stays.
const UPDATE_RECIPIENT = `UPDATE queue_recipients SET state = ?, attempts = ?, next_ms = ?,
  detail = json_patch(json_remove(detail, '$.lastReply', '$.lastHost'), ?)
  WHERE queue = ? AND address = ? AND state IN ('waiting', 'held')`
const ANY_WAITING = `SELECT 1 FROM queue_recipients WHERE queue = ? AND state IN ('waiting', 'held')`
const DELETE_RECIPIENTS = 'DELETE FROM queue_recipients WHERE queue = ?'
const DELETE_ITEM = 'DELETE FROM queue WHERE id = ?'

/** Outcomes, trace and the DSN in one commit; an item without waiting recipients goes with its last outcome. */
export function record(
  context: Context,
  operation: RecordOperation,
  blobs: readonly Uint8Array[],
): undefined {
  const { id, dsn, trace } = operation
  const { sql } = context
  const row = sql.get(SELECT_ITEM, id) as ItemRow | undefined
  const traceId = row?.[1] ?? operation.traceId
  if (trace !== null && traceId !== null) {
    // A trace's age counts from its beginning: all its rows go together.
    const atMs = row?.[2] ?? operation.nowMs
    const events = row === undefined ? withoutNextAttempts(trace) : trace
    const rows = { id: traceId, atMs, events, senders: '', recipients: '' }
    insertTrace(context, rows, [])
  }
  // An item that was cancelled during its last attempt is gone; what its sender is told still goes out.
  if (row !== undefined) recordOutcomes(context, operation, row[0])
  if (dsn !== null) accept(context, dsn, blobs)
  context.events.push({ e: 'queue' })
}

/** A message that was cancelled during an attempt is not tried again, whatever that attempt had to say. */
function withoutNextAttempts(trace: string): string {
  return JSON.stringify(JSON.parse(trace), (key, value: unknown) =>
    key === 'nextAttemptAtMs' ? undefined : value,
  )
}

type ItemRow = readonly [body: number, trace: string, arrivedMs: number]

function recordOutcomes(context: Context, operation: RecordOperation, body: number): void {
  const { id, outcomes } = operation
  const { sql } = context
  for (const one of outcomes)
    sql.run(UPDATE_RECIPIENT, one.state, one.attempts, one.nextMs, one.detail, id, one.address)
  if (sql.get(ANY_WAITING, id) !== undefined) return
  sql.run(DELETE_RECIPIENTS, id)
  sql.run(DELETE_ITEM, id)
  dropBodyRef(context, body)
}
