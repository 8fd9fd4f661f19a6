import { HeaderSubset } from '../../../mime/header-subset.ts'
import type { FetchWanted, SectionWanted } from '../../../ports/mailboxes.ts'
import type { Row } from '../sql.ts'
import { Damaged } from './damaged.ts'
import type { StoredOctets } from './octets.ts'
import { type NamedColumn, type PackedPlan, planPacked } from './packed-plan.ts'
import { isWireList } from './wire-list.ts'

/** How a FETCH is read from the database. */
export interface Plan {
  readonly sql: string
  readonly wanted: FetchWanted
  readonly sections: readonly PlannedSection[]
  /** Column of each thing that is read from the row. */
  readonly at: ReadonlyMap<string, number>
  /** Reads several messages at once. */
  readonly packed: PackedPlan
}

export interface PlannedSection {
  readonly wanted: SectionWanted
  /** Header fields to be chosen. */
  readonly fields: HeaderSubset | undefined
}

// The list's own order is kept: CROSS JOIN makes SQLite follow it.
const FROM = 'FROM json_each(?) j CROSS JOIN messages m ON m.id = j.value'

export function planFetch(wanted: FetchWanted): Plan {
  const sections = wanted.sections ?? []
  const needsText = sections.some((one) => one.path.length > 0 || one.what === 'all' || one.what === 'text')
  const columns = columnsOf(wanted, sections, needsText)
  const needsBody = wanted.envelope || wanted.bodyStructure || wanted.body || sections.length > 0
  const joins = needsBody ? ' CROSS JOIN bodies b ON b.id = m.body' : ''
  const text = needsText ? ' LEFT JOIN texts t ON t.body = m.body' : ''
  const from = `${FROM}${joins}${text}`
  return {
    sql: `SELECT ${columns.map(([, column]) => column).join(', ')} ${from}`,
    wanted,
    sections: sections.map((one) => ({ wanted: one, fields: subsetOf(one) })),
    at: new Map(columns.map(([name], index) => [name, index])),
    packed: planPacked(columns, from),
  }
}

function columnsOf(
  wanted: FetchWanted,
  sections: readonly SectionWanted[],
  needsText: boolean,
): readonly NamedColumn[] {
  const columns: NamedColumn[] = [
    ['index', 'j.key'],
    ['message', 'm.id'],
  ]
  if (wanted.envelope) columns.push(['envelope', 'b.envelope'])
  if (wanted.bodyStructure) columns.push(['structure', 'b.structure'])
  if (wanted.body) columns.push(['body', 'b.body'])
  if (wanted.internalDate) columns.push(['arrived', 'm.arrived_ms'], ['zone', 'm.zone'])
  if (wanted.emailId) columns.push(['thread', 'm.thread'])
  if (wanted.size) columns.push(['size', 'm.size'])
  if (sections.length === 0) return columns
  if (sections.some(needsParts)) columns.push(['parts', 'b.parts'])
  columns.push(['file', 'b.file'], ['header', 'b.header_size'], ['octets', 'm.size'])
  if (needsText) columns.push(['crc', 'b.crc'])
  // In the order of the message's octets, and last: see `PackedColumns.stored`.
  columns.push(['prefix', 'b.prefix'], ['head', 'b.head'])
  if (needsText) columns.push(['text', 't.bytes'])
  return columns
}

const needsParts = (one: SectionWanted): boolean => one.path.length > 0 || one.what === 'text'

function subsetOf({ what }: SectionWanted): HeaderSubset | undefined {
  return typeof what === 'string' ? undefined : new HeaderSubset(what.fields, what.not)
}

/** The columns of one message by their names. Throws `Damaged` where one is not what it must be. */
export abstract class Columns {
  /** Where the octets stand that `find` was asked for. */
  source: Uint8Array = EMPTY
  start = 0
  end = 0

  abstract number(name: string): number
  abstract find(name: string): void
  abstract stored(): StoredOctets

  octets(name: string): Uint8Array {
    this.find(name)
    return this.source.subarray(this.start, this.end)
  }

  findWire(name: string): void {
    this.find(name)
    if (!isWireList(this.source, this.start, this.end)) wrongColumn(name)
  }
}

export const EMPTY = new Uint8Array(0)

/** Of a row as SQLite gives it. */
export class RowColumns extends Columns {
  readonly #plan: Plan
  readonly #row: Row

  constructor(plan: Plan, row: Row) {
    super()
    this.#plan = plan
    this.#row = row
  }

  number(name: string): number {
    const value = this.#value(name)
    return typeof value === 'number' ? value : wrongColumn(name)
  }

  find(name: string): void {
    const value = this.#value(name)
    if (!(value instanceof Uint8Array)) wrongColumn(name)
    this.source = value
    this.start = 0
    this.end = value.length
  }

  stored(): StoredOctets {
    const hasText = this.#plan.at.has('text')
    return {
      prefix: this.octets('prefix'),
      head: this.octets('head'),
      text: hasText ? (this.#value('text') === null ? null : this.octets('text')) : undefined,
      file: this.#textOrNull('file'),
      size: this.number('octets'),
    }
  }

  #textOrNull(name: string): string | null {
    const value = this.#value(name)
    return value === null || typeof value === 'string' ? value : wrongColumn(name)
  }

  #value(name: string): unknown {
    return this.#row[this.#plan.at.get(name) as number]
  }
}

function wrongColumn(name: string): never {
  throw new Damaged(`the column of its ${name} is damaged`)
}
