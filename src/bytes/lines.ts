import { CR, LF } from './ascii.ts'
import type { ByteQueue } from './queue.ts'

/** A line as it stood in the input, without its end. */
export interface Line {
  readonly kind: 'line'
  readonly bytes: Buffer
  /** `crlf`, or `lf` where the line feed came without a carriage return before it. */
  readonly ending: 'crlf' | 'lf'
  /** A carriage return stands somewhere inside the line. */
  readonly bareCr: boolean
}

export type LineResult = Line | { readonly kind: 'need-more' } | { readonly kind: 'too-long' }

const NEED_MORE: LineResult = { kind: 'need-more' }
const TOO_LONG: LineResult = { kind: 'too-long' }

/**
 * Takes lines from a queue. A line ends at a line feed, never at a carriage return; whether a lone line feed
 * may end one is the caller's decision, so it is told. What was searched once is not searched again.
 */
export class LineReader {
  readonly #queue: ByteQueue
  #searched = 0

  constructor(queue: ByteQueue) {
    this.#queue = queue
  }

  /**
   * The next line of at most `maxBytes` octets with its end. 'too-long' depends on the octets only, never on
   * how they were cut, and takes nothing; it will come again until the queue is cleared.
   */
  next(maxBytes: number): LineResult {
    const end = this.#queue.indexOf(LF, this.#searched)
    if (end < 0) {
      this.#searched = this.#queue.length
      return this.#searched >= maxBytes ? TOO_LONG : NEED_MORE
    }
    if (end >= maxBytes) return TOO_LONG
    this.#searched = 0
    const whole = this.#queue.take(end + 1)
    const crlf = end > 0 && whole[end - 1] === CR
    const bytes = whole.subarray(0, crlf ? end - 1 : end)
    return { kind: 'line', bytes, ending: crlf ? 'crlf' : 'lf', bareCr: bytes.includes(CR) }
  }

  /** To be called after somebody else has taken octets from the queue or cleared it. */
  reset(): void {
    this.#searched = 0
  }
}
