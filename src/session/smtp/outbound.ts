import { assert } from '../../mail/assert.ts'
import { type Reply, reply } from '../../mail/reply.ts'
import type { TlsFacts } from '../../mail/tls-facts.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Deliverer, Delivery, DeliveryJob, HopPolicy } from '../../ports/deliverer.ts'
import type { Connection, Dialer, DialFailure } from '../../ports/dialer.ts'
import type { Random } from '../../ports/random.ts'
import { smtpClient } from '../../protocol/smtp/client.ts'
import type {
  ClientAnswer,
  ClientAsk,
  ClientOptions,
  ClientTell,
  PeerExtensions,
  SmtpClient,
  StageReply,
  TransactionResult,
} from '../../protocol/smtp/client-types.ts'
import { OutboundAuth } from './outbound-auth.ts'

export interface OutboundDeps {
  readonly dialer: Dialer
  readonly clock: Clock
  readonly random: Random
  /** Our name in EHLO. */
  readonly heloName: () => string
}

/** rfc5321 §4.5.3.2 leaves the connection itself open; a host that takes longer is not up. */
const CONNECT_TIMEOUT_MS = 30_000

/** Delivers by SMTP, one message a connection. */
export class SmtpDeliverer implements Deliverer {
  readonly #deps: OutboundDeps

  constructor(deps: OutboundDeps) {
    this.#deps = deps
  }

  async deliver(job: DeliveryJob): Promise<Delivery> {
    const first = await this.#attempt(job, job.policy)
    // rfc7435 §3: where TLS was only hoped for, a host whose TLS is broken still gets the mail.
    if (first.tlsBroken && job.policy.tls === 'opportunistic')
      return (await this.#attempt(job, { ...job.policy, tls: 'none' })).delivery
    return first.delivery
  }

  async #attempt(
    job: DeliveryJob,
    policy: HopPolicy,
  ): Promise<{ readonly delivery: Delivery; readonly tlsBroken: boolean }> {
    const { hop } = job
    const implicit = policy.tls === 'implicit' ? { serverName: hop.name, verify: true } : undefined
    const dialled = await this.#deps.dialer.dial({
      address: hop.address,
      port: hop.port,
      timeoutMs: CONNECT_TIMEOUT_MS,
      tls: implicit,
    })
    if (!dialled.ok) return { delivery: { kind: 'no-contact', reply: dialReply(dialled) }, tlsBroken: false }
    const { connection } = dialled
    try {
      const exchange = new OutboundExchange(this.#deps, { job, policy, connection, tls: dialled.tls })
      return { delivery: await exchange.run(), tlsBroken: exchange.tlsBroken }
    } finally {
      connection.close()
    }
  }
}

/** One connection: drives the client core over it until it closes. */
class OutboundExchange {
  tlsBroken = false
  readonly #deps: OutboundDeps
  readonly #job: DeliveryJob
  readonly #policy: HopPolicy
  readonly #connection: Connection
  readonly #machine: SmtpClient
  readonly #auth: OutboundAuth | undefined
  #tls: TlsFacts | undefined
  #peer: PeerExtensions | undefined
  #body: AsyncIterator<Uint8Array> | undefined
  #result: TransactionResult | undefined
  #failure: StageReply | undefined
  /** Why the connection is of no use any more, where we know. */
  #lost: string | undefined

  constructor(
    deps: OutboundDeps,
    at: {
      readonly job: DeliveryJob
      readonly policy: HopPolicy
      readonly connection: Connection
      readonly tls: TlsFacts | undefined
    },
  ) {
    this.#deps = deps
    this.#job = at.job
    this.#policy = at.policy
    this.#connection = at.connection
    this.#tls = at.tls
    this.#auth = at.policy.auth === undefined ? undefined : new OutboundAuth(at.policy.auth, deps.random)
    this.#machine = smtpClient(clientOptions(at.policy, deps.heloName(), at.tls))
  }

