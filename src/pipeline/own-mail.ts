import { type Address, formatAddress } from '../mail/address.ts'
import { assert } from '../mail/assert.ts'
import type { Notify } from '../mail/envelope.ts'
import type { TraceId } from '../mail/ids.ts'
import type { TraceEvent } from '../mail/trace.ts'
import type { LocalTarget } from '../ports/directory.ts'
import type { NewQueueItem } from '../ports/new-queue-item.ts'
import type { ReportedDay } from '../ports/reported-day.ts'
import type { AcceptedEntry, Intake, Stored } from '../ports/store.ts'
import { returnPathField } from './received.ts'

/** A message of the server's own: a report, a digest. */
export interface OwnMail {
  readonly traceId: TraceId
  /** Whole, header and body. */
  readonly content: Uint8Array
  /** Whom it is addressed to; what is delivered here is delivered for the first. */
  readonly to: readonly Address[]
  readonly local: readonly LocalTarget[]
  readonly remote: readonly Address[]
  /** For the trace's decision: `dsn:delivered`, `digest`. */
  readonly rule: string
  readonly smtputf8: boolean
  readonly nowMs: number
  /**
   * Nobody where it is left out (rfc5321 §4.5.5): what becomes of it is told to no one, so that no two servers write to
   * each other for ever.
   */
  readonly reversePath?: Address | undefined
  /** What is asked of servers elsewhere (rfc3461 §4.1). */
  readonly notify?: Notify | undefined
  /** Closed by the commit that takes the message. */
  readonly reported?: ReportedDay | undefined
}

/** Stores it in one commit, with its trace. */
export async function sendOwnMail(intake: Intake, mail: OwnMail): Promise<Stored<readonly AcceptedEntry[]>> {
  const { traceId, content, to, local, reversePath = null, reported, nowMs } = mail
  const [recipient] = to
  assert(recipient !== undefined, 'a message of ours goes to somebody')
  const writer = intake.body(content.length)
  await writer.write(content)
  const staged = await writer.finish()
  if (!staged.ok) return staged
  const prefix = Buffer.from(returnPathField(reversePath))
  const stored = await intake.accept({
    traceId,
    trace: traceOf(mail),
    body: staged.value,
    prefix,
    reversePath,
    receivedAtMs: nowMs,
    deliveries: local.map(({ account }) => ({ owner: account, mailbox: 'INBOX', flags: [], recipient })),
    queue: queueItemOf(mail, prefix.length),
    reported,
  })
  if (!stored.ok) staged.value.discard()
  return stored
}

function queueItemOf(mail: OwnMail, skipBytes: number): NewQueueItem | undefined {
  const { notify, nowMs, remote, reversePath = null, smtputf8 } = mail
  if (remote.length === 0) return undefined
  return {
    sender: { reversePath, bodyType: '8BITMIME', smtputf8 },
    skipBytes,
    recipients: remote.map((address) => (notify === undefined ? { address } : { address, notify })),
    nextAttemptAtMs: nowMs,
  }
}

function traceOf({ local, nowMs: atMs, remote, reversePath, rule, to }: OwnMail): readonly TraceEvent[] {
  const as = local.length > 0 ? 'account' : 'remote'
  const queued = remote.map(formatAddress)
  return [
    { atMs, kind: 'sender', reversePath: reversePath === undefined ? '' : formatAddress(reversePath) },
    ...to.map((address) => ({ atMs, kind: 'recipient', address: formatAddress(address), as }) as const),
    ...(queued.length === 0
      ? []
      : [{ atMs, kind: 'queued', recipients: queued, nextAttemptAtMs: atMs } as const]),
    { atMs, kind: 'decision', action: 'accept', rule },
  ]
}
