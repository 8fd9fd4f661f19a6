import type { AcceptOperation, HoldRow } from '../operations.ts'
import { insertBody } from './bodies.ts'
import type { Context } from './context.ts'
import { insertTrace } from './traces.ts'

const INSERT_HOLD = `INSERT INTO quarantine (body, trace, held_ms, until_ms, sender, network, size, room, hold, plan)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
const INSERT_RECIPIENT =
  'INSERT INTO held_recipients (body, n, address, account, told_ms) VALUES (?, ?, ?, ?, NULL)'

/** Body, quarantine row and trace in one commit. What it would have become is in its plan. */
export function insertHold(
  context: Context,
  operation: AcceptOperation & { readonly hold: HoldRow },
  blobs: readonly Uint8Array[],
): void {
  const { hold, receivedMs, trace } = operation
  const { network, plan, recipients, sender, untilMs } = hold
  const body = insertBody(context, operation.body, blobs, 1)
  const room = body.size + Buffer.byteLength(hold.hold) + Buffer.byteLength(plan)
  const times = [receivedMs, untilMs] as const
  context.sql.run(INSERT_HOLD, body.id, trace.id, ...times, sender, network, body.size, room, hold.hold, plan)
  for (const [n, [address, account]] of recipients.entries())
    context.sql.run(INSERT_RECIPIENT, body.id, n, address, account)
  const addresses = recipients.map(([address]) => address)
  insertTrace(context, trace, [{ atMs: receivedMs, kind: 'quarantined', untilMs, recipients: addresses }])
}
