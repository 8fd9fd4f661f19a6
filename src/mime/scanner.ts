import { asBuffer, CR, LF } from '../bytes/ascii.ts'
import { assert } from '../mail/assert.ts'
import { isFieldLine } from './header.ts'
import { HeaderCollector } from './header-collector.ts'
import { MAX_BOUNDARY_BYTES, MAX_HEADER_BYTES, MAX_PART_HEADER_BYTES } from './limits.ts'
import { summarise } from './summary.ts'
import { type Mark, TreeBuilder } from './tree.ts'

/** What is kept of a message besides its octets. Every offset counts from the first octet of the prefix. */
export interface MessageSummary {
  /** Prefix and content. */
  readonly sizeBytes: number
  /** Prefix and header, the empty line included. */
  readonly headerBytes: number
  /** Line ends of the whole message. */
  readonly lines: number
  /** ENVELOPE as IMAP wire text (rfc3501 §7.4.2), parentheses included. */
  readonly envelope: Uint8Array
  /** BODYSTRUCTURE as IMAP wire text, extension data included. */
  readonly bodyStructure: Uint8Array
  /** BODY as IMAP wire text: no extension data. */
  readonly body: Uint8Array
  /** The part tree; `decodeParts` reads it. */
  readonly parts: Uint8Array
  /** The Date field as a moment; undefined where there is none or it cannot be read. */
  readonly sentAtMs: number | undefined
  /** `YYYY-MM-DD` as written: SENTSINCE and its kin disregard time and zone (rfc3501 §6.4.4). */
  readonly sentDay: string | undefined
  /** Decoded, on one line, bounded: for lists and traces. May hold any character: clean it for a terminal. */
  readonly subject: string
  /** `Name <local@domain>, …`, decoded and bounded like the subject. */
  readonly from: string
  readonly to: string
  readonly cc: string
  /** With angle brackets. */
  readonly messageId: string | undefined
  readonly inReplyTo: readonly string[]
  /** The first and the last ones where there are many. */
  readonly references: readonly string[]
  /** Tags of what was forgiven. */
  readonly leniencies: readonly string[]
}

/** Longest part of a line that decides whether it is a delimiter: `--`, the boundary, `--`. */
const CANDIDATE_BYTES = MAX_BOUNDARY_BYTES + 4
/** So much of a first line tells whether a header begins; longer field names are none. */
const FIRST_LINE_BYTES = 1000
const DASH = 0x2d
const NOTHING = Buffer.alloc(0)

/** What the line that is being read belongs to. */
type Place = 'header' | 'body' | 'part-delimiter' | 'close-delimiter'

/**
 * Reads one message as it streams by, in linear time, in bounded memory. Bodies are only searched for line
 * ends; a line is looked at where it begins with `--`. How the octets were cut into chunks changes nothing.
 */
export class MessageScanner {
  readonly #tree = new TreeBuilder()
  readonly #collector = new HeaderCollector(MAX_HEADER_BYTES)
  #place: Place = 'header'
  #header: Buffer | undefined
  /** Offset of the current chunk's first octet; line ends before the current line. */
  #base = 0
  #lines = 0
  /** The beginning of a line that the chunk's end cut, where more of it is needed. */
  #carry: Buffer = NOTHING
  /** The chunk begins within a line that needs no more looking at. */
  #isMidLine = false
  #isLast = false
  #tail: readonly [number, number] = [0, 0]
  #headerStart = 0
  #headerLines = 0
  /** Where in the current chunk the header's octets begin that are not collected yet. */
  #headerFrom = 0
  #isFirstLine = true

