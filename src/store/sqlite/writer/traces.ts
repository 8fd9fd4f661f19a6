import { SLICE_ROWS } from '../../limits.ts'
import type { TraceRows } from '../operations.ts'
import type { Context } from './context.ts'

const INSERT_TRACE = 'INSERT INTO traces (trace, id, at_ms, events) VALUES (?, ?, ?, ?)'
const INSERT_ADDRESSES = 'INSERT INTO trace_addresses (id, trace, senders, recipients) VALUES (?, ?, ?, ?)'
const OLDEST = 'SELECT trace, id, at_ms, octet_length(events) FROM traces ORDER BY trace, id LIMIT ?'
const DELETE_TRACE = 'DELETE FROM traces WHERE trace = ? AND id = ?'
const DELETE_ADDRESSES = 'DELETE FROM trace_addresses WHERE id = ?'

/** Events that only the writer knows: where the message went. */
export type TraceExtra = { readonly atMs: number; readonly kind: string } & Record<string, unknown>

export function insertTrace(context: Context, trace: TraceRows, extras: readonly TraceExtra[]): void {
  if (!context.keepsTraces) return
  const events = extras.length === 0 ? trace.events : joinEvents(trace.events, extras)
  const id = context.state.next('trace')
  context.sql.run(INSERT_TRACE, trace.id, id, trace.atMs, events)
  context.state.addTraceBytes(Buffer.byteLength(events))
  if (trace.senders !== '' || trace.recipients !== '')
    context.sql.run(INSERT_ADDRESSES, id, trace.id, trace.senders, trace.recipients)
}

/** `[a,b]` and more; the array is never parsed. */
function joinEvents(events: string, extras: readonly TraceExtra[]): string {
  const more = JSON.stringify(extras)
  return events === '[]' ? more : `${events.slice(0, -1)},${more.slice(1)}`
}

/**
 * Retention, one slice: forgets the oldest rows by age and by size.
 * @returns true where more is to do.
 */
export function retainTraces(
  context: Context,
  limits: { readonly beforeMs: number | null; readonly maxBytes: number | null },
): boolean {
  const { sql, state } = context
  const rows = sql.all(OLDEST, SLICE_ROWS) as unknown as readonly [string, number, number, number][]
  for (const [trace, id, atMs, bytes] of rows) {
    const old = limits.beforeMs !== null && atMs < limits.beforeMs
    const large = limits.maxBytes !== null && state.traceBytes > limits.maxBytes
    if (!old && !large) return false
    sql.run(DELETE_TRACE, trace, id)
    sql.run(DELETE_ADDRESSES, id)
    state.addTraceBytes(-bytes)
  }
  return rows.length === SLICE_ROWS
}
