import type { FetchedRows, FileRange, NeededFile } from '../questions.ts'
import { isShortage } from '../shortage.ts'
import { describeError } from '../sql.ts'
import { isRange, type Slice } from './octets.ts'

/** Gathers the rows of an answer. */
export class RowBuilder {
  sizeBytes = 0
  readonly #numbers: number[] = []
  readonly #pieces: Uint8Array[] = []
  readonly #streams: FileRange[] = []
  readonly #files: NeededFile[] = []
  readonly #damaged: (readonly [index: number, why: string])[] = []

  /** Adds a row, or names it as damaged: nothing of it stays then. */
  row(index: number, add: () => void): void {
    const [numbers, pieces, sizeBytes] = [this.#numbers.length, this.#pieces.length, this.sizeBytes]
    const [streams, files] = [this.#streams.length, this.#files.length]
    try {
      add()
    } catch (error) {
      if (isShortage(error)) throw error
      this.#numbers.length = numbers
      this.#pieces.length = pieces
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

  number(value: unknown): void {
    this.#numbers.push(value as number)
  }

  octets(some: Slice | undefined): void {
    if (some === undefined) this.#numbers.push(-1)
    else if (isRange(some)) {
      this.#numbers.push(-2)
      this.#streams.push(some)
    } else {
      let length = 0
      for (const piece of some) {
        this.#pieces.push(piece)
        length += piece.length
      }
      this.#numbers.push(length)
      this.sizeBytes += length
    }
  }

  /** A section that is to be asked for by itself. */
  later(length: number): void {
    this.#numbers.push(-3, length)
  }

  finish(done: number): FetchedRows {
    const bytes = Buffer.allocUnsafeSlow(this.sizeBytes)
    let at = 0
    for (const piece of this.#pieces) {
      bytes.set(piece, at)
      at += piece.length
    }
    return {
      done,
      numbers: Float64Array.from(this.#numbers),
      bytes: new Uint8Array(bytes.buffer),
      streams: this.#streams,
      files: this.#files,
      damaged: this.#damaged,
    }
  }
}
