import { SEEN, SYSTEM_FLAGS } from '../../../mail/flags.ts'
import type { FetchRow, FetchWanted, SectionBytes, SectionWanted } from '../../../ports/mailboxes.ts'
import type { FetchCommand, FetchItem, FetchSection } from '../../../protocol/imap/commands/fetch.ts'
import type { FetchData } from '../../../protocol/imap/responses/fetch.ts'
import type { ImapAnswer } from '../../../protocol/imap/types.ts'
import { flagsItem } from '../changes.ts'
import { done, type ImapContext, type Selected } from '../context.ts'
import { refusal } from '../errors.ts'
import { BATCH_BYTES, SMALL_BATCH_BYTES } from '../limits.ts'
import { sequencesOf, uidsOf } from '../sequences.ts'

const SEEN_NAME = SYSTEM_FLAGS.find(([, bit]) => bit === SEEN)?.[0] as string

/** rfc3501 §6.4.5. */
export async function fetch(context: ImapContext, command: FetchCommand): Promise<ImapAnswer> {
  const { selected } = context
  const sequences = sequencesOf(selected.view, command.set, command.uid)
  if (sequences === undefined) return done('BAD', 'There is no message with this number')
  const items = distinct(command.items)
  const seen = await markSeen(context, items, sequences)
  if (seen !== undefined) return seen
  if (isFromView(items)) return answerOf(await sendFromView(context, items, sequences), [])
  const damaged: number[] = []
  return answerOf(await sendFromStore(context, items, sequences, damaged), damaged)
}

/**
 * What is asked for twice is told once: a hundred times the BODYSTRUCTURE of a hostile message is a hundred MiB in one
 * response. Sections stay as they are: where they are large they are read one after the other.
 */
function distinct(items: readonly FetchItem[]): readonly FetchItem[] {
  const known = new Set<string>()
  return items.filter((item) => {
    if (item.kind === 'section') return true
    const name = item.kind === 'body-structure' && item.extended ? 'BODYSTRUCTURE' : item.kind
    return !known.has(name) && known.add(name)
  })
}

/** UIDs named in an answer; the log has more. */
const MAX_NAMED_UIDS = 20

/**
 * With a damaged message the others are given and the command is refused all the same (rfc5530 §3, CORRUPTION): a
 * message left out of an OK looks deleted to a client that keeps a copy, and it would delete its own.
 */
function answerOf(complete: boolean, damaged: readonly number[]): ImapAnswer {
  // The client is gone: nobody reads the answer.
  if (!complete) return done('NO', 'The connection is gone')
  if (damaged.length === 0) return done('OK', 'FETCH completed')
  const named = damaged.slice(0, MAX_NAMED_UIDS).join(' ')
  const more = damaged.length > MAX_NAMED_UIDS ? ` and ${damaged.length - MAX_NAMED_UIDS} more` : ''
  return done('NO', `Damaged on the server and not given: UID ${named}${more}; all others are`, 'CORRUPTION')
}

/** A section fetched without PEEK sets \Seen, before the flags are told (rfc3501 §6.4.5, BODY[<section>]). */
async function markSeen(
  context: ImapContext,
  items: readonly FetchItem[],
  sequences: readonly number[],
): Promise<ImapAnswer | undefined> {
  const { view } = context.selected
  if (view.readOnly || !items.some((item) => item.kind === 'section' && !item.peek)) return undefined
  const unseen = sequences.filter((sequence) => (view.flagBits(sequence) & SEEN) === 0)
  if (unseen.length === 0) return undefined
  const stored = await context.deps.mailboxes.storeFlags(context.access, view, {
    uids: uidsOf(view, unseen),
    action: 'add',
    flags: [SEEN_NAME],
    // Where FLAGS is asked for, the answer tells it; else it comes behind, as a change.
    silent: items.some((item) => item.kind === 'flags'),
  })
  return stored.ok ? undefined : refusal(context, stored.error)
}

/** UID and FLAGS need no store: they are in the view. */
function isFromView(items: readonly FetchItem[]): boolean {
  return items.every((item) => item.kind === 'uid' || item.kind === 'flags')
}

async function sendFromView(
  context: ImapContext,
  items: readonly FetchItem[],
  sequences: readonly number[],
): Promise<boolean> {
  const { selected, machine } = context
  for (const sequence of sequences) {
    const data = items.map(
      (item): FetchData =>
        item.kind === 'uid'
          ? { kind: 'uid', uid: selected.view.uid(sequence) }
          : flagsItem(selected, sequence),
    )
    machine.send({ kind: 'fetch', sequence, items: data })
    const room = context.hasRoom()
    if (room !== true && !(await room)) return false
  }
  return true
}

