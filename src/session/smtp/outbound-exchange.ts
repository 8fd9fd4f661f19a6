import { assert } from '../../mail/assert.ts'
import type { EnvelopeSender } from '../../mail/envelope.ts'
import { type Reply, reply } from '../../mail/reply.ts'
import type { TlsFacts } from '../../mail/tls-facts.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Delivery, DeliveryJob, HopPolicy } from '../../ports/deliverer.ts'
import type { Connection } from '../../ports/dialer.ts'
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
} from '../../protocol/smtp/client-types.ts'
import { ENDED, OutboundAnswers } from './outbound-answers.ts'
import { OutboundAuth } from './outbound-auth.ts'
import { contentNeeds } from './outbound-content.ts'
import { DEFAULT_RCPT_MAX, MAX_RCPT_MAX, READ_TIMEOUT_MS } from './outbound-limits.ts'

export interface ExchangeDeps {
  readonly clock: Clock
  readonly random: Random
  readonly heloName: () => string
}

export interface ExchangeParts {
  readonly job: DeliveryJob
  readonly policy: HopPolicy
  readonly connection: Connection
  readonly tls: TlsFacts | undefined
}

/** One connection: drives the client core over it until every recipient has an answer or the host is lost. */
export class OutboundExchange {
  /** STARTTLS was tried and failed. */
  tlsBroken = false
  readonly #clock: Clock
  readonly #job: DeliveryJob
  readonly #policy: HopPolicy
  readonly #connection: Connection
  readonly #machine: SmtpClient
  readonly #auth: OutboundAuth | undefined
  readonly #answers: OutboundAnswers
  #tls: TlsFacts | undefined
  #peer: PeerExtensions | undefined
  #body: AsyncIterator<Uint8Array> | undefined
  #reading: Promise<void> | undefined
  #failure: StageReply | undefined
  #quitting = false
  /** The host has the content of the transaction under way, or will have it. */
  #isHandedOver = false
  /** Why the connection is of no use any more, where we know. */
  #lost: string | undefined
  /** Our own fault: no other host would get the message either. */
  #own: Reply | undefined

  constructor(deps: ExchangeDeps, { job, policy, connection, tls }: ExchangeParts) {
    this.#clock = deps.clock
    this.#job = job
    this.#policy = policy
    this.#connection = connection
    this.#tls = tls
    this.#auth = policy.auth === undefined ? undefined : new OutboundAuth(policy.auth, deps.random)
    this.#answers = new OutboundAnswers(job.recipients)
    this.#machine = smtpClient(clientOptions(policy, deps.heloName(), tls))
  }

  async run(): Promise<Delivery> {
    const { signal } = this.#job
    const leave = (): void => this.#leave()
    signal?.addEventListener('abort', leave)
    if (signal?.aborted === true) leave()
    try {
      return await this.#converse()
    } finally {
      signal?.removeEventListener('abort', leave)
      await this.#closeBody()
    }
  }

  /** The server stops. The answer to a whole message is waited for, since without it the message would go twice. */
  #leave(): void {
    if (this.#isHandedOver) return
    this.#lost ??= 'this server was stopped'
    this.#connection.close()
  }

