import { CR, LF, SP, TAB } from '../bytes/ascii.ts'
import { copyOctets } from '../bytes/copy.ts'

const COLON = 0x3a
const [UPPER_A, UPPER_Z, LOWER] = [0x41, 0x5a, 0x20]

/**
 * `BODY[HEADER.FIELDS …]` and its `.NOT` form (rfc3501 §6.4.5): the fields byte by byte in their order, then the
 * header's empty line, where it has one. Prepared once for thousands of messages; it works on octets and makes nothing.
 */
export class HeaderSubset {
  /** Lower case, those of one length in ascending order. */
  readonly #byLength: ReadonlyMap<number, readonly Uint8Array[]>
  readonly #not: boolean

  constructor(names: readonly string[], not: boolean) {
    this.#not = not
    const ascending = names.map((name) => Buffer.from(name.toLowerCase(), 'latin1')).sort(Buffer.compare)
    this.#byLength = Map.groupBy(ascending, ({ length }) => length)
  }

  /** Of a header block alone. */
  of(header: Uint8Array): Uint8Array {
    const subset = Buffer.allocUnsafe(header.length)
    return subset.subarray(0, this.copy({ octets: header, start: 0, end: header.length }, subset, 0))
  }

  /**
   * Copies what is chosen of a header block into `target`, which must have room for all of it.
   * @returns how many octets it is.
   */
  copy(header: HeaderBlock, target: Uint8Array, at: number): number {
    const { octets, start, end } = header
    let to = at
    let from = start
    while (from < end) {
      const isLast = octets[from] === LF || (octets[from] === CR && from + 1 < end && octets[from + 1] === LF)
      const stop = isLast ? lineEnd(octets, from, end) : fieldEnd(octets, from, end)
      if (isLast || this.#isListed(octets, from, stop) !== this.#not)
        to = copyOctets(octets, from, stop, target, to)
      if (isLast) break
      from = stop
    }
    return to - at
  }

  #isListed(octets: Uint8Array, start: number, end: number): boolean {
    const length = nameLength(octets, start, end)
    const names = this.#byLength.get(length)
    return names !== undefined && length > 0 && hasName(names, octets, start)
  }
}

/** Where a header block stands. */
export interface HeaderBlock {
  readonly octets: Uint8Array
  readonly start: number
  readonly end: number
}

/** By halves: a hundred names that differ in their last octet would else be compared with each of 30,000 fields. */
function hasName(names: readonly Uint8Array[], octets: Uint8Array, start: number): boolean {
  let low = 0
  let high = names.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const order = compareName(octets, start, names[middle] as Uint8Array)
    if (order === 0) return true
    if (order < 0) high = middle
    else low = middle + 1
  }
  return false
}

/** Below 0 where the field's name comes before `name`, which is as long. */
function compareName(octets: Uint8Array, start: number, name: Uint8Array): number {
  for (let i = 0; i < name.length; i++) {
    const octet = octets[start + i] as number
    const order = (octet >= UPPER_A && octet <= UPPER_Z ? octet | LOWER : octet) - (name[i] as number)
    if (order !== 0) return order
  }
  return 0
}

/**
 * 0 where the line is no field: a name of printable characters, then a colon (rfc5322 §2.2). Obsolete forms have white
 * space before the colon (rfc5322 §4.5.8), never within or before the name; it is not counted.
 */
function nameLength(octets: Uint8Array, start: number, end: number): number {
  let length = 0
  for (let i = start; i < end; i++) {
    const octet = octets[i] as number
    if (octet === COLON) return length
    if (octet > SP && octet < 0x7f) {
      if (length < i - start) return 0
      length++
    } else if ((octet !== SP && octet !== TAB) || length === 0) return 0
  }
  return 0
}

/** After the line end that no folded line follows. */
function fieldEnd(octets: Uint8Array, start: number, end: number): number {
  let at = lineEnd(octets, start, end)
  while (at < end && (octets[at] === SP || octets[at] === TAB)) at = lineEnd(octets, at, end)
  return at
}

function lineEnd(octets: Uint8Array, start: number, end: number): number {
  for (let i = start; i < end; i++) if (octets[i] === LF) return i + 1
  return end
}
