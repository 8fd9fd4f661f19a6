import { LineReader } from '../../bytes/lines.ts'
import { ByteQueue } from '../../bytes/queue.ts'
import type { Step } from '../machine.ts'
import { Timer } from '../timer.ts'
import type { ImapAnswer, ImapAsk, ImapTell } from './types.ts'

/**
 * A conversation in the order in which it happens: a generator that gives steps out and gets the answer of
 * its ask in. It waits for nothing; the machine decides when it goes on, or that it never does.
 */
export type Flow<Result = void> = Generator<Step<ImapAsk, ImapTell>, Result, ImapAnswer | undefined>

/** What a text costs that is parsed: a set of `1,3,5,…` as numbers, a SEARCH as a tree of keys. */
const PARSED_FACTOR = 8

const NEED_INPUT = { kind: 'need-input' } as const

/** Octets of the client, taken as lines and literals. Its flows end a step with 'need-input' until enough is there. */
export class Input {
  readonly queue = new ByteQueue()
  readonly timer = new Timer()
  /** Of something that has many waits: the message of an APPEND. */
  readonly total = new Timer()
  readonly #lines = new LineReader(this.queue)
  /** Octets of the command at hand that were taken already. */
  keptOctets = 0

  /** All that this client makes us keep. */
  get heldOctets(): number {
    return this.queue.length + this.keptOctets * PARSED_FACTOR
  }

  /**
   * The next line without its end, octets as characters; undefined: it is longer than `maxOctets`. A lone
   * line feed ends a line too: a leniency for commands typed by hand through netcat; nothing is smuggled by
   * it, since IMAP sends literals by count.
   */
  *line(maxOctets: number): Flow<string | undefined> {
    for (;;) {
      const line = this.#lines.next(maxOctets)
      if (line.kind === 'line') return line.bytes.toString('latin1')
      if (line.kind === 'too-long') return undefined
      yield NEED_INPUT
    }
  }

  /** Exactly `count` octets in one piece. */
  *octets(count: number): Flow<Buffer> {
    while (this.queue.length < count) yield NEED_INPUT
    const octets = this.queue.take(count)
    this.#lines.reset()
    return octets
  }

  /** The next piece of a literal that is streamed, at most `max` octets, at least one. */
  *chunk(max: number): Flow<Buffer> {
    while (this.queue.length === 0) yield NEED_INPUT
    this.timer.touch()
    const octets = this.queue.takeChunk(max)
    this.#lines.reset()
    return octets
  }

  clear(): void {
    this.queue.clear()
    this.#lines.reset()
  }
}
