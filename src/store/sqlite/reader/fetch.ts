import { headerFieldsSubset } from '../../../mime/header.ts'
import { decodeParts, type Part, sectionRange } from '../../../mime/parts.ts'
import type { FetchWanted, SectionWanted } from '../../../ports/mailboxes.ts'
import { FETCH_ROW_BYTES, INLINE_BODY_BYTES } from '../../limits.ts'
import type { FetchedRows, FileRange } from '../questions.ts'
import type { Row, Sql } from '../sql.ts'
import { isRange, type Slice, type StoredOctets, slice } from './octets.ts'

/** Rows for messages in the order asked, as many as `maxBytes` hold, at least one. */
export function fetchRows(
  sql: Sql,
  folder: string,
  messages: readonly number[],
  wanted: FetchWanted,
  maxBytes: number,
): FetchedRows {
  const plan = planFetch(wanted)
  const answer = new RowBuilder()
  let seen = 0
  for (const row of sql.iterate(plan.sql, JSON.stringify(messages))) {
    seen = (row[0] as number) + 1
    addRow(answer, plan, row, folder)
    if (answer.sizeBytes >= maxBytes) return answer.finish(seen)
  }
  return answer.finish(messages.length)
}

interface Plan {
  readonly sql: string
  readonly wanted: FetchWanted
  /** Column of each thing that is read from the row. */
  readonly at: ReadonlyMap<string, number>
}

// The list's own order is kept: CROSS JOIN makes SQLite follow it.
const FROM = 'FROM json_each(?) j CROSS JOIN messages m ON m.id = j.value'

function planFetch(wanted: FetchWanted): Plan {
  const columns: [name: string, sql: string][] = [
    ['index', 'j.key'],
    ['message', 'm.id'],
  ]
  const sections = wanted.sections ?? []
  if (wanted.envelope) columns.push(['envelope', 'b.envelope'])
  if (wanted.bodyStructure) columns.push(['structure', 'b.structure'])
  if (wanted.body) columns.push(['body', 'b.body'])
  columns.push(['arrived', 'm.arrived_ms'], ['zone', 'm.zone'], ['size', 'm.size'], ['thread', 'm.thread'])
  if (sections.length > 0)
    columns.push(['prefix', 'b.prefix'], ['head', 'b.head'], ['file', 'b.file'], ['header', 'b.header_size'])
  if (sections.some(needsParts)) columns.push(['parts', 'b.parts'])
  const needsText = sections.some((one) => one.path.length > 0 || one.what === 'all' || one.what === 'text')
  if (needsText) columns.push(['text', 't.bytes'])
  const needsBody = wanted.envelope || wanted.bodyStructure || wanted.body || sections.length > 0
  const joins = needsBody ? ' CROSS JOIN bodies b ON b.id = m.body' : ''
  const text = needsText ? ' LEFT JOIN texts t ON t.body = m.body' : ''
  return {
    sql: `SELECT ${columns.map(([, column]) => column).join(', ')} ${FROM}${joins}${text}`,
    wanted,
    at: new Map(columns.map(([name], index) => [name, index])),
  }
}

const needsParts = (one: SectionWanted): boolean => one.path.length > 0 || one.what === 'text'

function addRow(answer: RowBuilder, plan: Plan, row: Row, folder: string): void {
  const { wanted } = plan
  const column = (name: string): unknown => row[plan.at.get(name) as number]
  answer.number(column('index'))
  answer.number(column('message'))
  if (wanted.envelope) answer.octets([column('envelope') as Uint8Array])
  if (wanted.bodyStructure) answer.octets([column('structure') as Uint8Array])
  if (wanted.body) answer.octets([column('body') as Uint8Array])
  if (wanted.internalDate) {
    answer.number(column('arrived'))
    answer.number(column('zone'))
  }
  if (wanted.size) answer.number(column('size'))
  if (wanted.emailId) answer.number(column('thread'))
  if (wanted.sections === undefined || wanted.sections.length === 0) return
  const octets: StoredOctets = {
    prefix: column('prefix') as Uint8Array,
    head: column('head') as Uint8Array,
    text: plan.at.has('text') ? (column('text') as Uint8Array | null) : undefined,
    file: column('file') as string | null,
    size: column('size') as number,
  }
  const parts = plan.at.has('parts') ? decodeParts(column('parts') as Uint8Array) : undefined
  const message: Message = { octets, parts, headerSize: column('header') as number, folder }
  const before = answer.sizeBytes
  for (const section of wanted.sections) {
    const some = resolveSection(message, section)
    const length = heldLength(some)
    // The first one always comes: asked for alone, it must.
    if (answer.sizeBytes > before && answer.sizeBytes - before + length > FETCH_ROW_BYTES)
      answer.later(length)
    else answer.octets(some)
  }
}

