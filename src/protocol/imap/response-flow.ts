import { LineReader } from '../../bytes/lines.ts'
import { ByteQueue } from '../../bytes/queue.ts'
import type { Step } from '../machine.ts'
import type { ImapClientAsk, ImapClientLimits, ImapClientTell } from './client-types.ts'
import { type LiteralMark, literalMark } from './literal.ts'
import { isTextLine, parseServerLine, type ServerLine } from './parse-response.ts'
import type { WirePart } from './reader.ts'

type Flow<Result> = Generator<Step<ImapClientAsk, ImapClientTell>, Result, void>

const NEED_INPUT = { kind: 'need-input' } as const

/** Takes a server's octets apart into lines with their literals. Bounded: a hostile server is lost, not obeyed. */
export class ResponseInput {
  readonly queue = new ByteQueue()
  readonly #lines = new LineReader(this.queue)
  readonly #limits: ImapClientLimits

  constructor(limits: ImapClientLimits) {
    this.#limits = limits
  }

  *next(): Flow<ServerLine> {
    const parts: WirePart[] = []
    let octets = 0
    for (;;) {
      const line = yield* this.#line()
      if (line === undefined) return { kind: 'malformed', cause: 'line too long' }
      octets += line.length
      const text = parts.length === 0 && isTextLine(line)
      const mark = text ? undefined : literalMark(line)
      parts.push({ kind: 'text', text: mark?.text ?? line })
      if (mark === undefined) return parseServerLine(parts)
      const held = mark.sizeBytes <= this.#limits.streamAboveOctets
      if (held) octets += mark.sizeBytes
      if (octets > this.#limits.responseOctets || parts.length > this.#limits.literalsPerResponse * 2)
        return { kind: 'malformed', cause: 'response too big' }
      parts.push({ kind: 'literal', octets: held ? yield* this.#hold(mark) : yield* this.#stream(mark) })
    }
  }

  clear(): void {
    this.queue.clear()
    this.#lines.reset()
  }

  *#line(): Flow<string | undefined> {
    for (;;) {
      const line = this.#lines.next(this.#limits.responseTextOctets)
      if (line.kind === 'line') return line.bytes.toString('latin1')
      if (line.kind === 'too-long') return undefined
      yield NEED_INPUT
    }
  }

  *#hold(mark: LiteralMark): Flow<string> {
    while (this.queue.length < mark.sizeBytes) yield NEED_INPUT
    const octets = this.queue.take(mark.sizeBytes)
    this.#lines.reset()
    return octets.toString('latin1')
  }

  *#stream(mark: LiteralMark): Flow<string> {
    for (let left = mark.sizeBytes; left > 0; ) {
      while (this.queue.length === 0) yield NEED_INPUT
      const octets = this.queue.takeChunk(left)
      left -= octets.length
      this.#lines.reset()
      yield { kind: 'tell', tell: { kind: 'literal', octets, left } }
    }
    return ''
  }
}