  async #converse(): Promise<Delivery> {
    const machine = this.#machine
    for (;;) {
      const step = machine.next()
      switch (step.kind) {
        case 'need-input':
          // QUIT is said and every answer is in: nobody waits for a slow goodbye with outcomes in hand.
          if (this.#quitting) return this.#delivery()
          await this.#read()
          break
        case 'write':
          // Before and behind, so that the core sees how long the host took to accept it.
          machine.tick(this.#clock.monotonic())
          await this.#connection.write(step.bytes)
          machine.tick(this.#clock.monotonic())
          break
        case 'ask':
          machine.answer(await this.#answer(step.ask))
          break
        case 'tell':
          this.#note(step.tell)
          break
        case 'start-tls':
          if (!(await this.#startTls())) return this.#delivery()
          break
        case 'close':
          return this.#delivery()
      }
    }
  }

  /** Waits for octets until the core's deadline. */
  async #read(): Promise<void> {
    // A wait that has just begun has no deadline of its own before it is told the time.
    this.#machine.tick(this.#clock.monotonic())
    const deadline = this.#machine.deadline()
    const reading = this.#listen()
    if (deadline === undefined) await reading
    else await this.#until(reading, deadline - this.#clock.monotonic())
    this.#machine.tick(this.#clock.monotonic())
  }

  #until(reading: Promise<void>, waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(Math.max(0, waitMs), resolve)
      void reading.then(() => {
        cancel()
        resolve()
      })
    })
  }

  /** Takes the next octets in as they come, also while content is being written. Never rejects. */
  #listen(): Promise<void> {
    this.#reading ??= this.#connection.read(READ_TIMEOUT_MS).then(
      (bytes) => {
        this.#reading = undefined
        if (bytes === undefined) this.#machine.end()
        else this.#machine.push(bytes)
      },
      (error: unknown) => {
        // Stays set: a broken connection is not read again.
        this.#lost ??= errorText(error)
        this.#machine.end()
      },
    )
    return this.#reading
  }

  async #answer(ask: ClientAsk): Promise<ClientAnswer> {
    switch (ask.kind) {
      case 'next':
        this.#peer = ask.peer
        return this.#nextTransaction(ask.peer, ask.messagesSent)
      case 'auth':
        assert(this.#auth !== undefined, 'AUTH without a password')
        return this.#auth.start(ask.mechanisms, { tls: ask.tls, verified: this.#isVerified() })
      case 'auth-challenge':
        assert(this.#auth !== undefined, 'a challenge without AUTH')
        return this.#auth.respond(ask.challenge)
      case 'body':
        return this.#nextPiece()
    }
  }

  async #nextTransaction(peer: PeerExtensions, messagesSent: number): Promise<ClientAnswer> {
    const { sizeBytes } = this.#job
    const isSpent = peer.mailMax !== undefined && messagesSent >= peer.mailMax
    const isUseless =
      this.#lost !== undefined || this.#own !== undefined || this.#job.signal?.aborted === true
    this.#isHandedOver = false
    const recipients =
      isSpent || isUseless ? [] : this.#answers.take(Math.min(peer.rcptMax ?? DEFAULT_RCPT_MAX, MAX_RCPT_MAX))
    const sender = recipients.length === 0 ? undefined : await this.#senderFor(peer)
    if (sender === undefined) {
      this.#quitting = true
      return { kind: 'quit' }
    }
    this.#body = undefined
    return { kind: 'send', transaction: { sender, recipients, sizeBytes } }
  }

  /** The sender with what the content really needs, where the host lacks what was declared. */
  async #senderFor(peer: PeerExtensions): Promise<EnvelopeSender | undefined> {
    const { sender } = this.#job
    const isLacking =
      (sender.smtputf8 && !peer.smtputf8) || (sender.bodyType === '8BITMIME' && !peer.eightBitMime)
    if (!isLacking) return sender
    try {
      const needs = await contentNeeds(this.#job.body())
      return {
        ...sender,
        bodyType: needs.eightBit ? sender.bodyType : '7BIT',
        smtputf8: sender.smtputf8 && (peer.smtputf8 || needs.utf8Header),
      }
    } catch (error) {
      this.#unreadable(error)
      return undefined
    }
  }

  async #nextPiece(): Promise<ClientAnswer> {
    // A host that refuses in the middle, or leaves, is heard at once.
    void this.#listen()
    try {
      this.#body ??= this.#job.body()[Symbol.asyncIterator]()
      const piece = await this.#body.next()
      if (piece.done !== true) return { kind: 'bytes', bytes: piece.value }
      // A stop while the piece was read has closed the connection: then the end does not go out.
      this.#isHandedOver = true
      return { kind: 'end' }
    } catch (error) {
      this.#unreadable(error)
      return { kind: 'abort' }
    }
  }

  /** A stream that was not read to its end may hold a file open. */
  async #closeBody(): Promise<void> {
    try {
      await this.#body?.return?.()
    } catch {
      // What was needed of it has been read, or told as unreadable.
    }
  }

  #unreadable(error: unknown): void {
    this.#own = reply(451, '4.3.0', 'The message could not be read here', errorText(error))
  }

  #note(tell: ClientTell): void {
    if (tell.kind === 'result') this.#answers.settle(tell.result, this.#lost)
    else if (tell.kind === 'closing') this.#failure = tell.failure
    else if (tell.kind === 'tls') this.#tls = tell.facts
    else if (tell.kind === 'authenticated' && this.#auth?.mayTrust() === false)
      this.#lost = 'the server never proved that it knows the password: it may not be the one that we want'
  }

  async #startTls(): Promise<boolean> {
    try {
      const verify = this.#policy.tls === 'starttls'
      this.#tls = await this.#connection.startTls({ serverName: this.#job.hop.name, verify })
      this.#machine.tlsStarted(this.#tls)
      return true
    } catch (error) {
      this.tlsBroken = true
      this.#failure = {
        stage: 'starttls',
        from: 'local',
        reply: reply(451, '4.7.5', 'TLS with this host failed', errorText(error)),
      }
      return false
    }
  }

  /** Whether the certificate at the other end was checked. */
  #isVerified(): boolean {
    return this.#tls !== undefined && (this.#policy.tls === 'starttls' || this.#policy.tls === 'implicit')
  }

  #delivery(): Delivery {
    const tls = this.#tls === undefined ? undefined : `${this.#tls.version} ${this.#tls.cipher}`
    const own = this.#own
    if (own !== undefined) {
      const answers = this.#job.recipients.map(({ address }) => ({ address, reply: own }))
      return { kind: 'answered', answers, tls, dsnOffered: false }
    }
    const last = this.#failure?.reply ?? ENDED
    const cause = this.#lost ?? this.#auth?.problem ?? last.cause
    return this.#answers.delivery({ ...last, cause }, { tls, dsnOffered: this.#peer?.dsn === true })
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

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
