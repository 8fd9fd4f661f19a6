import { explain } from '../../pipeline/explain.ts'
import { type Operation, refused, said, textArg } from './operation.ts'

/** Traces shown at once. */
const MAX_SHOWN = 20

/** `trace ID|--from A|--to A`: what happened to a message, in sentences. */
export const trace: Operation = async (ports, args) => {
  const query = { id: textArg(args, 'id'), from: textArg(args, 'from'), to: textArg(args, 'to') }
  if (Object.values(query).every((value) => value === undefined)) {
    return refused('Say which message: its id, or `--from ADDRESS`, or `--to ADDRESS`.')
  }
  const found = await ports.traces.find({ ...query, limit: MAX_SHOWN + 1 })
  if (found.length === 0) return refused(noTrace(query))
  const zone = (atMs: number): number => ports.clock.zoneMinutes(atMs)
  const lines = found
    .slice(0, MAX_SHOWN)
    .flatMap(({ id, events }) => [`Message ${id}`, ...explain(events, zone).map((line) => `  ${line}`), ''])
  return said(
    ...lines,
    ...(found.length > MAX_SHOWN ? [`… and more; only the newest ${MAX_SHOWN} are shown.`] : []),
  )
}

function noTrace({ id, from, to }: Readonly<Record<'id' | 'from' | 'to', string | undefined>>): string {
  if (id !== undefined)
    return `There is no trace of a message ${id}: the id is unknown, or its trace is too old.`
  const what = [from && `from ${from}`, to && `to ${to}`].filter((part) => part).join(' ')
  return `No trace is left of mail ${what}.`
}
