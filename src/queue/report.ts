import { formatAddress } from '../mail/address.ts'
import { formatReply } from '../mail/reply.ts'
import type { TraceFact } from '../mail/trace.ts'
import type { ReportedRecipient } from '../mime/delivery-report-types.ts'
import type { ReportAction } from '../mime/report-texts.ts'
import type { QueueItem, RecipientOutcome } from '../ports/queue.ts'
import type { Attempt, AttemptResult } from './attempt.ts'
import { wantsReport } from './notify.ts'
import { outcomeOf } from './outcome.ts'
import { isDelayTold, nextAttempt, type RetrySettings } from './schedule.ts'

/** What one attempt changes, and what the sender is told of it. Pure. */
export interface Settled {
  readonly outcomes: readonly RecipientOutcome[]
  readonly facts: readonly TraceFact[]
  /** What the sender wants to hear; empty: nothing. */
  readonly reported: readonly ReportedRecipient[]
}

interface Moment {
  readonly retry: RetrySettings
  readonly nowMs: number
  /** Where the clock has jumped ahead and is not believed yet; by it messages are not too old. */
  readonly believedMs?: number | undefined
  /** 0 to 1, the same for all: recipients of one message stay together. */
  readonly chance: number
}

export function settle(item: QueueItem, attempt: Attempt, at: Moment): Settled {
  const outcomes: RecipientOutcome[] = []
  const reported: ReportedRecipient[] = []
  for (const result of attempt.results) {
    const { outcome, action, expired } = settleOne(item, result, attempt, at)
    outcomes.push(outcome)
    const { recipient, reply } = result
    if (action === undefined || !wantsReport(item.sender, recipient, action)) continue
    const { address, orcpt } = recipient
    reported.push({
      ...{ address, orcpt, action, reply, expired },
      remoteHost: outcome.lastHost,
      willRetryUntilMs: action === 'delayed' ? item.arrivedAtMs + at.retry.giveUpAfterMs : undefined,
    })
  }
  return { outcomes, facts: attemptFacts(outcomes, attempt), reported }
}

interface SettledOne {
  readonly outcome: RecipientOutcome
  readonly action?: ReportAction | undefined
  readonly expired?: boolean | undefined
}

function settleOne(
  item: QueueItem,
  { recipient, reply }: AttemptResult,
  attempt: Attempt,
  { retry, nowMs, believedMs = nowMs, chance }: Moment,
): SettledOne {
  const { address, delayToldAtMs } = recipient
  const attempts = recipient.attempts + 1
  const lastHost = attempt.hop?.name
  const base = { address, attempts, lastReply: reply, lastHost, nextAttemptAtMs: nowMs, delayToldAtMs }
  switch (outcomeOf(reply)) {
    case 'delivered':
      // A host that knows DSN sends them itself (rfc3461 §5.2.1).
      return { outcome: { ...base, state: 'delivered' }, action: attempt.dsnOffered ? undefined : 'relayed' }
    case 'failed':
      return { outcome: { ...base, state: 'failed' }, action: 'failed' }
    case 'deferred': {
      const { arrivedAtMs } = item
      const next = nextAttempt(retry, { attempts, arrivedAtMs, nowMs, believedMs, chance })
      if (next.kind === 'give-up')
        return { outcome: { ...base, state: 'failed' }, action: 'failed', expired: true }
      const isTold = isDelayTold(retry, {
        arrivedAtMs,
        nowMs: Math.min(nowMs, believedMs),
        toldAtMs: delayToldAtMs,
      })
      return {
        outcome: {
          ...base,
          state: 'waiting',
          nextAttemptAtMs: next.atMs,
          delayToldAtMs: isTold ? nowMs : delayToldAtMs,
        },
        action: isTold ? 'delayed' : undefined,
      }
    }
  }
}

/** One fact for all recipients that fared alike: a list's five hundred must not fill the trace with one reply. */
function attemptFacts(outcomes: readonly RecipientOutcome[], attempt: Attempt): TraceFact[] {
  const alike = new Map<string, RecipientOutcome[]>()
  for (const outcome of outcomes) {
    const { state, lastReply, nextAttemptAtMs } = outcome
    const key = JSON.stringify([state, lastReply, nextAttemptAtMs])
    const group = alike.get(key)
    if (group === undefined) alike.set(key, [outcome])
    else group.push(outcome)
  }
  return [...alike.values()].map((group) => attemptFact(group, attempt))
}

function attemptFact(group: readonly RecipientOutcome[], { hop, tls }: Attempt): TraceFact {
  const [first] = group
  const isWaiting = first?.state === 'waiting'
  return {
    kind: 'attempt',
    recipients: group.map(({ address }) => formatAddress(address)),
    host: hop?.name,
    address: hop?.address,
    tls,
    outcome: first?.state === 'delivered' ? 'delivered' : isWaiting ? 'deferred' : 'failed',
    reply: first?.lastReply,
    nextAttemptAtMs: isWaiting ? first.nextAttemptAtMs : undefined,
  }
}

/** For the log line of an attempt. */
export function attemptFields(
  { address, state, lastReply, attempts }: RecipientOutcome,
  { hop, tls }: Attempt,
): Readonly<Record<string, string | number | undefined>> {
  return {
    to: formatAddress(address),
    state,
    host: hop === undefined ? undefined : `${hop.name}[${hop.address}]`,
    tls,
    reply: lastReply === undefined ? undefined : formatReply(lastReply),
    cause: lastReply?.cause,
    attempts,
  }
}
