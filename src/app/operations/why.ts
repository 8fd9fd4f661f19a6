import { isTraceId, type TraceId } from '../../mail/ids.ts'
import type { TraceEvent, TraceFact } from '../../mail/trace.ts'
import { evidenceStory, recordLines } from '../../pipeline/evidence-story.ts'
import { explain } from '../../pipeline/explain.ts'
import { type Operation, type OperationPorts, refused, said, textArg, timeText } from './operation.ts'
import { proposalLines, stoppedTrace } from './trust-proposal.ts'

type Fact<K extends TraceFact['kind']> = Extract<TraceEvent, { kind: K }>

/** What became of a message after it was decided on. */
const ENDS: ReadonlySet<TraceFact['kind']> = new Set([
  'stored',
  'queued',
  'quarantined',
  'released',
  'deleted',
  'expired',
  'attempt',
  'dsn',
] as const)

const CHANGES: ReadonlySet<TraceFact['kind']> = new Set([
  'added-field',
  'removed-field',
  'signed',
  'sealed',
] as const)

/** `why ID`: the decision as a short story, with what it stands on. `trace` tells everything in the order of happening. */
export const why: Operation = async (ports, args) => {
  const id = textArg(args, 'id')?.toLowerCase() ?? ''
  const [found] = isTraceId(id) ? await ports.traces.find({ id, limit: 1 }) : []
  if (found === undefined)
    return refused(
      `There is no trace of a message ${textArg(args, 'id') ?? ''}: the id is unknown, or its trace is too old. The id stands in the log, in the reply to the message and in its Received field.`,
    )
  return said(...whyLines(ports, found.id, found.events))
}

function whyLines(ports: OperationPorts, id: TraceId, events: readonly TraceEvent[]): readonly string[] {
  return [
    `Message ${id}`,
    ...whoLines(ports, events),
    '',
    ...storyLines(ports, events),
    '',
    ...trustLines(ports, id, events),
    `\`hikyaku trace ${id}\` tells everything in the order in which it happened.`,
  ]
}

/** How to let the next ones like it pass, where this one was stopped by what its author's domain asks. */
function trustLines(ports: OperationPorts, id: TraceId, events: readonly TraceEvent[]): readonly string[] {
  const stopped = stoppedTrace(id, events)
  if (stopped === undefined || !stopped.reasons.some(({ rule }) => rule === 'dmarc')) return []
  return [...proposalLines(ports, stopped), '']
}

/** What was decided and why, what became of it, and what that stands on. */
export function storyLines(ports: OperationPorts, events: readonly TraceEvent[]): readonly string[] {
  const zone = (atMs: number): number => ports.clock.zoneMinutes(atMs)
  const told = (wanted: (event: TraceEvent) => boolean): readonly string[] =>
    explain(events.filter(wanted), zone).map((line) => `  ${line}`)
  // The reasons stand below it, each in a line.
  const decided = explain(
    events.flatMap((event): readonly TraceEvent[] => {
      if (event.kind === 'decision') return [{ ...event, reasons: undefined }]
      return event.kind === 'trusted' ? [event] : []
    }),
    zone,
  )
  return [
    'What was decided:',
    ...decided.map((line) => `  ${line}`),
    ...all(events, 'decision').flatMap(({ reasons = [] }) => reasons.map(({ text }) => `    ${text}`)),
    // Recipients may have been refused where the message itself was taken.
    ...told((event) => event.kind === 'recipient' && event.as === 'refused'),
    ...section(
      'What became of it:',
      told((event) => ENDS.has(event.kind) || (event.kind === 'check' && event.name === 'selftest')),
    ),
    ...foundLines(events),
    ...section(
      'What was changed:',
      told(({ kind }) => CHANGES.has(kind)),
    ),
  ]
}

function foundLines(events: readonly TraceEvent[]): readonly string[] {
  const [found] = all(events, 'authentication')
  if (found === undefined) return ['', notJudged(events)]
  const indented = (lines: readonly string[]): readonly string[] => lines.map((line) => `  ${line}`)
  return [
    ...section(
      'What was found when it came:',
      indented(evidenceStory(found.evidence, checkedClient(events))),
    ),
    ...section('What the DNS said then:', indented(recordLines(found.evidence))),
  ]
}

function whoLines(ports: OperationPorts, events: readonly TraceEvent[]): readonly string[] {
  const [connected] = all(events, 'connected')
  const [helo] = all(events, 'helo')
  const [sender] = all(events, 'sender')
  const [received] = all(events, 'received')
  const by = connected?.client === 'unix' ? 'a program on this machine' : (connected?.client ?? 'this server')
  const called = helo === undefined ? '' : `, which called itself ${helo.name}`
  return [
    `  came ${events[0] === undefined ? '' : timeText(ports, events[0].atMs)} from ${by}${called}`,
    ...(sender === undefined
      ? []
      : [`  envelope sender ${sender.reversePath === '' ? '<>' : sender.reversePath}`]),
    ...(received?.from === undefined ? [] : [`  From: ${received.from}`]),
    ...(received?.subject === undefined ? [] : [`  Subject: ${received.subject}`]),
  ]
}

/** Why there is nothing to tell of SPF, DKIM and DMARC. */
function notJudged(events: readonly TraceEvent[]): string {
  const [authenticated] = all(events, 'authenticated')
  if (authenticated !== undefined)
    return `It was not checked for forgery: ${authenticated.login} had logged in and may send.`
  const [network] = all(events, 'trusted-network')
  if (network !== undefined) return `It was not checked for forgery: ${network.network} may submit.`
  if (all(events, 'decision').some(({ action }) => action === 'refuse' || action === 'defer'))
    return 'It was not checked for forgery: it had been decided on before.'
  return 'It was not checked for forgery: it came from a program on this machine or from a server in front of this one.'
}

function checkedClient(events: readonly TraceEvent[]): string {
  return all(events, 'passed-on')[0]?.client ?? all(events, 'connected')[0]?.client ?? '?'
}

function all<K extends TraceFact['kind']>(events: readonly TraceEvent[], kind: K): readonly Fact<K>[] {
  return events.filter((event): event is Fact<K> => event.kind === kind)
}

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ['', title, ...lines]
