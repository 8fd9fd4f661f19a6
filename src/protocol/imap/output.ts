import { asBuffer } from '../../bytes/ascii.ts'

/** The first block of an answer; most answers fit. */
const FIRST_BLOCK = 512
/** Blocks of long answers: what is gathered before it is written (64 KiB), and room for the row that goes beyond. */
const LARGEST_BLOCK = 80 * 1024
/** Octets from this length on are not copied into a block. */
const OWN_PIECE = 16 * 1024
/** Up to this length text is written octet by octet: a call into Node costs more. */
const SHORT_TEXT = 64
/** A number of ten digits (rfc3501 §9). */
const MAX_DIGITS = 10
const ZERO = 0x30

/** What is to be written, in order: text (characters U+0000 to U+00FF), numbers and octets. */
export class Output {
  #pieces: Buffer[] = []
  #pieceOctets = 0
  /** What is gathered stands in it from `#start` to `#end`. */
  #block: Buffer | undefined
  #start = 0
  #end = 0
  /** As long as the last answer was: a long one goes on in long blocks. */
  #blockOctets = FIRST_BLOCK

  get pendingBytes(): number {
    return this.#pieceOctets + this.#end - this.#start
  }

  text(text: string): void {
    const { length } = text
    const block = this.#room(length)
    if (length > SHORT_TEXT) block.write(text, this.#end, 'latin1')
    else for (let i = 0, at = this.#end; i < length; i++) block[at++] = text.charCodeAt(i)
    this.#end += length
  }

  /** A whole number, not negative. */
  number(value: number): void {
    if (value > 0xffff_ffff) {
      this.text(String(value))
      return
    }
    const block = this.#room(MAX_DIGITS)
    let digits = 1
    for (let power = 10; value >= power; power *= 10) digits++
    let rest = value
    for (let at = this.#end + digits - 1; at >= this.#end; at--) {
      const tenth = (rest / 10) >>> 0
      block[at] = ZERO + rest - tenth * 10
      rest = tenth
    }
    this.#end += digits
  }

  /** Owns `octets` afterwards. */
  octets(octets: Uint8Array): void {
    const { length } = octets
    if (length >= OWN_PIECE) {
      this.#seal()
      this.#pieces.push(asBuffer(octets))
      this.#pieceOctets += length
    } else if (length > 0) {
      this.#room(length).set(octets, this.#end)
      this.#end += length
    }
  }

  /** Everything, as one piece. */
  take(): Buffer {
    this.#seal()
    const [first] = this.#pieces
    const all = this.#pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.#pieces)
    // A client that does not read must not keep a block for the few octets that wait for it.
    const own = all.buffer === this.#block?.buffer && all.length < this.#block.length / 2
    const taken = own ? Buffer.from(all) : all
    this.clear()
    this.#blockOctets = Math.min(LARGEST_BLOCK, Math.max(FIRST_BLOCK, 2 * taken.length))
    return taken
  }

  clear(): void {
    this.#pieces = []
    this.#pieceOctets = 0
    this.#block = undefined
    this.#start = 0
    this.#end = 0
  }

  /** The block, with room for so many octets. */
  #room(octets: number): Buffer {
    if (this.#block !== undefined && this.#end + octets <= this.#block.length) return this.#block
    this.#seal()
    const wanted = Math.min(LARGEST_BLOCK, Math.max(this.#blockOctets, 2 * this.#pieceOctets))
    this.#block = Buffer.allocUnsafe(Math.max(wanted, octets))
    this.#start = 0
    this.#end = 0
    return this.#block
  }

  #seal(): void {
    if (this.#block === undefined || this.#start === this.#end) return
    this.#pieces.push(this.#block.subarray(this.#start, this.#end))
    this.#pieceOctets += this.#end - this.#start
    this.#start = this.#end
  }
}
