import type { EnvelopeRecipient } from '../../mail/envelope.ts'
import { type Reply, reply } from '../../mail/reply.ts'
import type { Delivery } from '../../ports/deliverer.ts'
import type { RecipientResult, TransactionResult } from '../../protocol/smtp/client-types.ts'

/** What is known of one recipient. */
type Answer =
  /** The host's last word, or ours where the message does not fit it. */
  | { readonly kind: 'said'; readonly reply: Reply }
  /** The host was lost before the content's end: it has nothing. */
  | { readonly kind: 'lost'; readonly reply: Reply }
  /** The host was lost behind the content's end: it may have the message. */
  | { readonly kind: 'unknown'; readonly reply: Reply }

/** The recipients of one delivery over its transactions: who is still to be sent, and what was said of the others. */
export class OutboundAnswers {
  readonly #recipients: readonly EnvelopeRecipient[]
  readonly #answers = new Map<EnvelopeRecipient, Answer>()
  #sent: readonly EnvelopeRecipient[] = []

  constructor(recipients: readonly EnvelopeRecipient[]) {
    this.#recipients = recipients
  }

  /** The next transaction's recipients; empty where all have been in one. */
  take(max: number): readonly EnvelopeRecipient[] {
    this.#sent = this.#recipients.filter((one) => !this.#answers.has(one)).slice(0, max)
    return this.#sent
  }

  /** Notes what came of the recipients that were taken last. */
  settle(result: TransactionResult, cause: string | undefined): void {
    const progress = result.recipients.some(({ reply: { code } }) => code < 300)
    for (const [i, recipient] of this.#sent.entries()) {
      const one = result.recipients[i]
      if (one === undefined) continue
      // rfc5321 §4.5.3.1.10: the rest goes in another transaction, as long as that leads anywhere.
      if (progress && isTooMany(one.reply)) continue
      this.#answers.set(recipient, answerOf(one, cause))
    }
    this.#sent = []
  }

  /** @param last what stands for those that never were in a transaction. */
  delivery(last: Reply, facts: { readonly tls: string | undefined; readonly dsnOffered: boolean }): Delivery {
    const answers = this.#recipients.map(
      (recipient): Answer => this.#answers.get(recipient) ?? { kind: 'lost', reply: last },
    )
    if (answers.some(({ kind }) => kind === 'said')) {
      return {
        kind: 'answered',
        answers: answers.map(({ reply: said }, i) => ({
          address: (this.#recipients[i] as EnvelopeRecipient).address,
          reply: said,
        })),
        ...facts,
      }
    }
    const unknown = answers.find(({ kind }) => kind === 'unknown')
    if (unknown !== undefined) return { kind: 'unknown', reply: unknown.reply, tls: facts.tls }
    return { kind: 'no-contact', reply: answers[0]?.reply ?? last, tls: facts.tls }
  }
}

/** 452 4.5.3, and the 552 that rfc5321 §4.5.3.1.10 asks to be read the same way. A full mailbox or disk is neither. */
function isTooMany({ code, enhanced, lines }: Reply): boolean {
  if (code !== 452 && code !== 552) return false
  return /^[45]\.5\.3$/.test(enhanced ?? '') || (enhanced === undefined && /too many/i.test(lines.join(' ')))
}

function answerOf({ from, stage, reply: said }: RecipientResult, cause: string | undefined): Answer {
  if (from === 'local' && stage !== 'check') {
    const kind = stage === 'end-of-data' ? 'unknown' : 'lost'
    return { kind, reply: cause === undefined ? said : { ...said, cause } }
  }
  // The host leaves without having judged: another one may take the message.
  if (said.code === 421 && stage !== 'end-of-data') return { kind: 'lost', reply: said }
  return { kind: 'said', reply: said }
}

/** Where the connection ended and nobody said why. */
export const ENDED = reply(451, '4.4.2', 'The connection ended without an answer')
