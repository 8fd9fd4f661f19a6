import type { FetchWanted, SectionWanted } from '../../../ports/mailboxes.ts'
import type { Row } from '../sql.ts'
import { Damaged } from './damaged.ts'
import { type NamedColumn, type PackedPlan, planPacked } from './packed-plan.ts'
import { isWireList } from './wire-list.ts'

/** How a FETCH is read from the database. */
export interface Plan {
  readonly sql: string
  readonly wanted: FetchWanted
  /** Column of each thing that is read from the row. */
  readonly at: ReadonlyMap<string, number>
  /** Reads several messages at once, where that can be. */
  readonly packed: PackedPlan | undefined
}

// The list's own order is kept: CROSS JOIN makes SQLite follow it.
const FROM = 'FROM json_each(?) j CROSS JOIN messages m ON m.id = j.value'

export function planFetch(wanted: FetchWanted): Plan {
  const columns: NamedColumn[] = [
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
  const from = `${FROM}${joins}${text}`
  return {
    sql: `SELECT ${columns.map(([, column]) => column).join(', ')} ${from}`,
    wanted,
    at: new Map(columns.map(([name], index) => [name, index])),
    packed: needsText ? undefined : planPacked(columns, from),
  }
}

const needsParts = (one: SectionWanted): boolean => one.path.length > 0 || one.what === 'text'

/** The columns of one message by their names. Throws `Damaged` where one is not what it must be. */
export abstract class Columns {
  abstract number(name: string): number
  abstract octets(name: string): Uint8Array
  abstract octetsOrNull(name: string): Uint8Array | null
  abstract textOrNull(name: string): string | null

  wire(name: string): Uint8Array {
    const bytes = this.octets(name)
    return isWireList(bytes) ? bytes : wrongColumn(name)
  }
}

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

  #value(name: string): unknown {
    return this.#row[this.#plan.at.get(name) as number]
  }
}

function wrongColumn(name: string): never {
  throw new Damaged(`the column of its ${name} is damaged`)
}
