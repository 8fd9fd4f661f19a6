import { headerFieldsSubset } from '../../../mime/header.ts'
import { decodeParts, type Part, sectionRange } from '../../../mime/parts.ts'
import type { FetchWanted, SectionWanted } from '../../../ports/mailboxes.ts'
import { FETCH_ROW_BYTES, INLINE_BODY_BYTES } from '../../limits.ts'
import { bodyCrcOf } from '../body-crc.ts'
import type { FetchedRows, FileRange, NeededFile } from '../questions.ts'
import { describeError, isUnreadable, type Row, type Sql } from '../sql.ts'
import { Damaged } from './damaged.ts'
import { isRange, type Slice, type StoredOctets, slice } from './octets.ts'
import { isWireList } from './wire-list.ts'

/**
 * Rows for messages in the order asked, as many as `maxBytes` hold, at least one. A message that is damaged is named,
 * and the others are given.
 */
export function fetchRows(
  sql: Sql,
  folder: string,
  messages: readonly number[],
  wanted: FetchWanted,
  maxBytes: number,
): FetchedRows {
  const plan = planFetch(wanted)
  const answer = new RowBuilder()
  let at = 0
  while (at < messages.length) {
    const read = readFrom(sql, { plan, folder, answer, maxBytes }, messages, at)
    at = read.at
    if (read.why === 'full') return answer.finish(at)
    if (read.why === 'damage') at = skipDamage(sql, { plan, folder, answer, maxBytes }, messages, at)
  }
  return answer.finish(messages.length)
}

interface Reading {
  readonly plan: Plan
  readonly folder: string
  readonly answer: RowBuilder
  readonly maxBytes: number
}

/** Rows from a place in the list on. 'damage': the database can't read one of the messages from `at` on. */
function readFrom(
  sql: Sql,
  { plan, folder, answer, maxBytes }: Reading,
  messages: readonly number[],
  first: number,
): { readonly at: number; readonly why: 'end' | 'full' | 'damage' } {
  let at = first
  try {
    const ids = first === 0 ? messages : messages.slice(first)
    for (const row of sql.iterate(plan.sql, JSON.stringify(ids))) {
      const index = first + (row[0] as number)
      answer.row(index, () => addRow(answer, plan, row, { index, folder }))
      at = index + 1
      if (answer.sizeBytes >= maxBytes) return { at, why: 'full' }
    }
    return { at: messages.length, why: 'end' }
  } catch (error) {
    if (!isUnreadable(error)) throw error
    return { at, why: 'damage' }
  }
}

/** Finds the message that stopped the reading, one by one. @returns the place behind it. */
function skipDamage(
  sql: Sql,
  { plan, folder, answer }: Reading,
  messages: readonly number[],
  first: number,
): number {
  for (let index = first; index < messages.length; index++)
    try {
      const row = sql.get(plan.sql, JSON.stringify([messages[index]]))
      if (row !== undefined) answer.row(index, () => addRow(answer, plan, row, { index, folder }))
    } catch (error) {
      if (!isUnreadable(error)) throw error
      answer.damaged(index, describeError(error))
      return index + 1
    }
  return messages.length
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
    columns.push(
      ...(['prefix', 'head', 'file', 'crc'] as const).map((name) => [name, `b.${name}`] as [string, string]),
      ['header', 'b.header_size'],
    )
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

/** Throws where a column is not what it must be. */
function addRow(
  answer: RowBuilder,
  plan: Plan,
  row: Row,
  of: { readonly index: number; readonly folder: string },
): void {
  const { wanted } = plan
  const columns = new Columns(plan, row)
  answer.number(of.index)
  answer.number(columns.number('message'))
  if (wanted.envelope) answer.octets([columns.wire('envelope')])
  if (wanted.bodyStructure) answer.octets([columns.wire('structure')])
  if (wanted.body) answer.octets([columns.wire('body')])
  if (wanted.internalDate) {
    answer.number(columns.number('arrived'))
    answer.number(columns.number('zone'))
  }
  if (wanted.size) answer.number(columns.number('size'))
  if (wanted.emailId) answer.number(columns.number('thread'))
  if (wanted.sections === undefined || wanted.sections.length === 0) return
  const message = { ...messageOf(plan, columns), folder: of.folder }
  if (plan.at.has('text')) provable(answer, message, columns.number('crc'), of.index)
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

function messageOf(plan: Plan, columns: Columns): Omit<Message, 'folder'> {
  const octets: StoredOctets = {
    prefix: columns.octets('prefix'),
    head: columns.octets('head'),
    text: plan.at.has('text') ? columns.octetsOrNull('text') : undefined,
    file: columns.textOrNull('file'),
    size: columns.number('size'),
  }
  const parts = plan.at.has('parts') ? decodeParts(columns.octets('parts')) : undefined
  return { octets, parts, headerSize: columns.number('header') }
}

/** Nobody is given octets that the checksum does not prove. A file is looked at where it does not hold the reader up. */
function provable(answer: RowBuilder, { octets }: Message, crc: number, index: number): void {
  const { file, head, prefix, size, text } = octets
  if (file !== null) {
    answer.needsFile({ index, file, crc, prefix, contentBytes: size - prefix.length })
    return
  }
  if (text === null || text === undefined) throw new Damaged('its text is gone')
  const isRight = prefix.length + head.length + text.length === size && bodyCrcOf(prefix, head, text) === crc
  if (!isRight) throw new Damaged('its checksum does not match')
}

/** A row by the names of its columns. */
class Columns {
  readonly #plan: Plan
  readonly #row: Row

  constructor(plan: Plan, row: Row) {
    this.#plan = plan
    this.#row = row
  }

  number(name: string): number {
    const value = this.#value(name)
    return typeof value === 'number' ? value : wrongColumn(name)
  }

  octets(name: string): Uint8Array {
    const value = this.#value(name)
    return value instanceof Uint8Array ? value : wrongColumn(name)
  }

  octetsOrNull(name: string): Uint8Array | null {
    return this.#value(name) === null ? null : this.octets(name)
  }

  textOrNull(name: string): string | null {
    const value = this.#value(name)
    return value === null || typeof value === 'string' ? value : wrongColumn(name)
  }

  wire(name: string): Uint8Array {
    const bytes = this.octets(name)
    return isWireList(bytes) ? bytes : wrongColumn(name)
  }

  #value(name: string): unknown {
    return this.#row[this.#plan.at.get(name) as number]
  }
}

function wrongColumn(name: string): never {
  throw new Damaged(`the column of its ${name} is damaged`)
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
  readonly #files: NeededFile[] = []
  readonly #damaged: (readonly [index: number, why: string])[] = []

  /** Adds a row, or names it as damaged: nothing of it stays then. */
  row(index: number, add: () => void): void {
    const lists = [this.#numbers, this.#pieces, this.#streams, this.#files]
    const [lengths, sizeBytes] = [lists.map(({ length }) => length), this.sizeBytes]
    try {
      add()
    } catch (error) {
      for (const [at, list] of lists.entries()) list.length = lengths[at] as number
      this.sizeBytes = sizeBytes
      this.damaged(index, describeError(error))
    }
  }

  damaged(index: number, why: string): void {
    this.#damaged.push([index, why])
  }

  needsFile(file: NeededFile): void {
    this.#files.push(file)
  }

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
      files: this.#files,
      damaged: this.#damaged,
    }
  }
}
