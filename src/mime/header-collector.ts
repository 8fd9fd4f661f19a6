/** Octets of a header that comes in pieces, up to a limit; what comes beyond it is only counted. */
export class HeaderCollector {
  readonly #initial = 4096
  #octets: Buffer = Buffer.alloc(0)
  #length = 0
  #maxBytes: number
  #cut = false

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get length(): number {
    return this.#length
  }

  get maxBytes(): number {
    return this.#maxBytes
  }

  /** Whether something was left out. */
  get isCut(): boolean {
    return this.#cut
  }

  append(octets: Uint8Array): void {
    const room = this.#maxBytes - this.#length
    if (octets.length > room) this.#cut = true
    const piece = octets.length > room ? octets.subarray(0, room) : octets
    const needed = this.#length + piece.length
    if (needed > this.#octets.length) {
      const grown = Buffer.alloc(
        Math.max(this.#initial, needed, Math.min(this.#octets.length * 2, this.#maxBytes)),
      )
      grown.set(this.#octets.subarray(0, this.#length))
      this.#octets = grown
    }
    this.#octets.set(piece, this.#length)
    this.#length = needed
  }

  /** What was collected; a view until the next `reset`. */
  view(): Buffer {
    return this.#octets.subarray(0, this.#length)
  }

  reset(maxBytes: number): void {
    this.#length = 0
    this.#cut = false
    this.#maxBytes = maxBytes
  }
}
