import { addressKey, formatAddress } from '../mail/address.ts'
import type { EnvelopeSender } from '../mail/envelope.ts'
import type { TraceId } from '../mail/ids.ts'
import type { TraceEvent } from '../mail/trace.ts'
import type { NewQueueItem } from '../ports/new-queue-item.ts'
import type { Delivery, StagedBody, StoreFailure } from '../ports/store.ts'
import type { Accepted } from './accepted.ts'
import type { Role } from './origin.ts'
import type { PipelinePorts } from './ports.ts'
import { reportSuccess } from './success-report.ts'

export interface Commit {
  readonly traceId: TraceId
  /** Grown by what is decided here. */
  readonly trace: TraceEvent[]
  readonly sender: EnvelopeSender
  readonly accepted: readonly Accepted[]
  readonly body: StagedBody
  readonly prefix: Uint8Array
  readonly skipBytes: number
  readonly nowMs: number
  readonly role: Role
}

export type CommitOutcome =
  | { readonly kind: 'committed' }
  | { readonly kind: 'failed'; readonly failure: StoreFailure }

/** Splits the recipients into mailboxes here and the queue, and stores both in the one commit (law 3). */
export async function commitMessage(ports: PipelinePorts, commit: Commit): Promise<CommitOutcome> {
  const { traceId, trace, sender, body, prefix, nowMs } = commit
  const deliveries = localDeliveries(commit.accepted)
  const queue = remoteQueue(commit)
  if (queue !== undefined) {
    trace.push({
      atMs: nowMs,
      kind: 'queued',
      recipients: queue.recipients.map(({ address }) => formatAddress(address)),
      nextAttemptAtMs: nowMs,
    })
  }
  const nowhere = deliveries.length === 0 && queue === undefined
  trace.push({
    atMs: nowMs,
    kind: 'decision',
    action: nowhere ? 'discard' : 'accept',
    rule: nowhere ? 'test-domain' : 'default',
  })
  if (nowhere) {
    body.discard()
    ports.intake.trace(traceId, trace)
    return { kind: 'committed' }
  }
  const stored = await ports.intake.accept({
    traceId,
    trace,
    body,
    prefix,
    reversePath: sender.reversePath,
    receivedAtMs: nowMs,
    deliveries,
    queue,
  })
  if (!stored.ok) {
    // The decision above did not come to be; what did is noted by the caller.
    trace.pop()
    return { kind: 'failed', failure: stored.failure }
  }
  for (const entry of stored.value) {
    ports.log.event(
      'message.stored',
      { account: ports.directory.loginOf(entry.owner), mailbox: entry.mailbox, uid: entry.uid },
      traceId,
    )
  }
  await reportSuccess(ports, commit)
  return { kind: 'committed' }
}

/** One copy for each account, however many of its addresses were named. */
function localDeliveries(accepted: readonly Accepted[]): readonly Delivery[] {
  const byAccount = new Map<number, Delivery>()
  for (const { address, local } of accepted) {
    for (const target of local) {
      if (byAccount.has(target.account)) continue
      byAccount.set(target.account, {
        owner: target.account,
        mailbox: 'INBOX',
        flags: [],
        recipient: address,
      })
    }
  }
  return [...byAccount.values()]
}

function remoteQueue({ accepted, sender, skipBytes, nowMs }: Commit): NewQueueItem | undefined {
  const recipients = new Map<string, NewQueueItem['recipients'][number]>()
  for (const { remote, notify, orcpt } of accepted) {
    for (const address of remote) {
      const key = addressKey(address)
      if (!recipients.has(key)) recipients.set(key, { address, notify, orcpt })
    }
  }
  return recipients.size === 0
    ? undefined
    : { sender, skipBytes, recipients: [...recipients.values()], nextAttemptAtMs: nowMs }
}
