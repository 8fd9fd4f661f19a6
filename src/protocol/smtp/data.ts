import { asBuffer, latin1 } from '../../bytes/ascii.ts'
import type { MessageFacts } from './types.ts'

/*
 * The only place that knows where a message ends and what a bare CR or LF in it means.
 *
 * A message ends at CR LF dot CR LF and nowhere else (rfc5321 §4.1.1.4). A CR or LF that is not part of CR LF
 * (rfc5321 §2.3.8) makes the message refused, because another server may see a line end, and so an end of
 * message, where we see none (VU#302671). With `accept-lf` a bare LF becomes CR LF; a bare CR is refused still.
 * A lone dot between line ends of which one is wrong is what a smuggler sends; `smuggling` tells it at once,
 * so that the connection can close before a hidden command could be read. With `accept-lf` it is a line of
 * text.
 */

/** Why a content is refused; more than one may hold, the first in this order is told. */
export type ContentFault = 'smuggling' | 'bare-newline' | 'too-large' | 'header-too-large' | 'line-too-long'

const FAULT_ORDER: readonly ContentFault[] = [
  'smuggling',
  'bare-newline',
  'too-large',
  'header-too-large',
  'line-too-long',
]

export interface ScanOptions {
  /** `dot`: DATA, dots are undone and the end is searched. `counted`: BDAT, the caller knows the end. */
  readonly framing: 'dot' | 'counted'
  readonly bareNewlines: 'refuse' | 'accept-lf'
  readonly sizeBytes: number
  readonly headerBytes: number
  readonly textLineBytes: number
}

/** What is known of the line that the next octet belongs to. */
type Place =
  /** At its start; `afterCrlf` says whether the line end before it was a good one. */
  | 'start'
  /** A dot stands at its start and is held back. */
  | 'dot'
  /** Dot and CR are held back. */
  | 'dot-cr'
  | 'text'
  /** The octet before was a CR, already given out. */
  | 'cr'

const CRLF = Buffer.from('\r\n')
const DOT_CRLF = Buffer.from('.\r\n')
const CRLF_DOT_CRLF = Buffer.from('\r\n.\r\n')
const DOT = Buffer.from('.')
const SPACE = Buffer.from(' ')

/** Where the next CR and LF of a chunk stand; what was searched once is not searched again, so time stays linear. */
class LineEnds {
  readonly #text: string
  #cr = -2
  #lf = -2

  constructor(text: string) {
    this.#text = text
  }

