import { ImapClient } from './client.ts'
import type { ImapClientAnswer, ImapClientAsk, ImapClientOptions, ImapClientTell } from './client-types.ts'
import { Stage } from './stage.test-kit.ts'

const TLS = { version: 'TLSv1.3', cipher: 'x' }

/** A client core against a server core in memory, their octets cut into pieces. */
export class Pair {
  readonly client: ImapClient
  readonly stage: Stage
  readonly tells: ImapClientTell[] = []
  readonly #piece: number
  readonly #answer: (ask: ImapClientAsk) => ImapClientAnswer

  constructor(options: {
    readonly piece?: number
    readonly literals?: ImapClientOptions['literals']
    readonly answer?: (ask: ImapClientAsk) => ImapClientAnswer
  }) {
    const { literals = 'LITERAL+' } = options
    this.#piece = options.piece ?? Number.POSITIVE_INFINITY
    this.#answer = options.answer ?? (() => ({ kind: 'cancel' }))
    this.client = new ImapClient({ literals, nowMs: 0 })
    this.stage = new Stage({ literals: literals === 'none' ? 'LITERAL-' : literals })
    this.run()
  }

  /** Until both have nothing to do. */
  run(): void {
    do {
      for (const octets of this.#takeOutput()) {
        this.client.push(Buffer.from(octets, 'latin1'))
        this.#runClient()
      }
      this.#runClient()
    } while (this.stage.output !== '')
  }

  #runClient(): void {
    for (;;) {
      const step = this.client.next()
      if (step.kind === 'need-input' || step.kind === 'close') return
      if (step.kind === 'tell') this.tells.push(step.tell)
      else if (step.kind === 'ask') this.client.answer(this.#answer(step.ask))
      else if (step.kind === 'start-tls') this.client.tlsStarted(TLS)
      else for (const octets of this.#cut(Buffer.from(step.bytes).toString('latin1'))) this.stage.push(octets)
    }
  }

  #takeOutput(): string[] {
    const { output } = this.stage
    this.stage.output = ''
    return this.#cut(output)
  }

  #cut(octets: string): string[] {
    const pieces: string[] = []
    for (let at = 0; at < octets.length; at += this.#piece) pieces.push(octets.slice(at, at + this.#piece))
    return pieces
  }
}
