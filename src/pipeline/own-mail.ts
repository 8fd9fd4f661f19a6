import { type Address, formatAddress } from '../mail/address.ts'
import type { TraceId } from '../mail/ids.ts'
import type { TraceEvent } from '../mail/trace.ts'
import type { LocalTarget } from '../ports/directory.ts'
import type { AcceptedEntry, Intake, Stored } from '../ports/store.ts'
import { returnPathField } from './received.ts'

/** A message of the server's own: a report, a digest. */
export interface OwnMail {
  readonly traceId: TraceId
  /** Whole, header and body. */
  readonly content: Uint8Array
  readonly to: Address
  readonly local: readonly LocalTarget[]
  readonly remote: readonly Address[]
  /** For the trace's decision: `dsn:delivered`, `digest`. */
  readonly rule: string
  readonly smtputf8: boolean
  readonly nowMs: number
}

/** Stores it as from nobody (rfc5321 §4.5.5): what becomes of it is told to no one, so that no two servers write to each other for ever. */
export async function sendOwnMail(intake: Intake, mail: OwnMail): Promise<Stored<readonly AcceptedEntry[]>> {
  const { traceId, content, to, local, remote, rule, smtputf8, nowMs } = mail
  const writer = intake.body(content.length)
  await writer.write(content)
  const staged = await writer.finish()
  if (!staged.ok) return staged
  const prefix = Buffer.from(returnPathField(null))
  const trace: TraceEvent[] = [
    { atMs: nowMs, kind: 'sender', reversePath: '' },
    {
      atMs: nowMs,
      kind: 'recipient',
      address: formatAddress(to),
      as: local.length > 0 ? 'account' : 'remote',
    },
    { atMs: nowMs, kind: 'decision', action: 'accept', rule },
  ]
  const stored = await intake.accept({
    traceId,
    trace,
    body: staged.value,
    prefix,
    reversePath: null,
    receivedAtMs: nowMs,
    deliveries: local.map(({ account }) => ({ owner: account, mailbox: 'INBOX', flags: [], recipient: to })),
    queue:
      remote.length === 0
        ? undefined
        : {
            sender: { reversePath: null, bodyType: '8BITMIME', smtputf8 },
            skipBytes: prefix.length,
            recipients: remote.map((address) => ({ address })),
            nextAttemptAtMs: nowMs,
          },
  })
  if (!stored.ok) staged.value.discard()
  return stored
}
