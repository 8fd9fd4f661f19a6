import { isUtf8, latin1, utf8 } from '../../bytes/ascii.ts'
import { LineReader } from '../../bytes/lines.ts'
import type { ByteQueue } from '../../bytes/queue.ts'
import type { Reply } from '../../mail/reply.ts'
import type { ClientLimits } from './limits.ts'
import { isEnhanced } from './reply.ts'

export type ReplyResult =
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'need-more' }
  /** The peer speaks no SMTP, or too much of it. Nothing after it can be trusted. */
  | { readonly kind: 'invalid'; readonly why: string }

// rfc5321 §4.2: some servers leave out the space where no text follows.
const REPLY_LINE = /^([2-5]\d\d)(?:([ -])(.*))?$/s
const NEED_MORE: ReplyResult = { kind: 'need-more' }

/**
 * Reads replies, several lines each, with a bound on everything. Line feeds alone end a line as well: a reply
 * holds nothing that could be smuggled, and refusing them would only lose mail.
 */
export class ReplyReader {
  readonly #lines: LineReader
  readonly #limits: Pick<ClientLimits, 'replyLineBytes' | 'replyLines'>
  #texts: string[] = []
  #code = 0

  constructor(queue: ByteQueue, limits: Pick<ClientLimits, 'replyLineBytes' | 'replyLines'>) {
    this.#lines = new LineReader(queue)
    this.#limits = limits
  }

  next(): ReplyResult {
    for (;;) {
      const line = this.#lines.next(this.#limits.replyLineBytes)
      if (line.kind === 'need-more') return NEED_MORE
      if (line.kind === 'too-long')
        return invalid(`a reply line of more than ${this.#limits.replyLineBytes} octets`)
      const text = isUtf8(line.bytes) ? utf8(line.bytes) : latin1(line.bytes)
      const match = REPLY_LINE.exec(text)
      if (match === null) return invalid(`not a reply: ${text.slice(0, 80)}`)
      const code = Number(match[1])
      if (this.#texts.length > 0 && code !== this.#code)
        return invalid(`a reply with two codes, ${this.#code} and ${code}`)
      this.#code = code
      this.#texts.push(clean(match[3] ?? ''))
      if (this.#texts.length > this.#limits.replyLines)
        return invalid(`a reply of more than ${this.#limits.replyLines} lines`)
      if (match[2] !== '-') return { kind: 'reply', reply: this.#finish() }
    }
  }

  /** Forgets half a reply: after TLS started, nothing from before counts. */
  reset(): void {
    this.#lines.reset()
    this.#texts = []
  }

  #finish(): Reply {
    const code = this.#code
    const first = enhancedOf(this.#texts[0] as string, code)
    const lines = first === undefined ? this.#texts : this.#texts.map((text) => withoutEnhanced(text, code))
    this.#texts = []
    return { code, enhanced: first, lines }
  }
}

function invalid(why: string): ReplyResult {
  return { kind: 'invalid', why: clean(why) }
}

/** Texts of strangers go into traces and DSNs. */
function clean(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ').trimEnd()
}

function enhancedOf(text: string, code: number): string | undefined {
  const word = text.split(' ', 1)[0] as string
  return isEnhanced(word, code) ? word : undefined
}

function withoutEnhanced(text: string, code: number): string {
  const enhanced = enhancedOf(text, code)
  return enhanced === undefined ? text : text.slice(enhanced.length).trimStart()
}
