import type { TrustEntry } from '../../ports/trust.ts'
import {
  type Operation,
  type OperationPorts,
  type OperationResult,
  refused,
  said,
  textArg,
  timeText,
} from './operation.ts'
import { entryText, isOver, keyText, readTrustEntry } from './trust-entry.ts'

/** `trust add`: one exception. The same again takes the place of the one before, with its new time and reason. */
export const trustAdd: Operation = async (ports, args) => {
  const read = readTrustEntry(ports, args)
  if (!read.ok) return refused(read.sentence)
  const added = await addEntry(ports, read.value)
  return added.ok ? said(...addedLines(ports, added)) : refused(added.sentence)
}

/** What was made, and what it means. */
export function addedLines(
  ports: OperationPorts,
  { entry, replaced }: { readonly entry: TrustEntry; readonly replaced: readonly number[] },
  means = meaning(entry),
): readonly string[] {
  return [
    `Exception ${entry.id}: ${keyText(entry)}, until ${timeText(ports, entry.untilMs ?? 0)}.`,
    means,
    ...(replaced.length === 0 ? [] : [`It takes the place of ${replaced.join(', ')}.`]),
  ]
}

/** What the operator has just allowed. */
function meaning({ key, list, host }: TrustEntry): string {
  const { domain } = key
  const by = {
    dkim: `a valid DKIM signature of ${domain}${list === undefined ? '' : ` over the List-Id ${list}`}`,
    arc: `an ARC chain that ${domain} has sealed last${list === undefined ? '' : `, from the list ${list}`}`,
    spf: `an envelope of ${domain} that passes SPF${list === undefined ? '' : `, from the list ${list}`}`,
  }[key.kind]
  const from = host === undefined ? '' : ', coming from that network'
  return `Mail with ${by}${from}, is delivered where the DMARC policy of its author's domain would hold or refuse it: whoever can send such mail can write any author. All other checks stay.`
}

export const trustList: Operation = async (ports) => {
  const entries = ports.trust.entries()
  if (entries.length === 0) return said('There are no exceptions.')
  const over = entries.filter((entry) => isOver(ports, entry)).length
  return said(
    ...entries.map((entry) => entryText(ports, entry)),
    ...(over === 0 ? [] : ['Expired ones do nothing; `hikyaku trust remove N` clears them away.']),
  )
}

export const trustRemove: Operation = async (ports, args) => {
  const text = textArg(args, 'number') ?? ''
  if (!/^\d{1,9}$/.test(text)) return refused(`"${text}" is no number of an exception, ${LISTED}`)
  const entry = ports.trust.entries().find(({ id }) => id === Number(text))
  try {
    if (entry === undefined || !(await ports.trust.remove(entry.id)))
      return refused(`There is no exception ${text}, ${LISTED}`)
  } catch (error) {
    return notWritten(error)
  }
  return said(`Exception ${entry.id} (${keyText(entry)}) was removed.`)
}

const LISTED = '`hikyaku trust list` shows those that are.'

/** Adds first and removes then: there is no moment without it. */
export async function addEntry(
  { trust }: OperationPorts,
  entry: Omit<TrustEntry, 'id'>,
): Promise<
  | { readonly ok: true; readonly entry: TrustEntry; readonly replaced: readonly number[] }
  | { readonly ok: false; readonly sentence: string }
> {
  const text = keyText(entry)
  const same = trust.entries().filter((known) => keyText(known) === text)
  try {
    const added = await trust.add(entry)
    for (const { id } of same) await trust.remove(id)
    return { ok: true, entry: added, replaced: same.map(({ id }) => id) }
  } catch (error) {
    return { ok: false, sentence: writeSentence(error) }
  }
}

const notWritten = (error: unknown): OperationResult => refused(writeSentence(error))

function writeSentence(error: unknown): string {
  return `The exceptions could not be changed: ${error instanceof Error ? error.message : String(error)}.`
}
