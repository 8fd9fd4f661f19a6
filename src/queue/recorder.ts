import type { TraceEvent, TraceFact } from '../mail/trace.ts'
import type { Log } from '../ports/log.ts'
import type { QueueItem } from '../ports/queue.ts'
import type { StoreFailure } from '../ports/store.ts'
import { type DsnPorts, type MadeDsn, makeDsn } from './dsn.ts'
import type { Settled } from './report.ts'

export interface RecorderPorts extends DsnPorts {
  readonly log: Log
}

/** Outcome and report on disk: 'recorded', or why not yet. */
export type Recorded = { readonly kind: 'recorded' } | { readonly kind: 'fault'; readonly cause: string }

type Report =
  | Exclude<MadeDsn, { readonly kind: 'fault' }>
  | { readonly kind: 'none' }
  | { readonly kind: 'refused'; readonly to: string; readonly cause: string }

/** What a store refuses of the report alone; the outcome must not wait for somebody to tidy a mailbox up. */
const REPORT_REFUSED: ReadonlySet<StoreFailure['kind']> = new Set([
  'over-quota',
  'no-such-account',
  'no-such-mailbox',
  'too-big',
])

/** One try to commit what an attempt brought, with the report of it, in one step. */
export async function recordOutcome(
  ports: RecorderPorts,
  item: QueueItem,
  settled: Settled,
  hostname: string,
): Promise<Recorded> {
  const { reported: recipients } = settled
  const made = recipients.length === 0 ? undefined : await makeDsn(ports, { item, recipients, hostname })
  if (made?.kind === 'fault') return made
  const first = await commit(ports, item, settled, made ?? { kind: 'none' })
  if (first === undefined) return { kind: 'recorded' }
  if (made?.kind !== 'made' || !REPORT_REFUSED.has(first.kind)) return { kind: 'fault', cause: first.cause }
  const second = await commit(ports, item, settled, { kind: 'refused', to: made.to, cause: first.cause })
  return second === undefined ? { kind: 'recorded' } : { kind: 'fault', cause: second.cause }
}

/** undefined when it is on disk. */
async function commit(
  { queue, clock, log }: RecorderPorts,
  item: QueueItem,
  settled: Settled,
  report: Report,
): Promise<StoreFailure | undefined> {
  const atMs = clock.now()
  const facts = [...settled.facts, ...reportFacts(settled, report)]
  const dsn = report.kind === 'made' ? report.message : undefined
  const trace = facts.map((fact): TraceEvent => ({ atMs, ...fact }))
  const recorded = await queue.record({
    id: item.id,
    traceId: item.traceId,
    outcomes: settled.outcomes,
    trace,
    dsn,
  })
  if (!recorded.ok) {
    dsn?.body.discard()
    return recorded.failure
  }
  for (const fact of facts) {
    if (fact.kind === 'dsn')
      log.event('queue.dsn', { action: fact.action, to: fact.to, dsn: fact.traceId }, item.traceId)
    else if (fact.kind === 'check')
      log.event('queue.dsn', { action: 'none', result: fact.result, why: fact.why }, item.traceId)
  }
  return undefined
}

function reportFacts({ reported }: Settled, report: Report): readonly TraceFact[] {
  switch (report.kind) {
    case 'none':
      return []
    case 'made': {
      const { to, message } = report
      const actions = new Set(reported.map(({ action }) => action))
      return [...actions].map((action) => ({ kind: 'dsn', action, to, traceId: message.traceId }))
    }
    case 'nobody':
      return [{ kind: 'check', name: 'dsn', result: 'nobody', why: `${report.to} is nobody any more` }]
    case 'refused':
      return [{ kind: 'check', name: 'dsn', result: 'lost', why: `${report.to}: ${report.cause}` }]
  }
}
