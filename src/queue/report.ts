import { formatAddress } from '../mail/address.ts'
import { formatReply } from '../mail/reply.ts'
import type { TraceFact } from '../mail/trace.ts'
import type { ReportAction } from '../mime/delivery-report.ts'
import type { QueueItem, QueueRecipient, RecipientOutcome } from '../ports/queue.ts'
import type { Attempt } from './attempt.ts'
import { wantsReport } from './dsn.ts'
import { outcomeOf } from './outcome.ts'
import { isDelayTold, nextAttempt, type RetrySettings } from './schedule.ts'

/** What one attempt changes, and what the sender is told of it. Pure. */
export interface Settled {
  readonly outcomes: readonly RecipientOutcome[]
  readonly facts: readonly TraceFact[]
  readonly reports: ReadonlyMap<ReportAction, readonly RecipientOutcome[]>
}

export function settle(
  item: QueueItem,
  attempt: Attempt,
  at: { readonly retry: RetrySettings; readonly nowMs: number; readonly chance: number },
): Settled {
  const outcomes = attempt.recipients.map((recipient, i) =>
    settleOne(item, recipient, attempt, { ...at, index: i }),
  )
  const reports = new Map<ReportAction, RecipientOutcome[]>()
  for (const [i, { action }] of outcomes.entries()) {
    const recipient = attempt.recipients[i] as QueueRecipient
    if (action === undefined || !wantsReport(item.sender, recipient, action)) continue
    reports.set(action, [...(reports.get(action) ?? []), (outcomes[i] as (typeof outcomes)[0]).outcome])
  }
  return {
    outcomes: outcomes.map(({ outcome }) => outcome),
    facts: outcomes.map(({ outcome }) => attemptFact(outcome, attempt)),
    reports,
  }
}

function settleOne(
  item: QueueItem,
  recipient: QueueRecipient,
  attempt: Attempt,
  at: {
    readonly retry: RetrySettings
    readonly nowMs: number
    readonly chance: number
    readonly index: number
  },
): { readonly outcome: RecipientOutcome; readonly action: ReportAction | undefined } {
  const lastReply = attempt.replies[at.index] as Attempt['replies'][0]
  const attempts = recipient.attempts + 1
  const base = {
    address: recipient.address,
    attempts,
    lastReply,
    lastHost: attempt.hop?.name,
    nextAttemptAtMs: at.nowMs,
    delayToldAtMs: recipient.delayToldAtMs,
  }
  switch (outcomeOf(lastReply)) {
    case 'delivered':
      // A host that knows DSN sends them itself (rfc3461 §5.2.2).
      return { outcome: { ...base, state: 'delivered' }, action: attempt.dsnOffered ? undefined : 'relayed' }
    case 'failed':
      return { outcome: { ...base, state: 'failed' }, action: 'failed' }
    case 'deferred': {
      const next = nextAttempt(at.retry, {
        attempts,
        arrivedAtMs: item.arrivedAtMs,
        nowMs: at.nowMs,
        chance: at.chance,
      })
      if (next.kind === 'give-up') return { outcome: { ...base, state: 'failed' }, action: 'failed' }
      const tell = isDelayTold(at.retry, {
        arrivedAtMs: item.arrivedAtMs,
        nowMs: at.nowMs,
        toldAtMs: recipient.delayToldAtMs,
      })
      const delayToldAtMs = tell ? at.nowMs : recipient.delayToldAtMs
      return {
        outcome: { ...base, state: 'waiting', nextAttemptAtMs: next.atMs, delayToldAtMs },
        action: tell ? 'delayed' : undefined,
      }
    }
  }
}

function attemptFact(outcome: RecipientOutcome, attempt: Attempt): TraceFact {
  return {
    kind: 'attempt',
    recipients: [formatAddress(outcome.address)],
    host: attempt.hop?.name,
    address: attempt.hop?.address,
    tls: attempt.tls,
    outcome:
      outcome.state === 'delivered' ? 'delivered' : outcome.state === 'waiting' ? 'deferred' : 'failed',
    reply: outcome.lastReply,
    nextAttemptAtMs: outcome.state === 'waiting' ? outcome.nextAttemptAtMs : undefined,
  }
}

/** For the log line of an attempt. */
export function attemptFields(
  outcome: RecipientOutcome,
  attempt: Attempt,
): Readonly<Record<string, string | number | undefined>> {
  return {
    to: formatAddress(outcome.address),
    state: outcome.state,
    host: attempt.hop === undefined ? undefined : `${attempt.hop.name}[${attempt.hop.address}]`,
    tls: attempt.tls,
    reply: outcome.lastReply === undefined ? undefined : formatReply(outcome.lastReply),
    cause: outcome.lastReply?.cause,
    attempts: outcome.attempts,
  }
}