async function sendFromStore(
  context: ImapContext,
  items: readonly FetchItem[],
  sequences: readonly number[],
  damaged: number[],
): Promise<boolean> {
  const { selected, deps, link } = context
  const pace = {
    batchBytes(): number {
      const bytes = link.isTight ? SMALL_BATCH_BYTES : BATCH_BYTES
      link.hold(2 * bytes)
      return bytes
    },
  }
  const wanted = wantedOf(items)
  try {
    for await (const rows of deps.mailboxes.fetch(context.access, selected.view, sequences, wanted, pace)) {
      for (const row of rows) {
        if (row.damaged !== undefined) {
          damaged.push(row.uid)
          continue
        }
        const sent = sendRow(context, items, row)
        if (sent !== true && !(await sent)) return false
        const room = context.hasRoom()
        if (room !== true && !(await room)) return false
      }
    }
    return true
  } finally {
    link.hold(0)
  }
}

interface Streamed {
  readonly item: FetchSection
  readonly stream: Exclude<SectionBytes, Uint8Array | null>
}

/** One FETCH response: whole where its sections are, streamed where one is not. */
function sendRow(
  context: ImapContext,
  items: readonly FetchItem[],
  row: FetchRow,
): boolean | Promise<boolean> {
  const { machine, selected } = context
  const whole: FetchData[] = []
  const streams: Streamed[] = []
  let section = 0
  for (const item of items) {
    if (item.kind !== 'section') {
      whole.push(dataOf(selected, item, row))
      continue
    }
    const octets = row.sections?.[section++] ?? null
    if (octets === null || octets instanceof Uint8Array) whole.push({ kind: 'section', item, octets })
    else streams.push({ item, stream: octets })
  }
  if (streams.length === 0) {
    machine.send({ kind: 'fetch', sequence: row.seq, items: whole })
    return true
  }
  machine.fetchStart(row.seq, whole)
  return sendStreams(context, streams)
}

async function sendStreams(context: ImapContext, streams: readonly Streamed[]): Promise<boolean> {
  for (const { item, stream } of streams) if (!(await sendStream(context, item, stream))) return false
  context.machine.fetchEnd()
  return true
}

async function sendStream(
  context: ImapContext,
  item: FetchSection,
  section: Exclude<SectionBytes, Uint8Array | null>,
): Promise<boolean> {
  const { machine, deps, login } = context
  machine.fetchLiteral(item, section.sizeBytes)
  try {
    for await (const chunk of section.stream()) {
      machine.fetchChunk(chunk)
      const room = context.hasRoom()
      if (room === true || (await room)) continue
      // Gone within a literal: nothing that fits can be said any more, not even a tagged answer.
      machine.abort()
      return false
    }
    return true
  } catch (error) {
    // The literal's length is promised: it can't be completed, and padding would forge the message.
    deps.log.event('store.fault', {
      login: login?.login,
      cause: error instanceof Error ? error.message : String(error),
    })
    machine.abort()
    context.link.pump()
    return false
  }
}

function dataOf(selected: Selected, item: Exclude<FetchItem, FetchSection>, row: FetchRow): FetchData {
  switch (item.kind) {
    case 'uid':
      return { kind: 'uid', uid: row.uid }
    case 'flags':
      return flagsItem(selected, row.seq)
    case 'internal-date':
      return {
        kind: 'internal-date',
        date: { ms: row.internalDateMs ?? 0, zoneMinutes: row.internalDateZoneMinutes ?? 0 },
      }
    case 'size':
      return { kind: 'size', sizeBytes: row.sizeBytes ?? 0 }
    case 'envelope':
      return { kind: 'envelope', wire: present(row.envelope) }
    case 'body-structure':
      return {
        kind: 'body-structure',
        extended: item.extended,
        wire: present(item.extended ? row.bodyStructure : row.body),
      }
  }
}

function present(wire: Uint8Array | undefined): Uint8Array {
  if (wire === undefined) throw new Error('the store left out what was asked for')
  return wire
}

function wantedOf(items: readonly FetchItem[]): FetchWanted {
  const has = (kind: FetchItem['kind']): boolean => items.some((item) => item.kind === kind)
  return {
    envelope: has('envelope'),
    bodyStructure: items.some((item) => item.kind === 'body-structure' && item.extended),
    body: items.some((item) => item.kind === 'body-structure' && !item.extended),
    internalDate: has('internal-date'),
    size: has('size'),
    sections: items.filter((item) => item.kind === 'section').map(sectionWanted),
  }
}

function sectionWanted({ section, partial }: FetchSection): SectionWanted {
  const { text } = section
  const what =
    text === undefined
      ? 'all'
      : text.kind === 'header-fields'
        ? { fields: text.fields, not: text.not }
        : text.kind
  return { path: section.part, what, partial }
}