  async run(): Promise<Delivery> {
    const machine = this.#machine
    for (;;) {
      machine.tick(this.#deps.clock.monotonic())
      const step = machine.next()
      switch (step.kind) {
        case 'need-input':
          await this.#read()
          break
        case 'write':
          await this.#connection.write(step.bytes)
          break
        case 'ask':
          machine.answer(await this.#answer(step.ask))
          break
        case 'tell':
          this.#note(step.tell)
          break
        case 'start-tls':
          if (!(await this.#startTls())) return this.#tlsFailed()
          break
        case 'close':
          return this.#delivery()
      }
    }
  }

  async #read(): Promise<void> {
    const { clock } = this.#deps
    const deadline = this.#machine.deadline()
    const timeoutMs = deadline === undefined ? CONNECT_TIMEOUT_MS : Math.max(0, deadline - clock.monotonic())
    try {
      const bytes = await this.#connection.read(timeoutMs)
      if (bytes === undefined) this.#machine.end()
      else this.#machine.push(bytes)
    } catch (error) {
      if (deadline === undefined || clock.monotonic() < deadline) {
        this.#lost = error instanceof Error ? error.message : String(error)
        this.#machine.end()
      }
    }
    this.#machine.tick(clock.monotonic())
  }

  async #answer(ask: ClientAsk): Promise<ClientAnswer> {
    switch (ask.kind) {
      case 'next': {
        this.#peer = ask.peer
        if (this.#result !== undefined || this.#lost !== undefined) return { kind: 'quit' }
        const { sender, recipients, sizeBytes } = this.#job
        return { kind: 'send', transaction: { sender, recipients, sizeBytes } }
      }
      case 'auth':
        assert(this.#auth !== undefined, 'AUTH without a password')
        return this.#auth.start(ask.mechanisms, ask.tls)
      case 'auth-challenge':
        assert(this.#auth !== undefined, 'a challenge without AUTH')
        return this.#auth.respond(ask.challenge)
      case 'body':
        return this.#nextPiece()
    }
  }

  async #nextPiece(): Promise<ClientAnswer> {
    this.#body ??= this.#job.body()[Symbol.asyncIterator]()
    try {
      const piece = await this.#body.next()
      return piece.done === true ? { kind: 'end' } : { kind: 'bytes', bytes: piece.value }
    } catch (error) {
      this.#lost = `the message could not be read: ${error instanceof Error ? error.message : String(error)}`
      return { kind: 'abort' }
    }
  }

  #note(tell: ClientTell): void {
    if (tell.kind === 'result') this.#result = tell.result
    else if (tell.kind === 'closing') this.#failure = tell.failure
    else if (tell.kind === 'tls') this.#tls = tell.facts
    else if (tell.kind === 'authenticated' && this.#auth?.mayTrust() === false)
      this.#lost = 'the smarthost never proved that it knows the password'
  }

  async #startTls(): Promise<boolean> {
    try {
      const verify = this.#policy.tls === 'starttls'
      this.#tls = await this.#connection.startTls({ serverName: this.#job.hop.name, verify })
      this.#machine.tlsStarted(this.#tls)
      return true
    } catch (error) {
      this.#lost = error instanceof Error ? error.message : String(error)
      return false
    }
  }

  #tlsFailed(): Delivery {
    this.tlsBroken = true
    return { kind: 'no-contact', reply: reply(454, '4.7.5', 'TLS with this host failed', this.#lost) }
  }

  #delivery(): Delivery {
    const tls = this.#tls === undefined ? undefined : `${this.#tls.version} ${this.#tls.cipher}`
    const result = this.#result
    if (result === undefined) {
      const failure = this.#failure?.reply ?? reply(451, '4.4.2', 'The connection ended without an answer')
      return { kind: 'no-contact', reply: this.#caused(failure), tls }
    }
    const unanswered = result.recipients.find(({ from, stage }) => from === 'local' && stage !== 'check')
    if (unanswered !== undefined && result.recipients.every(({ from }) => from === 'local')) {
      const kind = unanswered.stage === 'end-of-data' ? 'unknown' : 'no-contact'
      return { kind, reply: this.#caused(unanswered.reply), tls }
    }
    const answers = result.recipients.map(({ address, reply: said }) => ({ address, reply: said }))
    return { kind: 'answered', answers, tls, dsnOffered: this.#peer?.dsn === true }
  }

  #caused(said: Reply): Reply {
    return this.#lost === undefined ? said : { ...said, cause: this.#lost }
  }
}

function clientOptions(policy: HopPolicy, heloName: string, tls: TlsFacts | undefined): ClientOptions {
  const starttls = policy.tls === 'starttls' ? 'must' : policy.tls === 'opportunistic' ? 'may' : 'none'
  return {
    protocol: 'smtp',
    heloName,
    starttls,
    tls,
    auth: policy.auth === undefined ? 'none' : 'must',
    chunking: false,
    pipelining: true,
  }
}

function dialReply(failure: DialFailure): Reply {
  const text = {
    refused: 'The host refuses connections',
    timeout: 'The host does not answer',
    unreachable: 'The host cannot be reached',
    reset: 'The host broke the connection',
    tls: 'TLS with this host failed',
  }[failure.kind]
  return reply(451, failure.kind === 'tls' ? '4.7.5' : '4.4.1', text, failure.cause)
}
