import { asBuffer } from './ascii.ts'

/** Pieces below this that come behind others are copied together, in blocks of `BLOCK` octets. */
const SMALL = 512
const BLOCK = 4096

/**
 * Received octets in the order of arrival, as the chunks they came in: nothing is copied until a piece that
 * spans chunks is taken. Positions count from the first octet still held.
 */
export class ByteQueue {
  #chunks: Buffer[] = []
  #first = 0
  #length = 0
  /** Where small pieces are gathered; the octets from `#blockUsed` on are free. */
  #block: Buffer | undefined
  #blockUsed = 0

  get length(): number {
    return this.#length
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    const last = this.#first < this.#chunks.length ? this.#chunks.at(-1) : undefined
    if (last !== undefined && bytes.length < SMALL) this.#gather(last, bytes)
    else this.#chunks.push(asBuffer(bytes))
    this.#length += bytes.length
  }

  /** The first position at or after `from` that holds `octet`, or -1. */
  indexOf(octet: number, from = 0): number {
    let base = 0
    for (let i = this.#first; i < this.#chunks.length; i++) {
      const chunk = this.#chunks[i] as Buffer
      if (from < base + chunk.length) {
        const at = chunk.indexOf(octet, Math.max(0, from - base))
        if (at >= 0) return base + at
      }
      base += chunk.length
    }
    return -1
  }

  /** Takes exactly `count` octets; they must be there. One chunk's part is a view, more are joined by a copy. */
  take(count: number): Buffer {
    if (count > this.#length) throw new RangeError(`take ${count} of ${this.#length}`)
    const head = this.#chunks[this.#first]
    if (count === 0 || head === undefined) return Buffer.alloc(0)
    if (head.length >= count) return this.#takeHead(head, count)
    const parts: Buffer[] = []
    let missing = count
    while (missing > 0) {
      const chunk = this.#chunks[this.#first] as Buffer
      const part = this.#takeHead(chunk, Math.min(missing, chunk.length))
      parts.push(part)
      missing -= part.length
    }
    return Buffer.concat(parts, count)
  }

  /** Takes what the first chunk holds, at most `max` octets: how bodies move without a copy. */
  takeChunk(max = Number.MAX_SAFE_INTEGER): Buffer {
    const head = this.#chunks[this.#first]
    return head === undefined ? Buffer.alloc(0) : this.#takeHead(head, Math.min(max, head.length))
  }

  /** Puts octets back in front: what a reader looked at and did not use. */
  unshift(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    if (this.#first > 0) this.#chunks[--this.#first] = asBuffer(bytes)
    else this.#chunks.unshift(asBuffer(bytes))
    this.#length += bytes.length
  }

  clear(): void {
    this.#chunks = []
    this.#first = 0
    this.#length = 0
    this.#block = undefined
  }

  /**
   * Joins a small piece to the ones before it: a peer that sends octets one by one would otherwise make a list
   * of them, which each search for a line's end walks from its start.
   */
  #gather(last: Buffer, bytes: Uint8Array): void {
    if (this.#block === undefined || this.#blockUsed + bytes.length > BLOCK) {
      this.#block = Buffer.allocUnsafeSlow(BLOCK)
      this.#blockUsed = 0
    }
    const block = this.#block
    const start = this.#blockUsed
    this.#blockUsed += bytes.length
    block.set(bytes, start)
    const end = last.byteOffset + last.length
    // Octets once handed out stay as they are: only free ones are written, and a longer view is made.
    if (last.buffer === block.buffer && end === start)
      this.#chunks[this.#chunks.length - 1] = block.subarray(last.byteOffset, this.#blockUsed)
    else this.#chunks.push(block.subarray(start, this.#blockUsed))
  }

  #takeHead(chunk: Buffer, count: number): Buffer {
    this.#length -= count
    if (count < chunk.length) {
      this.#chunks[this.#first] = chunk.subarray(count)
      return chunk.subarray(0, count)
    }
    this.#first++
    if (this.#length === 0) {
      // A connection that waits must not hold what it has been through.
      this.#chunks.length = 0
      this.#first = 0
    }
    // Taken chunks are dropped in batches, so that a long queue costs no quadratic shifting.
    else if (this.#first > 32 && this.#first * 2 > this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#first)
      this.#first = 0
    }
    return chunk
  }
}
