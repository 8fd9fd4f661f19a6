/**
 * A set of UIDs or of message sequence numbers (rfc3501 §9, sequence-set), as ranges. A set is never spread
 * out into its members: `1:4294967295` costs as much as `1`.
 */
export interface UidSet {
  /** Pairs first, last, first, last, … ascending, neither overlapping nor touching. */
  readonly bounds: readonly number[]
  /** Present where `*` occurs: see `resolveStar`. */
  readonly star?: StarRange | undefined
}

/** All `n:*` together; a bare `*` has neither. With `*` as M they stand for min(low, M) to max(high, M). */
export interface StarRange {
  readonly low: number | undefined
  readonly high: number | undefined
}

export const MAX_UID = 0xffff_ffff
export const EMPTY_SET: UidSet = { bounds: [] }

/**
 * Ranges in one parsed set. A client that lost sync names each of its messages; with `1,3,5,…` that is one
 * range each, and more than this does not fit into a command line anyway.
 */
export const MAX_RANGES = 65_536

const ZERO = 0x30
const NINE = 0x39
const STAR = 0x2a
const COLON = 0x3a
const COMMA = 0x2c

/** Reads `1,3:5,7:*`; undefined where the text is no set, has a zero or more than `MAX_RANGES` parts. */
export function parseUidSet(text: string): UidSet | undefined {
  const bounds: number[] = []
  let star: StarRange | undefined
  let parts = 0
  let at = 0
  // Numbers are read in place: splitting a set of 10,000 parts makes 20,000 strings for nothing.
  const number = (): number => {
    if (text.charCodeAt(at) === STAR) {
      at++
      return Number.POSITIVE_INFINITY
    }
    const start = at
    let value = 0
    for (;;) {
      const code = text.charCodeAt(at)
      if (!(code >= ZERO && code <= NINE)) break
      value = value * 10 + (code - ZERO)
      at++
    }
    return at - start > 10 || text.charCodeAt(start) === ZERO || value > MAX_UID ? 0 : value
  }
  for (;;) {
    const first = number()
    let last = first
    if (text.charCodeAt(at) === COLON) {
      at++
      last = number()
    }
    if (first === 0 || last === 0 || ++parts > MAX_RANGES) return undefined
    if (first !== Number.POSITIVE_INFINITY && last !== Number.POSITIVE_INFINITY)
      bounds.push(Math.min(first, last), Math.max(first, last))
    else star = widenStar(star, Math.min(first, last))
    if (at === text.length) break
    if (text.charCodeAt(at++) !== COMMA) return undefined
  }
  const normal = normalise(bounds)
  return star === undefined ? { bounds: normal } : { bounds: normal, star }
}

/** The shortest form; empty for an empty set, which the wire cannot hold. */
export function formatUidSet(set: UidSet): string {
  const parts: string[] = []
  const { bounds, star } = set
  for (let i = 0; i < bounds.length; i += 2)
    parts.push(bounds[i] === bounds[i + 1] ? `${bounds[i]}` : `${bounds[i]}:${bounds[i + 1]}`)
  if (star?.low === undefined) return (star === undefined ? parts : [...parts, '*']).join(',')
  parts.push(`${star.low}:*`)
  if (star.high !== star.low) parts.push(`${star.high}:*`)
  return parts.join(',')
}

/**
 * Replaces `*` by the largest number in use; 0 says that there is none, and `*` then stands for nothing.
 * `n:*` always holds the largest number, also where n is beyond it (rfc3501 §6.4.8).
 */
export function resolveStar(set: UidSet, largest: number): UidSet {
  if (set.star === undefined) return set
  if (largest === 0) return { bounds: set.bounds }
  const low = Math.min(set.star.low ?? largest, largest)
  const high = Math.max(set.star.high ?? largest, largest)
  return { bounds: normalise([...set.bounds, low, high]) }
}

/** Makes a set of numbers in any order; each must be 1 to `MAX_UID`. */
export function uidSetOf(numbers: Iterable<number>): UidSet {
  const bounds: number[] = []
  for (const n of numbers) {
    const end = bounds.length - 1
    // Numbers mostly come ascending: grow the last range rather than add one for each.
    if (end > 0 && n === (bounds[end] as number) + 1) bounds[end] = n
    else bounds.push(n, n)
  }
  return { bounds: normalise(bounds) }
}

/** How many numbers the set holds, not counting what `*` adds. */
export function countUids(set: UidSet): number {
  let count = 0
  for (let i = 0; i < set.bounds.length; i += 2)
    count += (set.bounds[i + 1] as number) - (set.bounds[i] as number) + 1
  return count
}

/** The largest number named, not counting `*`; 0 in an empty set. */
export function largestUid(set: UidSet): number {
  return Math.max(set.bounds.at(-1) ?? 0, set.star?.high ?? 0)
}

/** Whether `n` is in the set; `*` must have been resolved. */
export function containsUid(set: UidSet, n: number): boolean {
  const { bounds } = set
  let low = 0
  let high = bounds.length / 2
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((bounds[middle * 2 + 1] as number) < n) low = middle + 1
    else high = middle
  }
  return low * 2 < bounds.length && (bounds[low * 2] as number) <= n
}

/** The members ascending, at most `limit` of them; `*` must have been resolved. */
export function* iterateUids(set: UidSet, limit: number): Generator<number, void> {
  let left = limit
  for (let i = 0; i < set.bounds.length; i += 2)
    for (let n = set.bounds[i] as number; n <= (set.bounds[i + 1] as number); n++) {
      if (left-- <= 0) return
      yield n
    }
}

/**
 * Indexes into `sorted` (ascending, unique: a mailbox's UIDs) of the members of the set. Costs the ranges and
 * the hits, never the width of a range.
 */
export function indexesInSet(set: UidSet, sorted: ArrayLike<number>): number[] {
  const hits: number[] = []
  let from = 0
  for (let i = 0; i < set.bounds.length && from < sorted.length; i += 2) {
    from = lowerBound(sorted, set.bounds[i] as number, from)
    const last = set.bounds[i + 1] as number
    while (from < sorted.length && (sorted[from] as number) <= last) hits.push(from++)
  }
  return hits
}

export function unionSets(a: UidSet, b: UidSet): UidSet {
  return { bounds: normalise([...a.bounds, ...b.bounds]) }
}

function lowerBound(sorted: ArrayLike<number>, wanted: number, from: number): number {
  let low = from
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as number) < wanted) low = middle + 1
    else high = middle
  }
  return low
}

function widenStar(star: StarRange | undefined, n: number): StarRange {
  if (n === Number.POSITIVE_INFINITY) return star ?? { low: undefined, high: undefined }
  return { low: Math.min(star?.low ?? n, n), high: Math.max(star?.high ?? n, n) }
}

/** Sorts and merges pairs; gives them back as they are where nothing is to do. */
function normalise(bounds: number[]): number[] {
  if (isNormal(bounds)) return bounds
  const order = Array.from({ length: bounds.length / 2 }, (_, i) => i * 2)
  order.sort((a, b) => (bounds[a] as number) - (bounds[b] as number))
  const out: number[] = []
  for (const i of order) {
    const end = out.length - 1
    const last = bounds[i + 1] as number
    if (end > 0 && (bounds[i] as number) <= (out[end] as number) + 1)
      out[end] = Math.max(out[end] as number, last)
    else out.push(bounds[i] as number, last)
  }
  return out
}

function isNormal(bounds: readonly number[]): boolean {
  for (let i = 2; i < bounds.length; i += 2)
    if ((bounds[i] as number) <= (bounds[i - 1] as number) + 1) return false
  return true
}
