import type { HeaderBlock, HeaderSubset } from '../../../mime/header-subset.ts'
import { decodeParts, type Part, sectionRange } from '../../../mime/parts.ts'
import type { FetchWanted, SectionWanted } from '../../../ports/mailboxes.ts'
import { FETCH_ROW_BYTES, INLINE_BODY_BYTES } from '../../limits.ts'
import { bodyCrcOf } from '../body-crc.ts'
import type { FetchedRows } from '../questions.ts'
import { describeError, isUnreadable, type Sql } from '../sql.ts'
import { Damaged } from './damaged.ts'
import { type Columns, type Plan, type PlannedSection, planFetch, RowColumns } from './fetch-plan.ts'
import { isRange, type Slice, type StoredOctets, slice } from './octets.ts'
import { PACKED_BYTES, PACKED_ROWS, readPacked, readSizes } from './packed.ts'
import { RowBuilder } from './row-builder.ts'

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
  const reading = { plan, folder, answer: new RowBuilder(messages.length, maxBytes), maxBytes, messages }
  for (let at = 0; at < messages.length; ) {
    const read = readFrom(sql, reading, at)
    at = read.why === 'damage' ? skipDamage(sql, reading, read.at) : read.at
    if (read.why === 'full') return reading.answer.finish(at)
  }
  return reading.answer.finish(messages.length)
}

interface Reading {
  readonly plan: Plan
  readonly folder: string
  readonly answer: RowBuilder
  readonly maxBytes: number
  readonly messages: readonly number[]
}

/** 'damage': the database can't read one of the messages from `at` on. */
interface Read {
  readonly at: number
  readonly why: 'end' | 'full' | 'damage'
}

/** Rows from a place in the list on. */
function readFrom(sql: Sql, reading: Reading, first: number): Read {
  const { answer, maxBytes, messages, plan } = reading
  const sizes = plan.at.has('text') ? readSizes(sql, messages, first) : undefined
  for (let at = first; at < messages.length; ) {
    const end = at + groupLength(sizes, at - first, messages.length - at, maxBytes - answer.sizeBytes)
    const columns = end - at > 1 ? readPacked(sql, plan.packed, messages.slice(at, end)) : undefined
    if (columns === undefined) {
      const read = readSingly(sql, reading, at, end)
      if (read.why !== 'end') return read
      at = end
    } else while (!answer.isFull && columns.next()) addRow(reading, columns, at++)
    if (answer.isFull) return { at, why: 'full' }
  }
  return { at: messages.length, why: 'end' }
}

/** How many messages are read at once. Texts are held for so long: a large one is read by itself, as one of unknown size. */
function groupLength(sizes: readonly number[] | undefined, from: number, left: number, room: number): number {
  const most = Math.min(PACKED_ROWS, left)
  if (sizes === undefined) return most
  const bound = Math.min(PACKED_BYTES, room)
  let length = 0
  for (let bytes = 0; length < most; length++) {
    bytes += sizes[from + length] ?? Infinity
    if (bytes > bound) break
  }
  return Math.max(1, length)
}

function readSingly(sql: Sql, reading: Reading, first: number, end: number): Read {
  const { answer, messages, plan } = reading
  let at = first
  try {
    for (const row of sql.iterate(plan.sql, JSON.stringify(messages.slice(first, end)))) {
      const index = first + (row[0] as number)
      addRow(reading, new RowColumns(plan, row), index)
      at = index + 1
      if (answer.isFull) return { at, why: 'full' }
    }
    return { at: end, why: 'end' }
  } catch (error) {
    if (!isUnreadable(error)) throw error
    return { at, why: 'damage' }
  }
}

/** Finds the message that stopped the reading, one by one. @returns the place behind it. */
function skipDamage(sql: Sql, reading: Reading, first: number): number {
  const { answer, messages, plan } = reading
  for (let index = first; index < messages.length; index++)
    try {
      const row = sql.get(plan.sql, JSON.stringify([messages[index]]))
      if (row !== undefined) addRow(reading, new RowColumns(plan, row), index)
    } catch (error) {
      if (!isUnreadable(error)) throw error
      answer.damaged(index, describeError(error))
      return index + 1
    }
  return messages.length
}

function addRow(reading: Reading, columns: Columns, index: number): void {
  reading.answer.row(index, () => addColumns(reading, columns, index))
}

