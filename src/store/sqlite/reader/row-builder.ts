import { copyOctets } from '../../../bytes/copy.ts'
import type { HeaderBlock, HeaderSubset } from '../../../mime/header-subset.ts'
import { FETCH_LOOK_BYTES } from '../../limits.ts'
import type { FetchedRows, FileRange, NeededFile } from '../questions.ts'
import { isShortage } from '../shortage.ts'
import { describeError } from '../sql.ts'
import { isRange, type Slice } from './octets.ts'

/** Room at first; after some rows it is known what all of them need. */
const FIRST_BYTES = 16 * 1024

/** Gathers the rows of an answer, whose octets are written where they will stay. */
export class RowBuilder {
  sizeBytes = 0
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
  readonly #maxBytes: number
  readonly #rowsExpected: number
  #rows = 0
  #lookBytes = 0
  readonly #numbers: number[] = []
  readonly #streams: FileRange[] = []
  readonly #files: NeededFile[] = []
  readonly #damaged: (readonly [index: number, why: string])[] = []

  /** An answer ends with the row that reaches `maxBytes`, or `FETCH_LOOK_BYTES`. */
  constructor(rowsExpected: number, maxBytes: number) {
    this.#rowsExpected = rowsExpected
    this.#maxBytes = maxBytes
  }

  get isFull(): boolean {
    return this.sizeBytes >= this.#maxBytes || this.#lookBytes >= FETCH_LOOK_BYTES
  }

  /** So many octets were gone through, whatever the client gets of them. */
  lookedAt(octets: number): void {
    this.#lookBytes += octets
  }

  /** Adds a row, or names it as damaged: nothing of it stays then. */
  row(index: number, add: () => void): void {
    const [numbers, sizeBytes] = [this.#numbers.length, this.sizeBytes]
    const [streams, files] = [this.#streams.length, this.#files.length]
    this.#rows++
    try {
      add()
    } catch (error) {
      if (isShortage(error)) throw error
      this.#numbers.length = numbers
      this.#streams.length = streams
      this.#files.length = files
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

  number(value: number): void {
    this.#numbers.push(value)
  }

  octets(some: Slice | undefined): void {
    if (some === undefined) this.#numbers.push(-1)
    else if (isRange(some)) {
      this.#numbers.push(-2)
      this.#streams.push(some)
    } else {
      const before = this.sizeBytes
      for (const piece of some) this.#write(piece, 0, piece.length)
      this.#numbers.push(this.sizeBytes - before)
    }
  }

  copy(source: Uint8Array, start: number, end: number): void {
    this.#write(source, start, end)
    this.#numbers.push(end - start)
  }

  /** @returns how many octets they are. */
  fields(subset: HeaderSubset, header: HeaderBlock): number {
    this.#makeRoom(header.end - header.start)
    const length = subset.copy(header, this.#bytes, this.sizeBytes)
    this.sizeBytes += length
    this.#numbers.push(length)
    return length
  }

  /** A section that is to be asked for by itself. */
  later(length: number): void {
    this.#numbers.push(-3, length)
  }

  /** The same in place of the section that came last. */
  notNow(length: number): void {
    this.#numbers.pop()
    this.sizeBytes -= length
    this.later(length)
  }

  finish(done: number): FetchedRows {
    const { sizeBytes } = this
    // What is kept for a client is counted by what it is to get.
    const isTight = this.#bytes.length - sizeBytes <= sizeBytes / 8
    const bytes = isTight ? this.#bytes : Buffer.allocUnsafeSlow(sizeBytes)
    if (!isTight) bytes.set(this.#bytes.subarray(0, sizeBytes))
    return {
      done,
      numbers: new Float64Array(this.#numbers),
      bytes: new Uint8Array(bytes.buffer, 0, sizeBytes),
      streams: this.#streams,
      files: this.#files,
      damaged: this.#damaged,
    }
  }

  #write(source: Uint8Array, start: number, end: number): void {
    this.#makeRoom(end - start)
    this.sizeBytes = copyOctets(source, start, end, this.#bytes, this.sizeBytes)
  }

  #makeRoom(octets: number): void {
    const needed = this.sizeBytes + octets
    if (needed <= this.#bytes.length) return
    // With a little more than the average, so that it seldom happens twice.
    const all = Math.min((needed / this.#rows) * this.#rowsExpected * 1.05, this.#maxBytes + octets)
    const larger = Buffer.allocUnsafeSlow(Math.ceil(Math.max(all, needed)))
    larger.set(this.#bytes.subarray(0, this.sizeBytes))
    this.#bytes = larger
  }
}
