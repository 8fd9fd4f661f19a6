import { assert } from '../../mail/assert.ts'
import { FakeSession } from './fake-session.test-kit.ts'
import { ImapServer } from './server.ts'
import type { ImapServerOptions } from './types.ts'

export interface StageOptions extends Partial<Omit<ImapServerOptions, 'nowMs'>> {
  readonly session?: (session: FakeSession) => void
}

/** A core with its session, driven in memory. */
export class Stage {
  readonly server: ImapServer
  readonly session: FakeSession
  output = ''
  closed = false
  tlsAsked = 0

  constructor(options: StageOptions) {
    const { literals = 'LITERAL+', limits, tls } = options
    this.server = new ImapServer({ literals, limits, tls, nowMs: 0 })
    this.session = new FakeSession(this.server)
    options.session?.(this.session)
    this.run()
  }

  push(octets: string): void {
    this.server.push(Buffer.from(octets, 'latin1'))
    this.run()
  }

  run(): void {
    for (;;) {
      const step = this.server.next()
      if (step.kind === 'need-input') return
      if (step.kind === 'write') this.output += Buffer.from(step.bytes).toString('latin1')
      else if (step.kind === 'tell') this.session.tell(step.tell)
      else if (step.kind === 'ask') this.server.answer(this.session.ask(step.ask))
      else if (step.kind === 'start-tls') {
        this.tlsAsked++
        this.server.tlsStarted({ version: 'TLSv1.3', cipher: 'x' })
      } else {
        this.closed = true
        return
      }
    }
  }

  event(text: string): void {
    const [what, ...rest] = text.split(' ')
    const n = Number(rest[0])
    if (what === 'closed') assert(this.closed, 'the connection is still open')
    else if (what === 'tick') this.server.tick(n)
    else if (what === 'end') this.server.end()
    else if (what === 'exists') this.server.post({ kind: 'exists', count: n })
    else if (what === 'expunge') this.server.post({ kind: 'expunge', sequence: n })
    else if (what === 'shutdown') this.server.shutdown({ text: rest.join(' ') })
    else throw new Error(`unknown event ${text}`)
    this.run()
  }
}
