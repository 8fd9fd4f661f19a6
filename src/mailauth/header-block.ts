import { CR, LF } from '../bytes/ascii.ts'

/**
 * Takes the header off content that comes in pieces: all up to and with the first empty line (rfc5322 §2.1), which may
 * end in LF alone. Cut anywhere, the same.
 */
export class HeaderBlock {
  readonly #maxBytes: number
  readonly #pieces: Uint8Array[] = []
  #sizeBytes = 0
  #lines = 0
  #lineBytes = 0
  #last = -1
  #isWhole = false

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get isWhole(): boolean {
    return this.#isWhole
  }

  /** What `bytes` gives is then only its beginning; nothing more needs to be pushed. */
  get isTooLarge(): boolean {
    return this.#sizeBytes > this.#maxBytes
  }

  /** Folded lines count. */
  get lines(): number {
    return this.#lines
  }

  /** @returns what of the piece belongs to the body. */
  push(piece: Uint8Array): Uint8Array {
    if (this.#isWhole) return piece
    const end = this.#endIn(piece)
    const room = this.#maxBytes - this.#sizeBytes
    // Copied: whoever reads the content may use its buffer again.
    if (room > 0) this.#pieces.push(piece.slice(0, Math.min(end, room)))
    this.#sizeBytes += end
    return piece.subarray(end)
  }

  /** With its empty line where it has one; a message may be a header only. */
  bytes(): Buffer {
    return Buffer.concat(this.#pieces)
  }

  #endIn(piece: Uint8Array): number {
    for (let i = 0; i < piece.length; i++) {
      const octet = piece[i] as number
      if (octet === LF) {
        if (this.#lineBytes === 0 || (this.#lineBytes === 1 && this.#last === CR)) {
          this.#isWhole = true
          return i + 1
        }
        this.#lines++
        this.#lineBytes = 0
      } else {
        this.#lineBytes++
      }
      this.#last = octet
    }
    return piece.length
  }
}