  /** Content only, as received; the octets are not kept beyond the call. */
  push(chunk: Uint8Array): void {
    let rest = asBuffer(chunk)
    while (this.#carry.length > 0 && rest.length > 0) {
      // Only as much as decides about the cut line is joined: chunks are not copied.
      const lf = rest.indexOf(LF)
      const missing = Math.max(1, CANDIDATE_BYTES - this.#carry.length)
      const count = Math.min(lf < 0 ? rest.length : lf + 1, missing)
      const joined = Buffer.concat([this.#carry, rest.subarray(0, count)])
      this.#carry = NOTHING
      this.#scan(joined)
      rest = rest.subarray(count)
    }
    if (rest.length > 0) this.#scan(rest)
  }

  /** Octets that the scanner keeps of what it has seen. */
  get heldBytes(): number {
    return this.#tree.heldBytes + this.#collector.length + this.#carry.length
  }

  /** The content's header block with its empty line as soon as it is complete; its first `MAX_HEADER_BYTES`. */
  get header(): Uint8Array | undefined {
    return this.#header
  }

  /**
   * Closes the message. Once only.
   * @param prefix whole header fields that stand before the content: Return-Path, Received, an added Date or Message-ID.
   */
  end(prefix: Uint8Array): MessageSummary {
    assert(!this.#isLast, 'scanner ended twice')
    this.#isLast = true
    const carried = this.#carry
    this.#carry = NOTHING
    if (carried.length > 0) this.#scan(carried)
    if (this.#place === 'header') {
      if (this.#isFirstLine) this.#judgeFirstLine(this.#collector.view())
      while (this.#place === 'header') this.#endHeader(NOTHING, 0)
    }
    const root = this.#tree.finish({ offset: this.#base, lines: this.#lines })
    const { rootFields, tags } = this.#tree
    return summarise({ root, rootFields, tags, contentBytes: this.#base, contentLines: this.#lines }, prefix)
  }

  #scan(chunk: Buffer): void {
    let at = 0
    this.#headerFrom = 0
    if (this.#isMidLine) at = this.#skipLine(chunk, 0)
    while (at < chunk.length) {
      if (this.#place === 'body') at = this.#scanBody(chunk, at)
      else if (this.#place === 'header') at = this.#scanHeader(chunk, at)
      else at = this.#skipLine(chunk, at)
      if (this.#carry.length > 0) break
    }
    const used = chunk.length - this.#carry.length
    if (this.#place === 'header' && used > this.#headerFrom)
      this.#collector.append(chunk.subarray(this.#headerFrom, used))
    if (used >= 2) this.#tail = [chunk[used - 2] as number, chunk[used - 1] as number]
    else if (used === 1) this.#tail = [this.#tail[1], chunk[0] as number]
    this.#base += used
  }

  /** Goes on to the next delimiter line or the chunk's end. @returns where scanning goes on. */
  #scanBody(chunk: Buffer, from: number): number {
    if (!this.#tree.isWatching) return this.#countRest(chunk, from)
    let at = from
    while (at < chunk.length) {
      if (chunk[at] === DASH && (chunk[at + 1] ?? DASH) === DASH) {
        const next = this.#candidate(chunk, at)
        if (next >= 0) return next
      }
      const lf = nextLf(chunk, at)
      if (lf < 0) {
        this.#isMidLine = true
        return chunk.length
      }
      this.#lines++
      at = lf + 1
    }
    return at
  }

  #countRest(chunk: Buffer, from: number): number {
    let lf = from - 1
    let last = lf
    for (lf = nextLf(chunk, from); lf >= 0; lf = nextLf(chunk, lf + 1)) {
      this.#lines++
      last = lf
    }
    this.#isMidLine = last < chunk.length - 1
    return chunk.length
  }

  /** One line of a header. */
  #scanHeader(chunk: Buffer, at: number): number {
    const first = chunk[at]
    if (first === CR && at + 1 === chunk.length && !this.#isLast) return this.#carryFrom(chunk, at)
    if (first === LF || (first === CR && chunk[at + 1] === LF)) {
      const end = at + (first === LF ? 1 : 2)
      this.#lines++
      this.#endHeader(chunk, end)
      return end
    }
    if (first === DASH && this.#tree.isWatching && (chunk[at + 1] ?? DASH) === DASH) {
      const next = this.#candidate(chunk, at)
      if (next >= 0) return next
    }
    return this.#skipLine(chunk, at)
  }

  /** Skips to the next line and does what a line's end brings. */
  #skipLine(chunk: Buffer, at: number): number {
    const lf = nextLf(chunk, at)
    this.#isMidLine = lf < 0
    if (lf < 0) return chunk.length
    this.#lines++
    const end = lf + 1
    if (this.#place === 'part-delimiter') this.#beginHeader(end)
    else if (this.#place === 'close-delimiter') this.#place = 'body'
    else if (this.#place === 'header' && this.#isFirstLine) this.#judgeFirstLine(this.#headerUpTo(chunk, end))
    return end
  }

  /** A line that begins with `--`. @returns where scanning goes on, -1 where it is no delimiter. */
  #candidate(chunk: Buffer, at: number): number {
    const lf = nextLf(chunk, at)
    if (lf < 0 && chunk.length - at < CANDIDATE_BYTES && !this.#isLast) return this.#carryFrom(chunk, at)
    const end = Math.min(lf < 0 ? chunk.length : lf, at + CANDIDATE_BYTES)
    const delimiter = this.#tree.match(chunk.toString('latin1', at + 2, end))
    if (delimiter === undefined) return -1
    while (this.#place === 'header') this.#endHeader(chunk, at)
    const line = { offset: this.#base + at, lines: this.#lines }
    if (!this.#tree.delimiter(delimiter, line, this.#eolBytesBefore(chunk, at))) {
      this.#place = 'body'
      return at
    }
    this.#place = delimiter.isClose ? 'close-delimiter' : 'part-delimiter'
    return at
  }

  #carryFrom(chunk: Buffer, at: number): number {
    this.#carry = Buffer.from(chunk.subarray(at))
    return chunk.length
  }

  #beginHeader(at: number): void {
    this.#place = 'header'
    this.#collector.reset(MAX_PART_HEADER_BYTES)
    this.#headerFrom = at
    this.#headerStart = this.#base + at
    this.#headerLines = this.#lines
    this.#isFirstLine = true
  }

  /** The header ends before `end`, where its body begins. */
  #endHeader(chunk: Buffer, end: number): void {
    const header = this.#headerUpTo(chunk, end)
    this.#bodyBegins(header, { offset: this.#base + end, lines: this.#lines }, end)
  }

  /** What there is of the header: a view of the chunk where it all came in this one, which is nearly always. */
  #headerUpTo(chunk: Buffer, end: number): Buffer {
    const piece = chunk.subarray(this.#headerFrom, end)
    if (this.#collector.length === 0 && piece.length <= this.#collector.maxBytes) return piece
    if (piece.length > 0) this.#collector.append(piece)
    this.#headerFrom = end
    return this.#collector.view()
  }

  #bodyBegins(header: Buffer, body: Mark, at: number): void {
    if (this.#collector.isCut) this.#tree.tags.add('header-too-large')
    this.#header ??= Buffer.from(header)
    const messageWithin = this.#tree.headerDone(header, this.#headerStart, body)
    this.#place = 'body'
    if (!messageWithin) return
    this.#beginHeader(at)
    this.#headerStart = body.offset
    this.#headerLines = body.lines
  }

  /** A header whose first line is no field (and no mbox line) is missing: its line is the body's first. */
  #judgeFirstLine(sofar: Buffer): void {
    this.#isFirstLine = false
    const line = sofar.toString('latin1', 0, FIRST_LINE_BYTES)
    if (line === '' || /^>?From /.test(line) || isFieldLine(line, 0, line.length)) return
    this.#tree.tags.add('header-missing')
    const start = { offset: this.#headerStart, lines: this.#headerLines }
    // A message within that begins here has no header either.
    while (this.#place === 'header') this.#noHeader(start)
  }

  #noHeader(start: Mark): void {
    this.#header ??= NOTHING
    this.#place = this.#tree.headerDone(NOTHING, start.offset, start) ? 'header' : 'body'
  }

  #eolBytesBefore(chunk: Buffer, at: number): number {
    const last = at >= 1 ? chunk[at - 1] : this.#tail[1]
    const before = at >= 2 ? chunk[at - 2] : at === 1 ? this.#tail[1] : this.#tail[0]
    if (last !== LF) return 0
    return before === CR ? 2 : 1
  }
}

/**
 * The next line end. Short lines are searched here, since a call into the runtime costs more than they do.
 */
function nextLf(chunk: Buffer, from: number): number {
  const near = Math.min(from + 8, chunk.length)
  for (let i = from; i < near; i++) if (chunk[i] === LF) return i
  return near === chunk.length ? -1 : chunk.indexOf(LF, near)
}