/** Throws where a column is not what it must be. */
function addColumns({ answer, folder, plan }: Reading, columns: Columns, index: number): void {
  const { wanted } = plan
  answer.number(index)
  answer.number(columns.number('message'))
  if (wanted.envelope) addWire(answer, columns, 'envelope')
  if (wanted.bodyStructure) addWire(answer, columns, 'structure')
  if (wanted.body) addWire(answer, columns, 'body')
  if (wanted.internalDate) {
    answer.number(columns.number('arrived'))
    answer.number(columns.number('zone'))
  }
  if (wanted.size) answer.number(columns.number('size'))
  if (wanted.emailId) answer.number(columns.number('thread'))
  if (plan.sections.length === 0) return
  const message = messageOf(plan, columns, folder)
  if (plan.at.has('text')) provable(answer, message, columns.number('crc'), index)
  const before = answer.sizeBytes
  // The first one always comes: asked for alone, it must.
  for (const section of plan.sections)
    addSection(answer, message, section, answer.sizeBytes > before ? before + FETCH_ROW_BYTES : Infinity)
}

function addWire(answer: RowBuilder, columns: Columns, name: string): void {
  columns.findWire(name)
  answer.copy(columns.source, columns.start, columns.end)
}

/** @param upTo a section with which the answer would have more octets is asked for by itself. */
function addSection(answer: RowBuilder, message: Message, section: PlannedSection, upTo: number): void {
  const { fields, wanted } = section
  if (fields !== undefined && wanted.partial === undefined) {
    const header = headerBlock(message, wanted)
    if (header === undefined) answer.octets(undefined)
    else {
      answer.lookedAt(header.end - header.start)
      const length = answer.fields(fields, header)
      if (answer.sizeBytes > upTo) answer.notNow(length)
    }
    return
  }
  const some = fields === undefined ? octetsOf(message, wanted) : someFields(answer, message, wanted, fields)
  const length = heldLength(some)
  if (answer.sizeBytes + length > upTo) answer.later(length)
  else answer.octets(some)
}

function messageOf(plan: Plan, columns: Columns, folder: string): Message {
  const octets = columns.stored()
  const parts = plan.at.has('parts') ? decodeParts(columns.octets('parts')) : undefined
  return { octets, parts, headerSize: columns.number('header'), folder }
}

/** Nobody is given octets that the checksum does not prove. A file is looked at where it does not hold the reader up. */
function provable(answer: RowBuilder, { octets }: Message, crc: number, index: number): void {
  const { file, head, prefix, size, text } = octets
  if (file !== null) {
    answer.needsFile({ index, file, crc, prefix, contentBytes: size - prefix.length })
    return
  }
  if (text === null || text === undefined) throw new Damaged('its text is gone')
  answer.lookedAt(size)
  const isRight = prefix.length + head.length + text.length === size && bodyCrcOf(prefix, head, text) === crc
  if (!isRight) throw new Damaged('its checksum does not match')
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
function octetsOf(message: Message, section: SectionWanted): Slice | undefined {
  const range = rangeOf(message, section)
  if (range === undefined) return undefined
  const { start, end } = cutRange(range, section.partial)
  return slice(message.octets, start, end, message.folder)
}

function someFields(
  answer: RowBuilder,
  message: Message,
  wanted: SectionWanted,
  fields: HeaderSubset,
): Slice | undefined {
  const header = headerBlock(message, wanted)
  if (header === undefined) return undefined
  answer.lookedAt(header.end - header.start)
  const subset = fields.of(header.octets.subarray(header.start, header.end))
  const cut = cutRange({ start: 0, end: subset.length }, wanted.partial)
  return [subset.subarray(cut.start, cut.end)]
}

/** The header in which fields are looked for: undefined where there is no such part. */
function headerBlock(message: Message, section: SectionWanted): HeaderBlock | undefined {
  const range = rangeOf(message, section)
  if (range === undefined) return undefined
  const { start } = range
  const end = Math.min(range.end, start + FIELDS_BYTES)
  const { head, prefix } = message.octets
  if (prefix.length === 0 && end <= head.length) return { octets: head, start, end }
  const octets = joined(slice(message.octets, start, end, message.folder))
  return { octets, start: 0, end: octets.length }
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
