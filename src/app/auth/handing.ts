import type { ReadableContent } from '../../ports/mail-auth.ts'

/** Hands the pieces of one reading over, never more of them than the other side has asked for. */
export class Handing {
  readonly #options: HandingOptions
  #allowed: number
  #wake: (() => void) | undefined
  #isLeft = false

  constructor(options: HandingOptions) {
    this.#options = options
    this.#allowed = options.piecesAhead
  }

  /** One piece was used up. */
  taken(): void {
    this.#allowed++
    this.#wakeUp()
  }

  /** The rest is not wanted. */
  leave(): void {
    this.#isLeft = true
    this.#wakeUp()
  }

  /** Reads to the end or until it is left. Rejects where the content cannot be read. */
  async run(content: ReadableContent): Promise<void> {
    const { pieceBytes } = this.#options
    for await (const piece of content.pieces()) {
      for (let at = 0; at < piece.length; at += pieceBytes) {
        await this.#room()
        if (this.#isLeft) return
        this.#allowed--
        // A copy, since the octets go to another thread and the content may be read again.
        this.#options.piece(new Uint8Array(piece.subarray(at, at + pieceBytes)))
      }
    }
    if (!this.#isLeft) this.#options.end()
  }

  async #room(): Promise<void> {
    while (this.#allowed <= 0 && !this.#isLeft) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #wakeUp(): void {
    this.#wake?.()
    this.#wake = undefined
  }
}

export interface HandingOptions {
  readonly pieceBytes: number
  readonly piecesAhead: number
  /** The octets are given away. */
  piece(octets: Uint8Array<ArrayBuffer>): void
  end(): void
}
