import { type Address, makeAddress } from '../../mail/address.ts'
import { assert } from '../../mail/assert.ts'
import type { EnvelopeSender } from '../../mail/envelope.ts'
import { isPositive, type Reply, reply } from '../../mail/reply.ts'
import type { TlsFacts } from '../../mail/tls-facts.ts'
import type { Login, Origin, Role } from '../../pipeline/origin.ts'
import type { PipelinePorts } from '../../pipeline/ports.ts'
import { NUL_REPLY, TOO_MUCH_AT_ONCE } from '../../pipeline/replies.ts'
import { Transaction } from '../../pipeline/transaction.ts'
import type { Credentials } from '../../ports/credentials.ts'
import type {
  MessageFacts,
  ServerAnswer,
  ServerAsk,
  ServerTell,
  SmtpServer,
} from '../../protocol/smtp/types.ts'
import { bindingsOf } from '../bindings.ts'
import type { ClientFacts, Link } from '../link.ts'
import { SmtpAuth } from './auth.ts'
import type { RoleTerms } from './roles.ts'

export interface SmtpSessionDeps {
  readonly pipeline: PipelinePorts
  /** What a message of that sender goes through where it is not `pipeline`: one of a self-test is thrown away when it was judged. */
  readonly pipelineFor?: ((sender: EnvelopeSender) => PipelinePorts) | undefined
  readonly credentials: Credentials
  readonly defaultDomain: () => string
}

type MailAsk = Extract<ServerAsk, { kind: 'mail' }>
type RcptAsk = Extract<ServerAsk, { kind: 'rcpt' }>

const ACCEPT: ServerAnswer = { kind: 'accept' }
const answer = (r: Reply): ServerAnswer => ({ kind: 'reply', reply: r })

/**
 * One SMTP or LMTP connection: answers the core's questions and hands the message to the pipeline. It decides
 * by what the pipeline and the credentials say and writes no bytes.
 */
export class SmtpSession {
  readonly #role: Role
  readonly #client: ClientFacts
  readonly #machine: SmtpServer
  readonly #terms: RoleTerms
  readonly #deps: SmtpSessionDeps
  readonly #auth: SmtpAuth
  #link: Link | undefined
  #tls: TlsFacts | undefined
  #helo = ''
  #extended = false
  #offered: readonly string[]
  #login: Login | undefined
  #transaction: Transaction | undefined
  #messages = 0
  /** Being checked or on its way to the disk. */
  #committing: Transaction | undefined
  /** Answers a RCPT to the test domain's `timeout@`, which has none of its own. */
  #breakSilence: ((late: ServerAnswer) => void) | undefined

  constructor(
    deps: SmtpSessionDeps,
    at: {
      readonly role: Role
      readonly client: ClientFacts
      readonly machine: SmtpServer
      readonly terms: RoleTerms
    },
  ) {
    this.#deps = deps
    this.#role = at.role
    this.#client = at.client
    this.#machine = at.machine
    this.#terms = at.terms
    this.#tls = at.client.tls
    this.#offered =
      this.#tls === undefined ? at.terms.options.offers.auth.clear : at.terms.options.offers.auth.tls
    this.#auth = new SmtpAuth(deps.credentials, deps.pipeline.random, at.client.remoteAddress)
  }

  attached(link: Link): void {
    this.#link = link
    // Another mail server of ours, or a host in the house: what they hand in is not a stranger's.
    if (this.#role === 'lmtp') link.belongsTo('')
    else if (this.#terms.trustedNetwork !== undefined) link.belongsTo(this.#client.remoteAddress)
    this.#deps.pipeline.log.event('connect', {
      listener: this.#client.listener,
      client: this.#client.remoteAddress,
    })
  }

  ask(ask: ServerAsk): ServerAnswer | Promise<ServerAnswer> {
    switch (ask.kind) {
      case 'connect':
        return this.#greet()
      case 'helo':
        this.#helo = ask.name
        this.#extended = ask.verb !== 'HELO'
        return ACCEPT
      case 'starttls':
        return ACCEPT
      case 'auth':
        return this.#authenticate(
          this.#auth.start(ask.mechanism, ask.initial, { tls: this.#tls, offered: this.#offered }),
        )
      case 'auth-response':
        return this.#authenticate(this.#auth.respond(ask.response))
      case 'mail':
        return this.#mail(ask)
      case 'rcpt':
        return this.#rcpt(ask)
      case 'data':
        assert(this.#transaction !== undefined, 'content without a transaction')
        return ACCEPT
      case 'message':
        return this.#message(ask.facts)
      case 'vrfy':
        // Neither confirms who is here: 252 to VRFY, 502 to EXPN (rfc5321 §7.3).
        return ACCEPT
    }
  }

