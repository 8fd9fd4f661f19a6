import { assert } from '../../mail/assert.ts'
import type { EnvelopeRecipient } from '../../mail/envelope.ts'
import type { Reply } from '../../mail/reply.ts'
import type { Failure } from './client-context.ts'
import type { StageReply, TransactionResult } from './client-types.ts'

/** What is known of each recipient of the message that is being sent. The first word about one stands. */
export class Progress {
  readonly #recipients: readonly EnvelopeRecipient[]
  readonly #settled: (StageReply | undefined)[]
  /** Indexes of those that RCPT was accepted for, in order. */
  readonly accepted: number[] = []
  mail: Reply | undefined
  data: Reply | undefined

  constructor(recipients: readonly EnvelopeRecipient[]) {
    this.#recipients = recipients
    this.#settled = new Array<StageReply | undefined>(recipients.length).fill(undefined)
  }

  accept(index: number): void {
    if (this.#settled[index] === undefined) this.accepted.push(index)
  }

  settle(index: number, outcome: StageReply): void {
    this.#settled[index] ??= outcome
  }

  settleAll(outcome: StageReply): void {
    for (let i = 0; i < this.#settled.length; i++) this.settle(i, outcome)
  }

  /** The result; whoever has no outcome yet shares the connection's failure. */
  finish(failure: Failure | undefined): TransactionResult {
    const recipients = this.#settled.map((settled, i) => {
      const outcome = settled ?? failure
      assert(outcome !== undefined, 'a recipient without an outcome')
      const { stage, from, reply } = outcome
      return { address: (this.#recipients[i] as EnvelopeRecipient).address, stage, from, reply }
    })
    return { recipients, mail: this.mail, data: this.data }
  }
}
