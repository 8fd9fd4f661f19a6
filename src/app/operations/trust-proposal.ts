import type { Evidence } from '../../mail/authentication.ts'
import { isTraceId, type TraceId } from '../../mail/ids.ts'
import type { Reason, TraceEvent } from '../../mail/trace.ts'
import { proposeTrust } from '../../pipeline/policy/propose.ts'
import { matchTrust } from '../../pipeline/policy/trust.ts'
import type { Held } from '../../ports/quarantine.ts'
import type { TrustEntry } from '../../ports/trust.ts'
import { type OperationArgs, type OperationPorts, textArg } from './operation.ts'
import { keyText, readList, readTrustEntry } from './trust-entry.ts'

/* What `quarantine trust` makes, and what `quarantine show` and `why` say of it before it is made. */

/** A message that the policy stopped, in the quarantine or by a refusal. */
export interface Stopped {
  readonly id: TraceId
  readonly isHeld: boolean
  readonly evidence: Evidence
  readonly client: string
  readonly list?: string | undefined
  readonly reasons: readonly Reason[]
}

export type ReadProposal =
  | {
      readonly ok: true
      /** Checked as `trust add` checks it. */
      readonly entry: Omit<TrustEntry, 'id'>
      readonly vouches: string
      readonly caution?: string | undefined
    }
  /** A sentence. */
  | { readonly ok: false; readonly why: string }

export const stoppedHeld = (held: Held): Stopped => ({ ...held, isHeld: true })

/** Of a message that is no more, or never was here: what its trace holds; undefined where it was not judged. */
export function stoppedTrace(id: TraceId, events: readonly TraceEvent[]): Stopped | undefined {
  const evidence = events.find((event) => event.kind === 'authentication')?.evidence
  const decision = events.findLast((event) => event.kind === 'decision')
  const connected = events.find((event) => event.kind === 'connected')
  const client = events.find((event) => event.kind === 'passed-on')?.client ?? connected?.client
  if (evidence === undefined || decision === undefined || client === undefined) return undefined
  const list = events.find((event) => event.kind === 'received')?.list
  return { id, isHeld: false, evidence, client, list, reasons: decision.reasons ?? [] }
}

/** The message that the argument names; or a sentence why there is nothing to propose for it. */
export async function stoppedOf(ports: OperationPorts, args: OperationArgs): Promise<Stopped | string> {
  const text = textArg(args, 'id') ?? ''
  const id = text.toLowerCase()
  const held = isTraceId(id) ? await ports.quarantine.get(id) : undefined
  if (held !== undefined) return stoppedHeld(held)
  const [found] = isTraceId(id) ? await ports.traces.find({ id, limit: 1 }) : []
  if (found === undefined)
    return `There is no message ${text} in the quarantine, and no trace of one that was refused.`
  return (
    stoppedTrace(found.id, found.events) ??
    `${id} was not judged by what its author's domain asks, so no exception would have let it pass; \`hikyaku why ${id}\` tells more.`
  )
}

/**
 * The narrowest exception that would have let the message pass.
 * @param more `why` and `until` as `trust add` takes them.
 */
export function proposalFor(ports: OperationPorts, stopped: Stopped, more: OperationArgs = {}): ReadProposal {
  const no = (why: string): ReadProposal => ({ ok: false, why })
  const { evidence, client, list: listId, reasons } = stopped
  if (!reasons.some(({ rule }) => rule === 'dmarc'))
    return no(
      "No exception would have let it pass: it was not its author's domain that asked to stop it, and an exception skips nothing else.",
    )
  // What is no List-Id by rfc2919 narrows nothing.
  const isUsable = listId !== undefined && readList(listId).ok
  const proposal = proposeTrust({ evidence, client, list: isUsable ? listId : undefined })
  if (proposal.kind === 'none') return no(proposal.why)
  const { key, list, host, vouches, caution } = proposal
  const read = readTrustEntry(ports, { ...more, [key.kind]: key.domain, list, host })
  if (!read.ok) return no(read.sentence)
  const facts = { evidence, client, listId, nowMs: ports.clock.now() }
  return matchTrust([{ ...read.value, id: 0 }], facts).entry !== undefined
    ? { ok: true, entry: read.value, vouches, caution }
    : no('No exception can be proposed: none would let just this message pass.')
}

/** For the end of `quarantine show` and `why`. */
export function proposalLines(ports: OperationPorts, stopped: Stopped): readonly string[] {
  const { id, evidence, client, list: listId } = stopped
  const proposal = proposalFor(ports, stopped)
  if (!proposal.ok) return [proposal.why]
  const nowMs = ports.clock.now()
  const { entry: made } = matchTrust(ports.trust.entries(), { evidence, client, listId, nowMs })
  if (made !== undefined)
    return [
      `Exception ${made.id} (${keyText(made)}) lets the next ones like it pass: \`hikyaku trust list\`.`,
    ]
  const { entry, vouches, caution } = proposal
  return [
    `To let the next ones like it pass: hikyaku quarantine trust ${id}`,
    `  It is the same as: ${addLine(entry)}`,
    `  ${vouches}`,
    ...(caution === undefined ? [] : [`  ${caution}`]),
  ]
}

/** As a person types it into a shell. A List-Id is whatever a stranger wrote: it must not become a command. */
export function addLine(entry: Pick<TrustEntry, 'key' | 'list' | 'host'>, more: OperationArgs = {}): string {
  const given = ['why', 'until'].flatMap((name) => {
    const text = textArg(more, name)
    return text === undefined ? [] : [`--${name}`, text]
  })
  return ['hikyaku trust add', ...[...keyText(entry).split(' '), ...given].map(shellWord)].join(' ')
}

const shellWord = (text: string): string =>
  /^[\w.:/@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
