import { type Address, addressKey, formatAddress } from '../mail/address.ts'
import { assert } from '../mail/assert.ts'
import type { EnvelopeSender, Notify } from '../mail/envelope.ts'
import { makeTraceId, type TraceId } from '../mail/ids.ts'
import { formatReply, isPositive, type Reply, reply } from '../mail/reply.ts'
import type { TraceEvent, TraceFact } from '../mail/trace.ts'
import type { BodyWriter, StagedBody, StoreFailure } from '../ports/store.ts'
import type { Accepted } from './accepted.ts'
import { commitMessage } from './commit.ts'
import { missingFields } from './complete.ts'
import { describeHeader, originFacts } from './facts.ts'
import { readHeader, refuseForeignAuthor, refuseLoop } from './header-checks.ts'
import { isOwnMail, type Origin } from './origin.ts'
import type { PipelinePorts, PipelineSettings } from './ports.ts'
import { receivedField, returnPathField } from './received.ts'
import { decideRecipient, type RecipientDecision } from './recipient.ts'
import { storeFailureReply, TOO_MUCH_AT_ONCE } from './replies.ts'
import { refuseForeignSender } from './sender.ts'

/** What a RCPT is answered; 'silence' is the test domain's `timeout@`. */
export type RecipientAnswer = { readonly kind: 'reply'; readonly reply: Reply } | { readonly kind: 'silence' }

/**
 * One message on its way in: start, `addRecipient`, `write`, then `commit` or `abort`. It decides, remembers
 * why, and hands all of it to the store in one commit.
 */
export class Transaction {
  readonly id: TraceId
  readonly #ports: PipelinePorts
  readonly #settings: PipelineSettings
  readonly #origin: Origin
  readonly #sender: EnvelopeSender
  readonly #trace: TraceEvent[] = []
  readonly #accepted: Accepted[] = []
  #body: BodyWriter | undefined
  #over = false
  #isDropped = false

  constructor(ports: PipelinePorts, origin: Origin, sender: EnvelopeSender) {
    this.#ports = ports
    this.#settings = ports.settings()
    this.#origin = origin
    this.#sender = sender
    this.id = makeTraceId(ports.clock.now(), ports.random.bytes(10))
    for (const fact of originFacts(origin)) this.note(fact)
    const path = sender.reversePath
    this.note({
      kind: 'sender',
      reversePath: path === null ? '' : formatAddress(path),
      sizeBytes: sender.declaredSizeBytes,
    })
  }

  /** Adds to the trace what the session has seen. */
  note(fact: TraceFact): void {
    this.#trace.push({ atMs: this.#ports.clock.now(), ...fact })
  }

  /** Judges MAIL FROM. A refusal ends the transaction. */
  start(): Reply | Promise<Reply> {
    const { reversePath, declaredSizeBytes } = this.#sender
    if (declaredSizeBytes !== undefined && declaredSizeBytes > this.#settings.maxMessageBytes) {
      return this.#refuse(
        'size',
        reply(552, '5.3.4', `A message may have at most ${this.#settings.maxMessageBytes} octets`),
      )
    }
    const refusal =
      reversePath === null
        ? undefined
        : refuseForeignSender(reversePath, this.#origin, { ...this.#judge(), field: 'The sender' })
    if (refusal !== undefined) return this.#refuse('sender-owner', refusal)
    // Told before the content comes: it would be sent for nothing, and a large one would use up what room is left.
    const failure = this.#ports.intake.room(declaredSizeBytes ?? 0)
    return failure instanceof Promise ? failure.then((one) => this.#begin(one)) : this.#begin(failure)
  }

  #begin(failure: StoreFailure | undefined): Reply {
    return failure === undefined
      ? reply(250, '2.1.0', 'Sender ok')
      : this.#refuse('store', storeFailureReply(failure, this.#settings.maxMessageBytes))
  }

  addRecipient(recipient: {
    readonly address: Address
    readonly notify?: Notify | undefined
    readonly orcpt?: string | undefined
  }): RecipientAnswer {
    const { login, trustedNetwork, role } = this.#origin
    const decision = decideRecipient(
      {
        address: recipient.address,
        role,
        mayRelay: isOwnMail(role) && (login !== undefined || trustedNetwork !== undefined),
        declaredSizeBytes: this.#sender.declaredSizeBytes,
        testDomain: this.#settings.testDomain,
      },
      this.#ports.directory,
    )
    this.#noteRecipient(recipient.address, decision)
    if (decision.kind === 'silence') return decision
    if (decision.kind === 'refuse') return { kind: 'reply', reply: decision.reply }
    this.#accepted.push({ ...recipient, local: decision.local, remote: decision.remote })
    return { kind: 'reply', reply: reply(250, '2.1.5', 'Recipient ok') }
  }

