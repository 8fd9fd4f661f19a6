import { INBOX } from '../../../mail/mailbox-name.ts'
import type { AcceptOperation, AppendOperation, DeliveryRow, QueueRow } from '../operations.ts'
import { insertBody, insertMessage, type StoredBody } from './bodies.ts'
import { type Context, refuse, requireAccount, requireNamed } from './context.ts'
import { bitsOf, checkNotFull, checkQuota, insertEntry } from './entries.ts'
import { insertHold } from './hold.ts'
import { closeDay } from './reports.ts'
import type { AccountState, MailboxState } from './state.ts'
import { insertTrace, type TraceExtra } from './traces.ts'

const INSERT_QUEUE =
  'INSERT INTO queue (id, body, trace, sender, skip, size, arrived_ms) VALUES (?, ?, ?, ?, ?, ?, ?)'
const INSERT_RECIPIENT = `INSERT INTO queue_recipients (queue, n, address, state, attempts, next_ms, detail)
  VALUES (?, ?, ?, 'waiting', 0, ?, ?)`

export type Entry = readonly [owner: number, mailbox: string, uid: number]

/** Law 3: body, entries, queue rows and trace in one commit, or nothing of it. */
export function accept(
  context: Context,
  operation: AcceptOperation,
  blobs: readonly Uint8Array[],
): readonly Entry[] {
  const { deliveries, hold, queue, receivedMs, trace } = operation
  if (hold) {
    insertHold(context, { ...operation, hold }, blobs)
    return []
  }
  const refs = deliveries.length + (queue === null ? 0 : 1)
  const extras: TraceExtra[] = []
  const entries: Entry[] = []
  if (operation.reported) closeDay(context, operation.reported)
  if (refs > 0) {
    const body = insertBody(context, operation.body, blobs, refs)
    for (const delivery of deliveries) {
      const { entry, fact } = deliver(context, delivery, body, receivedMs)
      entries.push(entry)
      extras.push(fact)
    }
    if (queue !== null) enqueue(context, queue, body, { receivedMs, trace: trace.id })
  }
  insertTrace(context, trace, extras)
  return entries
}

/** Puts it into the account's mailbox; `fact` is for the trace. */
export function deliver(
  context: Context,
  delivery: DeliveryRow,
  body: StoredBody,
  receivedMs: number,
): { readonly entry: Entry; readonly fact: TraceExtra } {
  const account = requireAccount(context, delivery.owner)
  checkNotFull(account)
  const mailbox = target(account, delivery) ?? requireNamed(context, account.id, INBOX)
  const flags = bitsOf(context, mailbox, delivery.flags, 'drop')
  const message = insertMessage(context, { account: account.id, body, arrivedMs: receivedMs, zone: 0 })
  const modseq = context.state.nextModseq(account)
  const uid = insertEntry(context, { account, mailbox, modseq }, { message, flags, size: body.size })
  context.events.push({ e: 'added', mailbox: mailbox.id, modseq, rows: [uid, message, flags] })
  const fact = { atMs: receivedMs, kind: 'stored', account: account.login, mailbox: mailbox.name, uid }
  return { entry: [account.id, mailbox.name, uid], fact }
}

function target(account: AccountState, { mailbox, use }: DeliveryRow): MailboxState | undefined {
  const ofUse = use ? [...account.byId.values()].find((one) => one.specialUse === use) : undefined
  return [ofUse, account.byName.get(mailbox)].find((one) => one?.selectable)
}

export function enqueue(
  context: Context,
  queue: QueueRow,
  body: StoredBody,
  arrival: { readonly receivedMs: number; readonly trace: string },
): void {
  const { nextMs, recipients, sender, skip } = queue
  const id = context.state.next('queue')
  const size = body.size - skip
  context.sql.run(INSERT_QUEUE, id, body.id, arrival.trace, sender, skip, size, arrival.receivedMs)
  for (const [n, { address, detail }] of recipients.entries())
    context.sql.run(INSERT_RECIPIENT, id, n, address, nextMs, detail)
  context.events.push({ e: 'queue' })
}

/** APPEND, of several messages as of one (rfc3502 §6.3.11): all or none. */
export function append(
  context: Context,
  operation: AppendOperation,
  blobs: readonly Uint8Array[],
): { readonly uidValidity: number; readonly uids: readonly number[] } {
  const account = requireAccount(context, operation.owner)
  const mailbox = requireNamed(context, operation.owner, operation.mailbox)
  if (operation.messages.length === 0) refuse({ kind: 'limit', what: 'nothing to append' })
  const modseq = context.state.nextModseq(account)
  const rows: number[] = []
  const uids: number[] = []
  for (const one of operation.messages) {
    checkQuota(account, one.body.size)
    const body = insertBody(context, one.body, blobs, 1)
    const flags = bitsOf(context, mailbox, one.flags, 'refuse')
    const message = insertMessage(context, {
      account: account.id,
      body,
      arrivedMs: one.dateMs,
      zone: one.zone,
    })
    const uid = insertEntry(context, { account, mailbox, modseq }, { message, flags, size: body.size })
    uids.push(uid)
    if (one.trace !== null) {
      const at = { atMs: one.trace.atMs, account: account.login, mailbox: mailbox.name, uid }
      insertTrace(context, one.trace, [{ kind: 'stored', ...at }])
    }
    rows.push(uid, message, flags)
  }
  context.events.push({ e: 'added', mailbox: mailbox.id, modseq, rows })
  return { uidValidity: mailbox.uidValidity, uids }
}
