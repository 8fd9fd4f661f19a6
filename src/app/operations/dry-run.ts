import type { Address } from '../../mail/address.ts'
import { addressKey } from '../../mail/address.ts'
import { isPositive, type Reply } from '../../mail/reply.ts'
import type { TraceEvent } from '../../mail/trace.ts'
import type { PipelinePorts } from '../../pipeline/ports.ts'
import { NUL_REPLY } from '../../pipeline/replies.ts'
import { Transaction } from '../../pipeline/transaction.ts'
import type { AcceptMessage, Intake } from '../../ports/store.ts'
import { withPretended } from '../pretended-directory.ts'

/** A message as another server would hand it in. */
export interface Attempt {
  readonly client: string
  readonly helo: string
  readonly reversePath: Address | null
  readonly recipient: Address
  readonly content: Uint8Array
}

export interface Outcome {
  readonly reply: Reply
  readonly events: readonly TraceEvent[]
  /** What would have been stored. */
  readonly stored: readonly AcceptMessage[]
}

/** Runs the way of a message from another server to its end, by the same code, and stores nothing. The recipient need not exist. */
export async function tryMessage(ports: PipelinePorts, attempt: Attempt): Promise<Outcome> {
  const stored: AcceptMessage[] = []
  const key = addressKey(attempt.recipient)
  const events: TraceEvent[] = []
  const dry: PipelinePorts = {
    ...ports,
    intake: dryIntake(ports.intake, { stored, events }),
    // An address elsewhere, or of nobody, would only be refused.
    directory: withPretended(ports.directory, (address) => addressKey(address) === key),
    log: { event: () => undefined },
    tally: undefined,
    // Whoever asks wants it judged, wherever the address is.
    settings: () => {
      const settings = ports.settings()
      return { ...settings, policy: { ...settings.policy, exemptNetworks: [] } }
    },
  }
  const { client, helo, reversePath, recipient, content } = attempt
  const origin = {
    role: 'mx',
    listener: 'check-message',
    client,
    proxied: false,
    helo,
    extended: true,
  } as const
  const transaction = new Transaction(dry, origin, { reversePath, bodyType: '8BITMIME', smtputf8: true })
  const reply = await answered(transaction, recipient, content)
  return { reply, events, stored }
}

async function answered(transaction: Transaction, recipient: Address, content: Uint8Array): Promise<Reply> {
  const begun = await transaction.start()
  if (!isPositive(begun)) return begun
  const answer = transaction.addRecipient({ address: recipient })
  if (answer.kind === 'reply' && !isPositive(answer.reply)) {
    transaction.abort('recipients')
    return answer.reply
  }
  await transaction.write(content)
  if (!content.includes(0)) return transaction.commit()
  // The session's part of the way.
  transaction.abort('NUL octets', NUL_REPLY)
  return NUL_REPLY
}

function dryIntake(
  intake: Intake,
  kept: { readonly stored: AcceptMessage[]; readonly events: TraceEvent[] },
): Intake {
  return {
    room: () => undefined,
    body: (maxBytes) => intake.body(maxBytes),
    async accept(message) {
      kept.stored.push(message)
      kept.events.push(...message.trace)
      message.body.discard()
      return { ok: true, value: [] }
    },
    trace: (_, events) => void kept.events.push(...events),
  }
}