  /** At or behind `at`, or -1. Positions must not go back. */
  cr(at: number): number {
    if (this.#cr !== -1 && this.#cr < at) this.#cr = this.#text.indexOf('\r', at)
    return this.#cr
  }

  lf(at: number): number {
    if (this.#lf !== -1 && this.#lf < at) this.#lf = this.#text.indexOf('\n', at)
    return this.#lf
  }
}

/**
 * Reads content chunk by chunk and gives out pieces of those same chunks. Line ends are searched in a Latin-1
 * string of the chunk: one copy for each chunk, and four times quicker than `Buffer.indexOf` for each line
 * (measured: 1.1 µs against 4.6 µs for 4 KiB).
 */
export class ContentScanner {
  readonly #options: ScanOptions
  readonly #faults = new Set<ContentFault>()
  #place: Place = 'start'
  #afterCrlf = true
  #ended = false
  #sizeBytes = 0
  #lines = 0
  #lineBytes = 0
  #longestLineBytes = 0
  #headerBytes = 0
  #inHeader = true
  #bareLineFeeds = 0
  #hasNul = false
  #has8bit = false

  // Of the chunk at hand.
  #chunk: Buffer = CRLF
  #ends = new LineEnds('')
  #text = ''
  #from = 0
  #out: Buffer[] = []

  constructor(options: ScanOptions) {
    this.#options = options
  }

  /** The end of the message was read (framing `dot`). */
  get ended(): boolean {
    return this.#ended
  }

  get fault(): ContentFault | undefined {
    return FAULT_ORDER.find((fault) => this.#faults.has(fault))
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /**
   * Reads `chunk` up to the end of the message, if that is in it, and puts the content into `out`: nothing
   * more once a fault was found.
   * @returns how many octets belonged to the message.
   */
  scan(chunk: Uint8Array, out: Buffer[]): number {
    this.#chunk = asBuffer(chunk)
    this.#text = latin1(chunk)
    this.#ends = new LineEnds(this.#text)
    this.#out = out
    this.#from = 0
    const { length } = chunk
    let at = 0
    while (at < length && !this.#ended && !this.#faults.has('smuggling')) at = this.#step(at)
    if (!this.#ended && this.#place !== 'dot' && this.#place !== 'dot-cr') this.#give(at)
    this.#noteOctets(at)
    this.#checkLimits()
    return at
  }

  /** The content is over (framing `counted`): a CR at its end stays a bare one. */
  finish(): void {
    if (this.#place === 'cr') this.#faults.add('bare-newline')
    if (this.#lineBytes > 0) this.#noteLine(this.#lineBytes)
    this.#checkLimits()
  }

  facts(): MessageFacts {
    return {
      sizeBytes: this.#sizeBytes,
      lines: this.#lines,
      headerBytes: this.#headerBytes,
      longestLineBytes: this.#longestLineBytes,
      bareLineFeeds: this.#bareLineFeeds,
      hasNul: this.#hasNul,
      has8bit: this.#has8bit,
      endsWithNewline: this.#place !== 'text' && this.#place !== 'cr',
    }
  }

  #step(at: number): number {
    switch (this.#place) {
      case 'text':
        return this.#readText(at)
      case 'start':
        return this.#readStart(at)
      case 'dot':
        return this.#readDot(at)
      case 'dot-cr':
        return this.#readDotCr(at)
      case 'cr':
        return this.#readAfterCr(at)
    }
  }

  /** Where most octets go by: from line end to line end. */
  #readText(begin: number): number {
    const text = this.#text
    const ends = this.#ends
    const dots = this.#options.framing === 'dot'
    let at = begin
    for (;;) {
      const lf = ends.lf(at)
      const cr = ends.cr(at)
      if (cr < 0 || cr !== lf - 1) return this.#readOddEnd(at, cr, lf)
      this.#endLine(lf + 1 - at)
      at = lf + 1
      if (at >= text.length || (dots && text.charCodeAt(at) === 0x2e)) {
        this.#place = 'start'
        this.#afterCrlf = true
        return at
      }
    }
  }

  /** No LF, or one whose CR is not the next CR. */
  #readOddEnd(at: number, cr: number, lf: number): number {
    const { length } = this.#text
    if (cr < 0 && lf < 0) {
      this.#lineBytes += length - at
      this.#place = 'text'
      return length
    }
    if (cr >= 0 && (lf < 0 || cr < lf)) {
      this.#lineBytes += cr + 1 - at
      this.#place = 'cr'
      return cr + 1
    }
    this.#readBareLf(lf + 1 - at, lf)
    return lf + 1
  }

  #readAfterCr(at: number): number {
    if (this.#text.charCodeAt(at) !== 0x0a) return this.#readBareCr(at)
    this.#endLine(1)
    this.#place = 'start'
    this.#afterCrlf = true
    return at + 1
  }

  /** The octet before `at` was a CR and the one at it is no LF. */
  #readBareCr(at: number): number {
    this.#faults.add('bare-newline')
    this.#endLine(0)
    this.#place = 'start'
    this.#afterCrlf = false
    return at
  }

  #readBareLf(lineBytes: number, lf: number): void {
    if (this.#options.bareNewlines === 'refuse') {
      this.#faults.add('bare-newline')
      this.#endLine(lineBytes)
    } else {
      this.#bareLineFeeds++
      this.#endLine(lineBytes + 1)
      this.#give(lf)
      this.#add(CRLF)
      this.#from = lf + 1
    }
    this.#place = 'start'
    this.#afterCrlf = false
  }

  #readStart(at: number): number {
    this.#place = 'text'
    if (this.#options.framing === 'counted' || this.#text.charCodeAt(at) !== 0x2e) return this.#readText(at)
    this.#give(at)
    this.#from = at + 1
    this.#place = 'dot'
    return at + 1
  }

  #readDot(at: number): number {
    const octet = this.#text.charCodeAt(at)
    if (octet === 0x0d) {
      this.#place = 'dot-cr'
      return at + 1
    }
    if (octet === 0x0a) {
      this.#loneDot(at, 'lf')
      return at + 1
    }
    // rfc5321 §4.5.2: the dot was the client's, the rest is the line.
    this.#from = at
    this.#place = 'text'
    return at
  }

  #readDotCr(at: number): number {
    if (this.#text.charCodeAt(at) !== 0x0a) {
      this.#faults.add('smuggling')
      return at
    }
    if (this.#afterCrlf) {
      this.#ended = true
      this.#place = 'start'
      return at + 1
    }
    this.#loneDot(at, 'crlf')
    return at + 1
  }

  /** A dot alone in a line of which at least one end is wrong; `at` is its LF. */
  #loneDot(at: number, ending: 'lf' | 'crlf'): void {
    if (this.#options.bareNewlines === 'refuse' || this.#faults.has('bare-newline')) {
      this.#faults.add('smuggling')
      return
    }
    if (ending === 'lf') this.#bareLineFeeds++
    this.#add(DOT_CRLF)
    this.#endLine(DOT_CRLF.length)
    this.#from = at + 1
    this.#place = 'start'
    this.#afterCrlf = ending === 'crlf'
  }

