import { formatAddress } from '../mail/address.ts'
import { assert } from '../mail/assert.ts'
import type { EnvelopeSender } from '../mail/envelope.ts'
import { makeTraceId, type TraceId } from '../mail/ids.ts'
import type { TraceEvent, TraceFact } from '../mail/trace.ts'
import type { NewHold } from '../ports/new-hold.ts'
import type { NewQueueItem } from '../ports/new-queue-item.ts'
import type { StagedBody, StoreFailure } from '../ports/store.ts'
import type { Accepted } from './accepted.ts'
import { type Part, planParts } from './plan.ts'
import type { Verdict } from './policy/decide.ts'
import { MAX_UNKNOWN_RECIPIENTS } from './policy/limits.ts'
import type { PipelinePorts } from './ports.ts'
import { copyBody } from './restage.ts'
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
  /** Something vouches for the envelope sender: it may be told of a success. */
  readonly isSenderVouched: boolean
  /** undefined where the message was not judged. */
  readonly judged?: JudgedFor | undefined
}

/** What a held message is kept with. */
export interface JudgedFor {
  readonly verdict: Verdict
  readonly hold: Omit<NewHold, 'reasons' | 'unknown'>
  readonly junkDomains: readonly string[]
}

export type CommitOutcome =
  | { readonly kind: 'committed'; readonly isHeld: boolean }
  /** @property isPartStored some recipients have it already; the sender will repeat it for all. */
  | { readonly kind: 'failed'; readonly failure: StoreFailure; readonly isPartStored: boolean }

/**
 * Stores a message for its recipients: mailboxes here, the queue, the quarantine (law 3). One commit, but where some
 * find it in a mailbox and others held: the held copy is then a message of its own.
 */
export async function commitMessage(ports: PipelinePorts, commit: Commit): Promise<CommitOutcome> {
  const parts = planParts(commit.accepted, answered(commit.judged?.verdict), commit.judged?.junkDomains ?? [])
  const [first, second] = parts
  if (first === undefined) {
    decided(commit, { action: 'discard', rule: 'test-domain' })
    commit.body.discard()
    ports.intake.trace(commit.traceId, commit.trace)
    return { kind: 'committed', isHeld: false }
  }
  if (second === undefined) return commitOnly(ports, commit, first)
  const copy = await copyBody(ports.intake, commit.body)
  if (!copy.ok) return { kind: 'failed', failure: copy.failure, isPartStored: false }
  const apart = {
    ...commit,
    traceId: makeTraceId(commit.nowMs, ports.random.bytes(10)),
    trace: [...commit.trace],
    body: copy.value,
  }
  const before = commit.trace.length
  const why = 'its other recipients have it'
  apart.trace.push({
    atMs: commit.nowMs,
    kind: 'check',
    name: 'parted',
    result: `from ${commit.traceId}`,
    why,
  })
  commit.trace.push({
    atMs: commit.nowMs,
    kind: 'check',
    name: 'parted',
    result: `held for others as ${apart.traceId}`,
  })
  const outcome = await commitOnly(ports, commit, first)
  if (outcome.kind === 'failed') {
    commit.trace.length = before
    copy.value.discard()
    return outcome
  }
  const later = await commitOnly(ports, apart, second)
  if (later.kind === 'committed') return outcome
  copy.value.discard()
  return { ...later, isPartStored: true }
}

function answered(verdict: Verdict | undefined) {
  if (verdict === undefined) return undefined
  const { action, rule, reasons } = verdict
  return { action: action === 'hold' ? action : ('deliver' as const), rule, reasons }
}

async function commitOnly(ports: PipelinePorts, commit: Commit, part: Part): Promise<CommitOutcome> {
  const { traceId, nowMs } = commit
  const { rule, reasons } = part
  const isHeld = part.kind === 'hold'
  const before = commit.trace.length
  if (!isHeld && part.remote.length > 0) {
    const recipients = part.remote.map(({ address }) => formatAddress(address))
    commit.trace.push({ atMs: nowMs, kind: 'queued', recipients, nextAttemptAtMs: nowMs })
  }
  decided(commit, { action: isHeld ? 'hold' : 'accept', rule, reasons })
  const stored = await store(ports, commit, part)
  if (!stored.ok) {
    // What was noted above did not come to be; what did is noted by the caller.
    commit.trace.length = before
    return { kind: 'failed', failure: stored.failure, isPartStored: false }
  }
  for (const entry of stored.value) {
    const { mailbox, uid } = entry
    ports.log.event(
      'message.stored',
      { account: ports.directory.loginOf(entry.owner), mailbox, uid },
      traceId,
    )
  }
  if (isHeld) logHeld(ports, commit, part)
  if (part.kind === 'deliver') await reportSuccess(ports, commit)
  return { kind: 'committed', isHeld }
}

function store(
  ports: PipelinePorts,
  commit: Commit,
  part: Part,
): ReturnType<PipelinePorts['intake']['accept']> {
  const { traceId, trace, body, prefix, sender, nowMs } = commit
  return ports.intake.accept({
    traceId,
    trace,
    body,
    prefix,
    reversePath: sender.reversePath,
    receivedAtMs: nowMs,
    deliveries: part.deliveries,
    queue: queueItem(commit, part),
    hold: part.kind === 'hold' ? newHold(commit, part) : undefined,
  })
}

function queueItem({ sender, skipBytes, nowMs }: Commit, { remote }: Part): NewQueueItem | undefined {
  return remote.length === 0 ? undefined : { sender, skipBytes, recipients: remote, nextAttemptAtMs: nowMs }
}

function newHold({ judged }: Commit, { reasons = [], unknown }: Part): NewHold {
  assert(judged !== undefined, 'held without having been judged')
  return {
    ...judged.hold,
    reasons,
    unknown: unknown.length === 0 ? undefined : unknown.slice(0, MAX_UNKNOWN_RECIPIENTS),
  }
}

function logHeld(
  { log }: PipelinePorts,
  { traceId, sender }: Commit,
  { rule, reasons, unknown }: Part,
): void {
  const from = sender.reversePath === null ? '<>' : formatAddress(sender.reversePath)
  log.event('message.held', { rule, from, why: reasons?.[0]?.text }, traceId)
  if (unknown.length === 0) return
  log.event('secondary.unknown-user', { to: unknown.slice(0, MAX_UNKNOWN_RECIPIENTS).join(',') }, traceId)
}

function decided(
  { trace, nowMs }: Commit,
  decision: Omit<Extract<TraceFact, { kind: 'decision' }>, 'kind'>,
): void {
  trace.push({ atMs: nowMs, kind: 'decision', ...decision })
}