  tell(tell: ServerTell): void | Promise<void> {
    switch (tell.kind) {
      case 'body':
        return this.#write(tell.bytes)
      case 'body-aborted':
        return this.#end(`content ${tell.why}`, tell.reply)
      case 'reset':
        return this.#end(`reset by ${tell.by}`)
      case 'tls':
        this.#tls = tell.facts
        this.#offered = this.#offer(tell.facts)
        this.#machine.offerAuth(this.#offered)
        this.#deps.pipeline.log.event('tls', {
          client: this.#client.remoteAddress,
          version: tell.facts.version,
          cipher: tell.facts.cipher,
        })
        return
      case 'auth-aborted':
        // A client that picks a mechanism which it cannot do (mutt 2.2 and -PLUS) ends here; its owner looks into the log.
        this.#deps.pipeline.log.event('auth.failed', {
          client: this.#client.remoteAddress,
          protocol: 'smtp',
          mechanism: this.#auth.mechanism,
          cause: `the client broke the exchange off: ${tell.reply.code} ${tell.reply.lines.join(' ')}`,
        })
        this.#auth.abort()
        return
      case 'refused':
        this.#transaction?.note({
          kind: 'check',
          name: 'command',
          result: 'refused',
          why: `${tell.verb}: ${tell.reply.code} ${tell.reply.lines.join(' ')}`,
        })
        return
      case 'attack':
        this.#transaction?.note({ kind: 'check', name: tell.attack, result: 'attack', why: tell.detail })
        this.#deps.pipeline.log.event('attack', {
          client: this.#client.remoteAddress,
          listener: this.#client.listener,
          what: tell.attack,
          detail: tell.detail,
        })
        return
      case 'closing':
        this.#committing?.abandon()
        return this.#end(`connection: ${tell.why}`, tell.reply)
    }
  }

  closed(reason: { readonly kind: string; readonly cause: string }): void {
    this.#committing?.abandon()
    this.#end(`connection ${reason.kind}`)
    const { remoteAddress, listener } = this.#client
    if (reason.kind === 'tls-failed')
      this.#deps.pipeline.log.event('tls.failed', { client: remoteAddress, listener, cause: reason.cause })
    this.#deps.pipeline.log.event('disconnect', {
      client: remoteAddress,
      listener,
      why: reason.kind,
      messages: this.#messages,
    })
  }

  /** What is on its way to the disk can't be let go; the rest of a message can, and its sender comes again. */
  shed(): boolean {
    if (this.#committing !== undefined) {
      if (this.#committing.giveUp()) this.#link?.hold(0)
      return true
    }
    if (this.#transaction === undefined || this.#transaction.heldBytes === 0) return false
    this.#transaction.dropContent()
    this.#link?.hold(0)
    return true
  }

  /** The server is stopping: finishes what is in DATA, then says 421. */
  stop(): void {
    const stopping = reply(421, '4.3.2', 'The server is stopping; try again later')
    this.#breakSilence?.(answer(stopping))
    this.#machine.shutdown(stopping)
    this.#link?.pump()
  }

  #greet(): ServerAnswer | Promise<ServerAnswer> {
    const { greetingDelayMs } = this.#terms
    if (greetingDelayMs === 0) return ACCEPT
    return new Promise(
      (resolve) => void this.#deps.pipeline.clock.after(greetingDelayMs, () => resolve(ACCEPT)),
    )
  }

  #write(bytes: Uint8Array): void | Promise<void> {
    const transaction = this.#transaction
    if (transaction === undefined) return
    const patience = transaction.write(bytes)
    this.#link?.hold(transaction.heldBytes)
    return patience
  }

  async #authenticate(step: ReturnType<SmtpAuth['start']>): Promise<ServerAnswer> {
    const result = await step
    if (result.kind === 'challenge') return result
    const { log } = this.#deps.pipeline
    if (result.login !== undefined && this.#link?.belongsTo(result.login.login) === false) {
      const { remoteAddress: client, listener } = this.#client
      const { login } = result.login
      log.event('connection.refused', {
        client,
        listener,
        login,
        cause: 'too many connections of this account',
      })
      return answer(reply(454, '4.7.0', 'This account has too many connections; try again later'))
    }
    this.#login = result.login ?? this.#login
    const fields = {
      client: this.#client.remoteAddress,
      protocol: 'smtp',
      mechanism: result.mechanism,
      login: result.triedLogin,
      cause: result.cause,
    }
    log.event(
      result.login === undefined ? (result.blocked ? 'auth.blocked' : 'auth.failed') : 'auth.ok',
      fields,
    )
    if (result.attack === true)
      log.event('attack', { ...fields, listener: this.#client.listener, what: 'channel-binding' })
    return answer(result.reply)
  }

  #offer(tls: TlsFacts): readonly string[] {
    return this.#role === 'submission'
      ? this.#deps.credentials.mechanisms({ tls: true, loopback: false, bindings: bindingsOf(tls) })
      : []
  }

  #mail(ask: MailAsk): ServerAnswer | Promise<ServerAnswer> {
    if (this.#role === 'mx' && this.#link?.admits() === false) {
      const { remoteAddress: client } = this.#client
      this.#deps.pipeline.log.event('message.refused', {
        client,
        rule: 'load',
        cause: TOO_MUCH_AT_ONCE.cause,
      })
      return answer(TOO_MUCH_AT_ONCE)
    }
    const { pipeline, pipelineFor } = this.#deps
    const transaction = new Transaction(pipelineFor?.(ask.sender) ?? pipeline, this.#origin(), ask.sender)
    for (const what of ask.lenient) transaction.note({ kind: 'leniency', what })
    const verdict = transaction.start()
    return verdict instanceof Promise
      ? verdict.then((late) => this.#begun(transaction, late))
      : this.#begun(transaction, verdict)
  }

  #begun(transaction: Transaction, verdict: Reply): ServerAnswer {
    if (isPositive(verdict)) this.#transaction = transaction
    return answer(verdict)
  }

  #rcpt(ask: RcptAsk): ServerAnswer | Promise<ServerAnswer> {
    const transaction = this.#transaction
    assert(transaction !== undefined, 'RCPT without a transaction')
    for (const what of ask.lenient) transaction.note({ kind: 'leniency', what })
    const address = this.#forwardAddress(ask.path)
    if (address === undefined)
      return answer(reply(550, '5.1.1', 'There is no such mailbox: this server has no domain yet'))
    const verdict = transaction.addRecipient({ address, notify: ask.notify, orcpt: ask.orcpt })
    if (verdict.kind === 'reply') return answer(verdict.reply)
    // The core's deadline ends the silence, or the end of the server.
    return new Promise((resolve) => {
      this.#breakSilence = resolve
    })
  }

  /** A name without a domain is one of our first domain. */
  #forwardAddress(path: RcptAsk['path']): Address | undefined {
    if (path.kind === 'address') return path.address
    return makeAddress(path.kind === 'postmaster' ? 'postmaster' : path.local, this.#deps.defaultDomain())
  }

  async #message(facts: MessageFacts): Promise<ServerAnswer> {
    const transaction = this.#transaction
    assert(transaction !== undefined, 'a message without a transaction')
    this.#transaction = undefined
    if (facts.hasNul) {
      transaction.abort('NUL octets', NUL_REPLY)
      this.#link?.hold(0)
      return answer(NUL_REPLY)
    }
    const verdict = await this.#commit(transaction)
    if (isPositive(verdict)) this.#messages++
    return answer(verdict)
  }

  async #commit(transaction: Transaction): Promise<Reply> {
    this.#committing = transaction
    try {
      return await transaction.commit()
    } finally {
      this.#committing = undefined
      this.#link?.hold(0)
    }
  }

  #end(why: string, given?: Reply): void {
    this.#transaction?.abort(why, given)
    this.#transaction = undefined
    if (this.#committing === undefined) this.#link?.hold(0)
  }

  #origin(): Origin {
    return {
      role: this.#role,
      listener: this.#client.listener,
      client: this.#client.remoteAddress,
      proxied: this.#client.proxied,
      helo: this.#helo,
      extended: this.#extended,
      tls: this.#tls,
      login: this.#login,
      trustedNetwork: this.#terms.trustedNetwork,
    }
  }
}
