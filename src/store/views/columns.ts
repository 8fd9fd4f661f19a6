/**
 * A mailbox as columns, ascending by UID: 28 octets a message. Grows at the end only; whoever saw the first n
 * rows still sees them as they were, but for their flags, which are always the newest.
 */
export class Columns {
  uids: Uint32Array
  messages: Float64Array
  flags: Float64Array
  modseqs: Float64Array
  count: number

  constructor(rows: {
    readonly uids: Uint32Array
    readonly messages: Float64Array
    readonly flags: Float64Array
    readonly modseqs: Float64Array
  }) {
    this.uids = rows.uids
    this.messages = rows.messages
    this.flags = rows.flags
    this.modseqs = rows.modseqs
    this.count = rows.uids.length
  }

  append(row: {
    readonly uid: number
    readonly message: number
    readonly flags: number
    readonly modseq: number
  }): void {
    if (this.count === this.uids.length) this.#grow()
    this.uids[this.count] = row.uid
    this.messages[this.count] = row.message
    this.flags[this.count] = row.flags
    this.modseqs[this.count] = row.modseq
    this.count++
  }

  /** An index below 0 is a row that is not here. */
  setFlags(index: number, flags: number, modseq: number): void {
    if (index < 0) return
    this.flags[index] = flags
    this.modseqs[index] = modseq
  }

  /** Index of the UID, -1 where it is not here. */
  indexOf(uid: number): number {
    const index = this.lowerBound(uid)
    return index < this.count && this.uids[index] === uid ? index : -1
  }

  /** Ascending; UIDs that are not here are left out. */
  indexesOf(uids: readonly number[]): Uint32Array {
    const found = new Uint32Array(uids.length)
    let count = 0
    let at = 0
    for (const uid of isAscending(uids) ? uids : Uint32Array.from(uids).sort()) {
      // Mostly they follow one another: a search for each of 100,000 would take 10 ms.
      if (this.uids[at] !== uid) at = this.lowerBound(uid, at)
      if (at < this.count && this.uids[at] === uid) found[count++] = at++
    }
    return found.subarray(0, count)
  }

  /** Index of the first UID from `from` on that is at least `uid`; `count` where there is none. */
  lowerBound(uid: number, from = 0): number {
    let low = from
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.uids[middle] as number) < uid) low = middle + 1
      else high = middle
    }
    return low
  }

  /** A copy without some rows; `indexes` ascending. */
  without(indexes: readonly number[]): Columns {
    const kept = this.count - indexes.length
    const copy = new Columns({
      uids: new Uint32Array(kept),
      messages: new Float64Array(kept),
      flags: new Float64Array(kept),
      modseqs: new Float64Array(kept),
    })
    let from = 0
    let to = 0
    for (const index of [...indexes, this.count]) {
      copyRows(this, copy, { from, until: index, to })
      to += index - from
      from = index + 1
    }
    return copy
  }

  #grow(): void {
    const size = Math.max(16, this.count + (this.count >>> 1))
    this.uids = grown(this.uids, new Uint32Array(size))
    this.messages = grown(this.messages, new Float64Array(size))
    this.flags = grown(this.flags, new Float64Array(size))
    this.modseqs = grown(this.modseqs, new Float64Array(size))
  }
}

function grown<Array extends Uint32Array | Float64Array>(old: Array, larger: Array): Array {
  larger.set(old)
  return larger
}

function copyRows(
  source: Columns,
  target: Columns,
  range: { readonly from: number; readonly until: number; readonly to: number },
): void {
  const { from, until, to } = range
  if (from === until) return
  target.uids.set(source.uids.subarray(from, until), to)
  target.messages.set(source.messages.subarray(from, until), to)
  target.flags.set(source.flags.subarray(from, until), to)
  target.modseqs.set(source.modseqs.subarray(from, until), to)
}

function isAscending(numbers: readonly number[]): boolean {
  for (let i = 1; i < numbers.length; i++)
    if ((numbers[i] as number) < (numbers[i - 1] as number)) return false
  return true
}
