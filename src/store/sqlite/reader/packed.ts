import { isUnreadable, type Sql } from '../sql.ts'
import { Columns, EMPTY } from './fetch-plan.ts'
import type { StoredOctets } from './octets.ts'
import type { PackedPlan } from './packed-plan.ts'

/** Messages read at once: what is held of them is small beside a batch, and a question more does not show. */
export const PACKED_ROWS = 64
/** The same where their texts are read too. */
export const PACKED_BYTES = 128 * 1024

const SELECT_SIZES = `SELECT '[' || group_concat(coalesce(m.size, 0), ',') || ']'
  FROM json_each(?) j LEFT JOIN messages m ON m.id = j.value`

/** Octets of each of the messages from a place in the list on; of none where one can't be read. */
export function readSizes(sql: Sql, messages: readonly number[], first: number): readonly number[] {
  try {
    const [sizes] = sql.get(SELECT_SIZES, JSON.stringify(messages.slice(first))) ?? []
    return numbersIn(sizes) ?? []
  } catch (error) {
    if (!isUnreadable(error)) throw error
    return []
  }
}

/**
 * Reads what is wanted of some messages as one row.
 * @returns undefined where one of them is missing, damaged, or has its content in a file: then they are read one by one.
 */
export function readPacked(
  sql: Sql,
  plan: PackedPlan,
  messages: readonly number[],
): PackedColumns | undefined {
  const row = answerOf(sql, plan, messages)
  if (row === undefined) return undefined
  const [numbers, octets, count, files, wrong] = row
  if (files !== 0 || wrong !== 0 || count !== messages.length) return undefined
  const values = numbersIn(numbers)
  if (values === undefined || !(octets instanceof Uint8Array)) return undefined
  const packed = new PackedColumns(plan, { messages, values, octets })
  // A NULL where a number or octets must be leaves out the whole message.
  return values.length === messages.length * packed.stride && packed.isWhole() ? packed : undefined
}

/** undefined where a damaged column made text of a number. */
function numbersIn(list: unknown): readonly number[] | undefined {
  if (typeof list !== 'string') return undefined
  try {
    return JSON.parse(list) as readonly number[]
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return undefined
  }
}

function answerOf(sql: Sql, plan: PackedPlan, messages: readonly number[]): readonly unknown[] | undefined {
  try {
    return sql.get(plan.sql, JSON.stringify(messages))
  } catch (error) {
    if (!isUnreadable(error)) throw error
    return undefined
  }
}

/** The columns of one message after the other. */
export class PackedColumns extends Columns {
  readonly stride: number
  readonly #plan: PackedPlan
  readonly #messages: readonly number[]
  readonly #values: readonly number[]
  #row = -1
  #from = 0

  constructor(
    plan: PackedPlan,
    read: {
      readonly messages: readonly number[]
      readonly values: readonly number[]
      readonly octets: Uint8Array
    },
  ) {
    super()
    this.stride = plan.numbers.length + plan.octets.length
    this.#plan = plan
    this.#messages = read.messages
    this.#values = read.values
    this.source = read.octets
  }

  /** Whether the lengths are those of the octets, so that each message has its own. */
  isWhole(): boolean {
    let total = 0
    for (let at = 0; at < this.#values.length; at += this.stride) total += this.#lengthAt(at)
    return total === this.source.length
  }

  /** Goes on to the next message; false after the last. */
  next(): boolean {
    if (this.#row >= 0) this.#from += this.#lengthAt(this.#row * this.stride)
    this.#row++
    return this.#row * this.stride < this.#values.length
  }

  number(name: string): number {
    if (name === 'index') return this.#row
    if (name === 'message') return this.#messages[this.#row] as number
    return this.#values[this.#row * this.stride + this.#plan.numbers.indexOf(name)] as number
  }

  find(name: string): void {
    this.start = this.#from
    let at = this.#row * this.stride + this.#plan.numbers.length
    for (const each of this.#plan.octets) {
      const length = this.#values[at++] as number
      if (each === name) {
        this.end = this.start + length
        return
      }
      this.start += length
    }
    throw new RangeError(`no octets of ${name} were read`)
  }

  /** All that follows the prefix is one piece: the columns stand in the order of the message's octets. */
  stored(): StoredOctets {
    this.find('prefix')
    const { source, start, end } = this
    const hasText = this.#plan.octets.includes('text')
    this.find(hasText ? 'text' : 'head')
    return {
      prefix: start === end ? EMPTY : source.subarray(start, end),
      head: source.subarray(end, this.end),
      text: hasText ? EMPTY : undefined,
      // Only what has no file is read in this way.
      file: null,
      size: hasText ? this.number('octets') : this.end - start,
    }
  }

  #lengthAt(at: number): number {
    let total = 0
    for (let i = this.#plan.numbers.length; i < this.stride; i++) total += this.#values[at + i] as number
    return total
  }
}