  #endLine(moreBytes: number): void {
    this.#noteLine(this.#lineBytes + moreBytes)
    this.#lineBytes = 0
  }

  #noteLine(lineBytes: number): void {
    this.#lines++
    if (lineBytes > this.#longestLineBytes) this.#longestLineBytes = lineBytes
    if (!this.#inHeader) return
    this.#headerBytes += lineBytes
    if (lineBytes <= CRLF.length) this.#inHeader = false
  }

  /** Gives out what was passed over up to `end`. */
  #give(end: number): void {
    if (end <= this.#from) return
    const whole = this.#from === 0 && end === this.#chunk.length
    this.#add(whole ? this.#chunk : this.#chunk.subarray(this.#from, end))
    this.#from = end
  }

  #add(piece: Buffer): void {
    this.#sizeBytes += piece.length
    if (this.#sizeBytes > this.#options.sizeBytes) this.#faults.add('too-large')
    if (this.#faults.size === 0) this.#out.push(piece)
  }

  #noteOctets(end: number): void {
    const read = end === this.#text.length ? this.#text : this.#text.slice(0, end)
    if (!this.#hasNul) this.#hasNul = read.includes('\0')
    // A Latin-1 character above U+007F takes two octets in UTF-8; counting them is one fast native call.
    if (!this.#has8bit) this.#has8bit = Buffer.byteLength(read, 'utf8') !== read.length
  }

  /** Depends on totals only, so the verdict is the same however the input was cut. */
  #checkLimits(): void {
    const { headerBytes, textLineBytes } = this.#options
    if (Math.max(this.#longestLineBytes, this.#lineBytes) > textLineBytes) this.#faults.add('line-too-long')
    if (this.#headerBytes + (this.#inHeader ? this.#lineBytes : 0) > headerBytes)
      this.#faults.add('header-too-large')
  }
}

/**
 * Content on its way out: never a bare CR or LF, dots doubled (framing `dot`), the end only at `finish`. What
 * was stored is clean already; this is for content from elsewhere (an import, a program's own text).
 */
export class ContentEncoder {
  readonly #dots: boolean
  #lineStart = true
  #heldCr = false

  constructor(framing: 'dot' | 'counted') {
    this.#dots = framing === 'dot'
  }

  /** Puts the wire form into `out`, as pieces of `chunk` where nothing had to change. */
  encode(chunk: Uint8Array, out: Buffer[]): void {
    const bytes = asBuffer(chunk)
    const text = latin1(chunk)
    const { length } = bytes
    const ends = new LineEnds(text)
    let from = this.#settleHeldCr(text, out)
    let at = from
    while (at < length) {
      if (this.#lineStart && this.#dots && text.charCodeAt(at) === 0x2e) {
        if (at > from) out.push(bytes.subarray(from, at))
        out.push(DOT)
        from = at
      }
      this.#lineStart = false
      const lf = ends.lf(at)
      const cr = ends.cr(at)
      if (cr >= 0 && cr === lf - 1) {
        at = lf + 1
        this.#lineStart = true
        continue
      }
      const odd = cr < 0 ? lf : lf < 0 ? cr : Math.min(cr, lf)
      if (odd < 0) break
      if (odd > from) out.push(bytes.subarray(from, odd))
      this.#replace(odd === lf, odd === length - 1, out)
      from = odd + 1
      at = from
    }
    if (from < length) out.push(from === 0 ? bytes : bytes.subarray(from))
  }

  /** What is left to say once the content is over: with `dot`, a last line end and the end of data. */
  finish(out: Buffer[]): void {
    if (this.#heldCr) out.push(SPACE)
    if (!this.#dots) return
    out.push(this.#lineStart && !this.#heldCr ? DOT_CRLF : CRLF_DOT_CRLF)
  }

  #settleHeldCr(text: string, out: Buffer[]): number {
    if (!this.#heldCr || text === '') return 0
    this.#heldCr = false
    if (text.charCodeAt(0) === 0x0a) {
      out.push(CRLF)
      this.#lineStart = true
      return 1
    }
    out.push(SPACE)
    return 0
  }

  /** A bare LF becomes a line end; a bare CR a space, so that it can't begin a new header field. */
  #replace(isLf: boolean, atEnd: boolean, out: Buffer[]): void {
    if (isLf) {
      out.push(CRLF)
      this.#lineStart = true
    } else if (atEnd) this.#heldCr = true
    else out.push(SPACE)
  }
}