  /** Takes a piece of the content; a promise asks for patience. */
  write(chunk: Uint8Array): void | Promise<void> {
    if (this.#isDropped) return
    this.#body ??= this.#ports.intake.body(this.#settings.maxMessageBytes)
    return this.#body.write(chunk)
  }

  /** Octets in memory for the content. */
  get heldBytes(): number {
    return this.#body?.heldBytes ?? 0
  }

  /** Memory is short: what came of the content is thrown away, what still comes is not kept, and the client is put off. */
  dropContent(): void {
    this.#isDropped = true
    this.#body?.abort()
    this.#body = undefined
  }

  /** After the final dot. Positive only when everything is on disk. */
  async commit(): Promise<Reply> {
    assert(!this.#over, 'commit of a transaction that is over')
    this.#over = true
    if (this.#isDropped) return this.#refuse('load', TOO_MUCH_AT_ONCE)
    const body = this.#body ?? this.#ports.intake.body(this.#settings.maxMessageBytes)
    const staged = await body.finish()
    if (!staged.ok)
      return this.#refuse('store', storeFailureReply(staged.failure, this.#settings.maxMessageBytes))
    const answer = await this.#judgeAndStore(staged.value)
    if (!isPositive(answer)) staged.value.discard()
    return answer
  }

  /**
   * The message will not come: nothing of it is kept but the trace. Where nobody was named and nothing went wrong
   * there is nothing to tell: MAIL and RSET in a loop would push all other traces out.
   */
  abort(why: string, answer?: Reply): void {
    if (this.#over) return
    this.#over = true
    this.#body?.abort()
    const begun = this.#body !== undefined
    if (!begun && !this.#trace.some(({ kind }) => kind === 'recipient' || kind === 'check')) return
    this.note({ kind: 'decision', action: 'refuse', rule: why, reply: answer })
    this.#ports.intake.trace(this.id, this.#trace)
    if (answer !== undefined) this.#log('message.refused', { reason: why, reply: formatReply(answer) })
  }

  async #judgeAndStore(staged: StagedBody): Promise<Reply> {
    const header = readHeader(staged.header)
    this.note({ kind: 'received', sizeBytes: staged.sizeBytes, ...describeHeader(header) })
    const loop = refuseLoop(header, this.#settings.maxReceived)
    if (loop !== undefined) return this.#refuse('loop', loop)
    const author = refuseForeignAuthor(header, this.#origin, this.#judge())
    if (author !== undefined) return this.#refuse('author-owner', author)
    const nowMs = this.#ports.clock.now()
    const zoneMinutes = this.#ports.clock.zoneMinutes(nowMs)
    const added = isOwnMail(this.#origin.role)
      ? missingFields(header, {
          nowMs,
          zoneMinutes,
          traceId: this.id,
          domain: this.#sender.reversePath?.domain ?? this.#settings.hostname,
        })
      : []
    for (const { name } of added) this.note({ kind: 'added-field', name })
    const returnPath = returnPathField(this.#sender.reversePath)
    const received = receivedField({
      origin: this.#origin,
      hostname: this.#settings.hostname,
      traceId: this.id,
      smtputf8: this.#sender.smtputf8,
      receivedAtMs: nowMs,
      zoneMinutes,
      onlyRecipient: this.#accepted.length === 1 ? this.#accepted[0]?.address : undefined,
    })
    const prefix = Buffer.from(returnPath + received + added.map(({ field }) => field).join(''), 'utf8')
    const outcome = await commitMessage(this.#ports, {
      traceId: this.id,
      trace: this.#trace,
      sender: this.#sender,
      accepted: this.#accepted,
      body: staged,
      prefix,
      skipBytes: Buffer.byteLength(returnPath),
      role: this.#origin.role,
      nowMs,
    })
    if (outcome.kind === 'failed')
      return this.#refuse('store', storeFailureReply(outcome.failure, this.#settings.maxMessageBytes))
    this.#log('message.accepted', {
      from: this.#sender.reversePath === null ? '<>' : formatAddress(this.#sender.reversePath),
      to: this.#accepted.map(({ address }) => addressKey(address)).join(','),
      size: staged.sizeBytes,
      client: this.#origin.client,
      login: this.#origin.login?.login,
    })
    return reply(250, '2.0.0', `Accepted, on disk as ${this.id}`)
  }

  #judge(): { directory: PipelinePorts['directory']; trustedFrom: readonly string[]; hostname: string } {
    const { trustedFrom, hostname } = this.#settings
    return { directory: this.#ports.directory, trustedFrom, hostname }
  }

  #noteRecipient(address: Address, decision: RecipientDecision): void {
    if (decision.kind === 'accept') {
      const to = [...decision.local.map(({ login }) => login), ...decision.remote.map(formatAddress)]
      this.note({ kind: 'recipient', address: formatAddress(address), as: decision.as, to })
      return
    }
    const answer = decision.kind === 'refuse' ? decision.reply : undefined
    this.note({ kind: 'recipient', address: formatAddress(address), as: 'refused', reply: answer })
    this.#log('message.refused', {
      to: formatAddress(address),
      from: this.#sender.reversePath === null ? '<>' : formatAddress(this.#sender.reversePath),
      client: this.#origin.client,
      reply: answer === undefined ? 'none: the test domain stays silent' : formatReply(answer),
      cause: answer?.cause,
    })
  }

  #refuse(rule: string, answer: Reply): Reply {
    this.#over = true
    this.#body?.abort()
    this.note({ kind: 'decision', action: answer.code < 500 ? 'defer' : 'refuse', rule, reply: answer })
    this.#ports.intake.trace(this.id, this.#trace)
    this.#log('message.refused', {
      client: this.#origin.client,
      rule,
      reply: formatReply(answer),
      cause: answer.cause,
    })
    return answer
  }

  #log(
    name: 'message.accepted' | 'message.refused',
    fields: Readonly<Record<string, string | number | undefined>>,
  ): void {
    this.#ports.log.event(name, fields, this.id)
  }
}
