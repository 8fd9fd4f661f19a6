import { headerFieldsSubset } from '../../../mime/header.ts'
import { decodeParts, type Part, sectionRange } from '../../../mime/parts.ts'
import type { FetchWanted, SectionWanted } from '../../../ports/mailboxes.ts'
import { FETCH_ROW_BYTES, INLINE_BODY_BYTES } from '../../limits.ts'
import { bodyCrcOf } from '../body-crc.ts'
import type { FetchedRows } from '../questions.ts'
import { describeError, isUnreadable, type Sql } from '../sql.ts'
import { Damaged } from './damaged.ts'
import { type Columns, type Plan, planFetch, RowColumns } from './fetch-plan.ts'
import { isRange, type Slice, type StoredOctets, slice } from './octets.ts'
import { PACKED_ROWS, readPacked } from './packed.ts'
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
  const reading = { plan, folder, answer: new RowBuilder(), maxBytes, messages }
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
  if (plan.packed === undefined) return readSingly(sql, reading, first, messages.length)
  for (let at = first; at < messages.length; at += PACKED_ROWS) {
    const end = Math.min(at + PACKED_ROWS, messages.length)
    const columns = readPacked(sql, plan.packed, messages.slice(at, end))
    if (columns === undefined) {
      const read = readSingly(sql, reading, at, end)
      if (read.why !== 'end') return read
    } else while (columns.next()) addRow(reading, columns, at + columns.number('index'))
    if (answer.sizeBytes >= maxBytes) return { at: end, why: 'full' }
  }
  return { at: messages.length, why: 'end' }
}

function readSingly(sql: Sql, reading: Reading, first: number, end: number): Read {
  const { answer, maxBytes, messages, plan } = reading
  let at = first
  try {
    for (const row of sql.iterate(plan.sql, JSON.stringify(messages.slice(first, end)))) {
      const index = first + (row[0] as number)
      addRow(reading, new RowColumns(plan, row), index)
      at = index + 1
      if (answer.sizeBytes >= maxBytes) return { at, why: 'full' }
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
  const message = messageOf(plan, columns, folder)
  if (plan.at.has('text')) provable(answer, message, columns.number('crc'), index)
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

function messageOf(plan: Plan, columns: Columns, folder: string): Message {
  const octets: StoredOctets = {
    prefix: columns.octets('prefix'),
    head: columns.octets('head'),
    text: plan.at.has('text') ? columns.octetsOrNull('text') : undefined,
    file: columns.textOrNull('file'),
    size: columns.number('size'),
  }
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