/** Octets of a section that would be held; those of a file are streamed. */
function heldLength(some: Slice | undefined): number {
  if (some === undefined || isRange(some)) return 0
  return some.reduce((sum, piece) => sum + piece.length, 0)
}

interface Message {
  readonly octets: StoredOctets
  readonly parts: Part | undefined
  readonly headerSize: number
  readonly folder: string
}

/** The octets of `BODY[section]<partial>`; undefined where there is no such part. */
function resolveSection(message: Message, section: SectionWanted): Slice | undefined {
  const range = rangeOf(message, section)
  if (range === undefined) return undefined
  if (typeof section.what === 'string') {
    const { start, end } = cutRange(range, section.partial)
    return slice(message.octets, start, end, message.folder)
  }
  const end = Math.min(range.end, range.start + FIELDS_BYTES)
  const header = joined(slice(message.octets, range.start, end, message.folder))
  const subset = headerFieldsSubset(header, section.what.fields, section.what.not)
  const cut = cutRange({ start: 0, end: subset.length }, section.partial)
  return [subset.subarray(cut.start, cut.end)]
}

interface Range {
  readonly start: number
  readonly end: number
}

function rangeOf(message: Message, section: SectionWanted): Range | undefined {
  const { path, what } = section
  if (path.length === 0 && what === 'all') return { start: 0, end: message.octets.size }
  if (path.length === 0 && what !== 'text') return { start: 0, end: message.headerSize }
  if (message.parts === undefined) return undefined
  return sectionRange(message.parts, { path, what: typeof what === 'string' ? what : 'header' })
}

/** rfc3501 §6.4.5: a partial fetch beyond the end gives the empty string. */
function cutRange(range: Range, partial: SectionWanted['partial']): Range {
  if (partial === undefined) return range
  const start = Math.min(range.start + partial.offset, range.end)
  return { start, end: Math.min(start + partial.length, range.end) }
}

/** Octets of a header in which fields are looked for: as many as `slice` reads from a file at once. */
const FIELDS_BYTES = INLINE_BODY_BYTES

function joined(some: Slice): Uint8Array {
  if (isRange(some)) return some.before
  return some.length === 1 ? (some[0] as Uint8Array) : Buffer.concat(some)
}

class RowBuilder {
  sizeBytes = 0
  readonly #numbers: number[] = []
  readonly #pieces: Uint8Array[] = []
  readonly #streams: FileRange[] = []

  number(value: unknown): void {
    this.#numbers.push(value as number)
  }

  octets(some: Slice | undefined): void {
    if (some === undefined) this.#numbers.push(-1)
    else if (isRange(some)) {
      this.#numbers.push(-2)
      this.#streams.push(some)
    } else {
      let length = 0
      for (const piece of some) {
        this.#pieces.push(piece)
        length += piece.length
      }
      this.#numbers.push(length)
      this.sizeBytes += length
    }
  }

  /** A section that is to be asked for by itself. */
  later(length: number): void {
    this.#numbers.push(-3, length)
  }

  finish(done: number): FetchedRows {
    const bytes = Buffer.allocUnsafeSlow(this.sizeBytes)
    let at = 0
    for (const piece of this.#pieces) {
      bytes.set(piece, at)
      at += piece.length
    }
    return {
      done,
      numbers: Float64Array.from(this.#numbers),
      bytes: new Uint8Array(bytes.buffer),
      streams: this.#streams,
    }
  }
}
