import { type Address, addressKey, formatAddress } from '../mail/address.ts'
import { assert } from '../mail/assert.ts'
import type { Evidence } from '../mail/authentication.ts'
import type { EnvelopeSender, Notify } from '../mail/envelope.ts'
import { makeTraceId, type TraceId } from '../mail/ids.ts'
import { formatReply, isPositive, type Reply, reply } from '../mail/reply.ts'
import type { Reason, TraceEvent, TraceFact } from '../mail/trace.ts'
import type { BodyWriter, StagedBody, Stored, StoreFailure } from '../ports/store.ts'
import type { Accepted } from './accepted.ts'
import type { CommitOutcome, JudgedFor } from './commit.ts'
import { missingFields } from './complete.ts'
import { describeHeader, originFacts } from './facts.ts'
import { type ContentHeader, readHeader, refuseForeignAuthor, refuseLoop } from './header-checks.ts'
import { type Judgement, judgeMessage } from './judge.ts'
import { isOwnMail, type Origin } from './origin.ts'
import { couldAlign } from './policy/alignment.ts'
import { type Standing, standingOf } from './policy/standing.ts'
import { type Fault, structureFault } from './policy/structure.ts'
import type { PipelinePorts, PipelineSettings } from './ports.ts'
import { receivedField, returnPathField } from './received.ts'
import { decideRecipient, type RecipientDecision } from './recipient.ts'
import { authFailureReply, GONE, storeFailureReply, TOO_MUCH_AT_ONCE } from './replies.ts'
import { commitReadingReports } from './reports/commit-reading.ts'
import { withoutClaims } from './restage.ts'
import { refuseForeignSender } from './sender.ts'
import { signSubmission } from './sign.ts'

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
  readonly #standing: Standing
  readonly #sender: EnvelopeSender
  readonly #trace: TraceEvent[] = []
  readonly #accepted: Accepted[] = []
  #body: BodyWriter | undefined
  #over = false
  #isDropped = false
  #isGone = false
  /** While the content is checked: ends that where nobody wants its result any more. */
  #check: AbortController | undefined
  /** The content, once it has come to its end. */
  #staged: StagedBody | undefined

  constructor(ports: PipelinePorts, origin: Origin, sender: EnvelopeSender) {
    this.#ports = ports
    this.#settings = ports.settings()
    this.#origin = origin
    this.#standing = standingOf(origin, this.#settings.policy)
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
      : this.#refuse('store', this.#failureReply(failure))
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
        isSecondary: this.#standing === 'secondary',
      },
      this.#ports.directory,
    )
    this.#noteRecipient(recipient.address, decision)
    if (decision.kind === 'silence') return decision
    if (decision.kind === 'refuse') return { kind: 'reply', reply: decision.reply }
    const { local, remote, as } = decision
    this.#accepted.push({ ...recipient, local, remote, unknown: as === 'unknown' || undefined })
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
    if (!staged.ok) return this.#refuse('store', this.#failureReply(staged.failure))
    this.#staged = staged.value
    const answer = await this.#judgeAndStore(staged.value)
    if (!isPositive(answer)) this.#staged.discard()
    return answer
  }

  /** The client is gone, or was told something else: what is not stored yet is not stored any more. */
  abandon(): void {
    this.#isGone = true
    this.#check?.abort()
  }

  /**
   * Memory is short: a check, which may wait long for the DNS, is given up, and the client is put off.
   * @returns false where there is none: the content is on its way to the disk.
   */
  giveUp(): boolean {
    if (this.#check === undefined) return false
    this.#isDropped = true
    this.#check.abort()
    return true
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
    if (this.#standing === 'exempt') return this.#takeOwn(staged, header)
    const { policy } = this.#settings
    const fault = structureFault(staged.header, header, policy)
    const isSecondary = this.#standing === 'secondary'
    if (fault !== undefined && !isSecondary) return this.#refuse(fault.rule, fault.reply)
    let judgement: Judgement | undefined
    let failure: unknown
    try {
      judgement = await this.#judged(staged, header, { isSecondary, fault })
    } catch (error) {
      failure = error
    }
    this.#check = undefined
    if (this.#isDropped) return this.#refuse('load', TOO_MUCH_AT_ONCE)
    if (this.#isGone) return this.#refuse('content lost', GONE)
    if (judgement === undefined)
      return this.#refuse('not-checked', authFailureReply('checked', causeOf(failure)))
    const { action, rule, reasons, reply: answer } = judgement.verdict
    if (action === 'refuse' || action === 'defer') {
      assert(answer !== undefined, `${rule} has no reply`)
      this.#count(judgement)
      return this.#refuse(rule, answer, reasons)
    }
    return this.#store(staged, header, { judgement })
  }

  #judged(
    body: StagedBody,
    header: ContentHeader,
    given: { readonly isSecondary: boolean; readonly fault: Fault | undefined },
  ): Promise<Judgement> {
    this.#check = new AbortController()
    if (this.#isGone) this.#check.abort()
    return judgeMessage(
      this.#ports,
      {
        ...{ origin: this.#origin, sender: this.#sender, accepted: this.#accepted, settings: this.#settings },
        ...{ body, header, signal: this.#check.signal, ...given },
      },
      (fact) => this.note(fact),
    )
  }

  /** Our own people's, and what somebody else has judged. */
  #takeOwn(staged: StagedBody, header: ContentHeader): Promise<Reply> {
    const nowMs = this.#ports.clock.now()
    const added = isOwnMail(this.#origin.role)
      ? missingFields(header, {
          nowMs,
          zoneMinutes: this.#ports.clock.zoneMinutes(nowMs),
          traceId: this.id,
          domain: this.#sender.reversePath?.domain ?? this.#settings.hostname,
        })
      : []
    for (const { name } of added) this.note({ kind: 'added-field', name })
    return this.#store(staged, header, { added: added.map(({ field }) => field).join('') })
  }

  async #store(
    staged: StagedBody,
    header: ContentHeader,
    given: { readonly judgement?: Judgement; readonly added?: string },
  ): Promise<Reply> {
    const body = await this.#withoutClaims(staged)
    if (!body.ok) return this.#refuse('store', this.#failureReply(body.failure))
    this.#staged = body.value
    const { judgement, added = '' } = given
    let signatures: string
    try {
      const signed = { origin: this.#origin, body: body.value, added: Buffer.from(added, 'utf8') }
      signatures = await signSubmission(this.#ports, signed, (fact) => this.note(fact))
    } catch (error) {
      return this.#refuse('not-signed', authFailureReply('signed', causeOf(error)))
    }
    if (this.#isGone) return this.#refuse('content lost', GONE)
    const nowMs = this.#ports.clock.now()
    const returnPath = returnPathField(this.#sender.reversePath)
    // Results stand above our Received field (rfc8601 §5, rfc7208 §9.1), a signature below it: it signs what follows.
    const prefix = [returnPath, judgement?.fields ?? '', this.#received(nowMs), signatures, added].join('')
    const outcome = await commitReadingReports(
      this.#ports,
      {
        traceId: this.id,
        trace: this.#trace,
        sender: this.#sender,
        accepted: this.#accepted,
        body: body.value,
        prefix: Buffer.from(prefix, 'utf8'),
        skipBytes: Buffer.byteLength(returnPath),
        isSenderVouched: this.#origin.role !== 'mx' || vouchesFor(this.#sender, judgement?.evidence),
        judged: judgement === undefined ? undefined : this.#judgedFor(judgement, header, nowMs),
        nowMs,
      },
      judgement?.evidence,
    )
    if (outcome.kind === 'failed') return this.#notStored(outcome)
    if (judgement !== undefined) this.#count(judgement)
    if (!outcome.isHeld) this.#log('message.accepted', this.#described(body.value))
    return reply(250, '2.0.0', `Accepted, on disk as ${this.id}`)
  }

  #count({ reported }: Judgement): void {
    if (reported !== undefined) this.#ports.tally?.note(reported)
  }

  async #withoutClaims(staged: StagedBody): Promise<Stored<StagedBody>> {
    // Of LMTP and of exempt clients the results may be ours indeed: they were judged by us, or by those we trust.
    if (this.#standing === 'exempt' && !isOwnMail(this.#origin.role)) return { ok: true, value: staged }
    const { authservId } = this.#settings.policy
    return withoutClaims(this.#ports.intake, staged, { authservId, note: (fact) => this.note(fact) })
  }

  #received(nowMs: number): string {
    return receivedField({
      origin: this.#origin,
      hostname: this.#settings.hostname,
      traceId: this.id,
      smtputf8: this.#sender.smtputf8,
      receivedAtMs: nowMs,
      zoneMinutes: this.#ports.clock.zoneMinutes(nowMs),
      onlyRecipient: this.#accepted.length === 1 ? this.#accepted[0]?.address : undefined,
    })
  }

  #judgedFor(
    { verdict, evidence, client, helo, listId }: Judgement,
    header: ContentHeader,
    nowMs: number,
  ): JudgedFor {
    const { holdMs, junkDomains } = this.#settings
    const { from = '', subject = '' } = describeHeader(header)
    const hold = { evidence, untilMs: nowMs + holdMs, from, subject, client, helo, list: listId }
    return { verdict, hold, junkDomains }
  }

  #described(body: StagedBody): LogFields {
    return {
      from: this.#sender.reversePath === null ? '<>' : formatAddress(this.#sender.reversePath),
      to: this.#accepted.map(({ address }) => addressKey(address)).join(','),
      size: body.sizeBytes,
      client: this.#origin.client,
      login: this.#origin.login?.login,
    }
  }

  #notStored({ failure, isPartStored }: Extract<CommitOutcome, { kind: 'failed' }>): Reply {
    const answer = this.#failureReply(failure)
    if (!isPartStored) return this.#refuse('store', answer)
    const fact = { kind: 'decision', action: 'defer', rule: 'store', reply: answer } as const
    this.#ports.intake.trace(this.id, [{ atMs: this.#ports.clock.now(), ...fact }])
    this.#log('message.refused', { rule: 'store', reply: formatReply(answer), cause: failure.cause })
    return answer
  }

  #failureReply(failure: StoreFailure): Reply {
    return storeFailureReply(failure, this.#settings.maxMessageBytes)
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

  #refuse(rule: string, answer: Reply, reasons?: readonly Reason[]): Reply {
    this.#over = true
    this.#body?.abort()
    const action = answer.code < 500 ? 'defer' : 'refuse'
    this.note({ kind: 'decision', action, rule, reply: answer, reasons })
    this.#ports.intake.trace(this.id, this.#trace)
    this.#log('message.refused', {
      client: this.#origin.client,
      rule,
      reply: formatReply(answer),
      cause: answer.cause,
    })
    return answer
  }

  #log(name: 'message.accepted' | 'message.refused', fields: LogFields): void {
    this.#ports.log.event(name, fields, this.id)
  }
}

type LogFields = Readonly<Record<string, string | number | undefined>>

/**
 * A success may be told to whom SPF or DMARC vouches for; to anybody else it would be backscatter. DMARC vouches for the
 * author's domain: an author of his own may have put a stranger into the envelope.
 */
function vouchesFor({ reversePath }: EnvelopeSender, evidence: Evidence | undefined): boolean {
  if (evidence === undefined || reversePath === null) return false
  const { dmarc, spf } = evidence
  if (spf.result === 'pass' && spf.identity === 'mailfrom') return true
  return dmarc.result === 'pass' && couldAlign(reversePath.domain, dmarc, 'dkim')
}

const causeOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
