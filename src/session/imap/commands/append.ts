import { flagNames } from '../../../mail/flags.ts'
import { makeTraceId } from '../../../mail/ids.ts'
import type { AppendMessage } from '../../../ports/mailboxes.ts'
import type { BodyWriter } from '../../../ports/store.ts'
import type { AppendCommand } from '../../../protocol/imap/commands/append.ts'
import type { ImapAnswer } from '../../../protocol/imap/types.ts'
import { done, type ImapContext } from '../context.ts'
import { refusal, targetRefusal } from '../errors.ts'

/** One APPEND (rfc3501 §6.3.11): refused before its message comes where it can't succeed, streamed otherwise. */
export class ImapAppend {
  readonly #context: ImapContext
  readonly #command: AppendCommand
  #body: BodyWriter | undefined
  #hasNul = false
  #aborted = false
  #isDropped = false

  constructor(context: ImapContext, command: AppendCommand) {
    this.#context = context
    this.#command = command
  }

  async start(): Promise<ImapAnswer> {
    const { deps, access } = this.#context
    const { maxMessageBytes } = deps.settings()
    if (this.#command.sizeBytes > maxMessageBytes)
      return done('NO', `A message may have at most ${maxMessageBytes} octets`, 'TOOBIG')
    const { mailbox } = this.#command
    // One that took a message before is not asked about again: should it be gone, storing says so.
    if (this.#context.appendTarget !== mailbox) {
      const found = await deps.mailboxes.status(access, mailbox)
      if (!found.ok) return targetRefusal(this.#context, found.error)
    }
    const full = await deps.intake.room(this.#command.sizeBytes)
    if (full !== undefined) return refusal(this.#context, full)
    // An abort that came meanwhile found nothing to throw away.
    if (this.#aborted) return done('NO', 'The connection is gone')
    this.#body = deps.intake.body(maxMessageBytes)
    return { kind: 'accept' }
  }

  write(octets: Uint8Array): void | Promise<void> {
    if (this.#body === undefined) return
    if (octets.includes(0)) this.#hasNul = true
    const patience = this.#body.write(octets)
    this.#context.link.hold(this.#body.heldBytes)
    return patience
  }

  /** Memory is short: what came is thrown away, the rest is read and forgotten, and the answer is NO. */
  drop(): boolean {
    if (this.#body === undefined) return false
    this.#body.abort()
    this.#body = undefined
    this.#isDropped = true
    this.#context.link.hold(0)
    return true
  }

  async end(): Promise<ImapAnswer> {
    try {
      return await this.#end()
    } finally {
      this.#context.link.hold(0)
    }
  }

  async #end(): Promise<ImapAnswer> {
    if (this.#isDropped) return done('NO', 'Too much is being stored at once; try again later', 'UNAVAILABLE')
    const body = this.#body
    if (body === undefined) return done('BAD', 'No message came')
    const { deps, access } = this.#context
    const staged = await body.finish()
    if (!staged.ok) return refusal(this.#context, staged.failure)
    if (this.#hasNul) {
      staged.value.discard()
      // rfc3501 §9, CHAR8: it could never be sent back.
      return done('NO', 'The message holds NUL octets, which mail may not have', 'CANNOT')
    }
    const nowMs = deps.clock.now()
    const date = this.#command.internalDate ?? { ms: nowMs, zoneMinutes: deps.clock.zoneMinutes(nowMs) }
    const message = {
      body: staged.value,
      flags: flagNames(this.#command.flags),
      internalDateMs: date.ms,
      internalDateZoneMinutes: date.zoneMinutes,
      trace: this.#trace(nowMs),
    }
    const appended = await deps.mailboxes.append(access, this.#command.mailbox, [message])
    if (!appended.ok) {
      staged.value.discard()
      return targetRefusal(this.#context, appended.error)
    }
    this.#context.appendTarget = this.#command.mailbox
    const uid = appended.value.uids[0]
    return done(
      'OK',
      'APPEND completed',
      uid === undefined ? undefined : { kind: 'appenduid', uidValidity: appended.value.uidValidity, uid },
    )
  }

  /** The message did not come by mail, so this is all that there is to say of it. */
  #trace(atMs: number): AppendMessage['trace'] {
    const { deps, login } = this.#context
    const { mailbox } = this.#command
    return {
      id: makeTraceId(atMs, deps.random.bytes(10)),
      events: [{ atMs, kind: 'appended', login: login?.login ?? '', mailbox }],
    }
  }

  abort(): void {
    this.#aborted = true
    this.#body?.abort()
    this.#context.link.hold(0)
  }
}
