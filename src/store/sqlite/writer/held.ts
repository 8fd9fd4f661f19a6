import { HELD_SLICE_ROWS, THREAD_REFERENCES } from '../../limits.ts'
import { type HoldPlan, planOf } from '../held-rows.ts'
import type { HeldOperation } from '../operations.ts'
import { deliver, type Entry, enqueue } from './accept.ts'
import { dropBodyRef, hashId, type StoredBody, setBodyRefs } from './bodies.ts'
import { type Context, refuse } from './context.ts'
import { insertTrace, type TraceExtra } from './traces.ts'

type Of<Name extends HeldOperation['op']> = Extract<HeldOperation, { op: Name }>

const SELECT_HELD = `SELECT q.body, q.held_ms, q.plan, b.size FROM quarantine q LEFT JOIN bodies b ON b.id = q.body
  WHERE q.trace = ?`
const DELETE_HELD = 'DELETE FROM quarantine WHERE body = ?'
const DELETE_RECIPIENTS = 'DELETE FROM held_recipients WHERE body = ?'
const PAST = 'SELECT body, trace, held_ms, room FROM quarantine WHERE until_ms <= ? ORDER BY until_ms LIMIT ?'
const OLDEST = 'SELECT body, trace, held_ms, room FROM quarantine ORDER BY held_ms LIMIT ?'
const OLDEST_OF =
  'SELECT body, trace, held_ms, room FROM quarantine WHERE network = ? ORDER BY held_ms LIMIT ?'
const TELL = `UPDATE held_recipients SET told_ms = ? WHERE account = ? AND told_ms IS NULL
  AND body = (SELECT body FROM quarantine WHERE trace = ?)`

type HeldRow = readonly [body: number, heldMs: number, plan: string, size: number | null]

/** One commit: what its plan says comes about, the row goes, the trace tells. @returns null where it is not there. */
export function releaseHeld(context: Context, operation: Of<'release-held'>): readonly Entry[] | null {
  const { by, nowMs, trace } = operation
  const row = context.sql.get(SELECT_HELD, trace) as HeldRow | undefined
  if (row === undefined) return null
  const [id, heldMs, text, size] = row
  if (size === null) refuse({ kind: 'io', cause: 'its content is not there; run `hikyaku check`' })
  const plan = planOf(text) ?? refuse({ kind: 'io', cause: 'its plan is damaged; run `hikyaku check`' })
  // An account that is gone since takes nothing; the others still get their mail.
  const deliveries = plan.deliveries.filter(({ owner }) => context.state.account(owner) !== undefined)
  if (deliveries.length === 0 && plan.queue === null)
    refuse({ kind: 'no-such-account', cause: 'nobody is here any more to take it' })
  const body = storedBody(id, size, plan)
  const facts: TraceExtra[] = [{ atMs: nowMs, kind: 'released', by }]
  const entries: Entry[] = []
  for (const delivery of deliveries) {
    const { entry, fact } = deliver(context, delivery, body, nowMs)
    entries.push(entry)
    facts.push(fact)
  }
  if (plan.queue !== null) {
    enqueue(context, { ...plan.queue, nextMs: nowMs }, body, { receivedMs: nowMs, trace })
    facts.push({ atMs: nowMs, kind: 'queued', recipients: queued(plan.queue), nextAttemptAtMs: nowMs })
  }
  setBodyRefs(context.sql, id, deliveries.length + (plan.queue === null ? 0 : 1))
  removeRow(context, id)
  tell(context, { trace, heldMs }, facts)
  return entries
}

/** @returns whether it was there. */
export function deleteHeld(context: Context, operation: Of<'delete-held'>): boolean {
  const { by, nowMs, trace } = operation
  const row = context.sql.get(SELECT_HELD, trace) as HeldRow | undefined
  if (row === undefined) return false
  const [body, heldMs] = row
  removeRow(context, body)
  dropBodyRef(context, body)
  tell(context, { trace, heldMs }, [{ atMs: nowMs, kind: 'deleted', by }])
  return true
}

/** One slice. @returns how many went, and their octets. */
export function expireHeld(
  context: Context,
  operation: Of<'expire-held'>,
): readonly [count: number, bytes: number] {
  const { excessBytes, nowMs } = operation
  const why = excessBytes === null ? 'age' : 'room'
  let [count, bytes] = [0, 0]
  for (const [body, trace, heldMs, room] of nextToExpire(context, operation)) {
    if (excessBytes !== null && bytes >= excessBytes) break
    removeRow(context, body)
    dropBodyRef(context, body)
    tell(context, { trace, heldMs }, [{ atMs: nowMs, kind: 'expired', why }])
    count++
    bytes += room
  }
  return [count, bytes]
}

type ExpiringRow = readonly [body: number, trace: string, heldMs: number, room: number]

function nextToExpire(
  { sql }: Context,
  { excessBytes, network, nowMs }: Of<'expire-held'>,
): readonly ExpiringRow[] {
  if (excessBytes === null) return sql.all(PAST, nowMs, HELD_SLICE_ROWS) as unknown as readonly ExpiringRow[]
  const rows =
    network === null ? sql.all(OLDEST, HELD_SLICE_ROWS) : sql.all(OLDEST_OF, network, HELD_SLICE_ROWS)
  return rows as unknown as readonly ExpiringRow[]
}

export function noteTold(context: Context, operation: Of<'told-held'>): undefined {
  for (const trace of operation.traces) context.sql.run(TELL, operation.nowMs, operation.account, trace)
}

function storedBody(id: number, size: number, { messageId, references }: HoldPlan): StoredBody {
  return {
    id,
    size,
    idHash: messageId === null ? null : hashId(messageId),
    referenceHashes: references.slice(-THREAD_REFERENCES).map(hashId),
  }
}

function queued({ recipients }: NonNullable<HoldPlan['queue']>): readonly string[] {
  return recipients.map(({ address }) => (JSON.parse(address) as readonly string[]).join('@'))
}

function removeRow(context: Context, body: number): void {
  context.sql.run(DELETE_HELD, body)
  context.sql.run(DELETE_RECIPIENTS, body)
}

/** A trace's age counts from its beginning: all its rows go together. */
function tell(
  context: Context,
  { heldMs, trace }: { readonly trace: string; readonly heldMs: number },
  facts: readonly TraceExtra[],
): void {
  insertTrace(context, { id: trace, atMs: heldMs, events: '[]', senders: '', recipients: '' }, facts)
}
