import { type Address, formatAddress } from '../mail/address.ts'
import { type Reply, reply } from '../mail/reply.ts'
import type { Deliverer, Delivery, Hop, HopPolicy } from '../ports/deliverer.ts'
import type { QueueItem, QueueRecipient } from '../ports/queue.ts'
import { boundedReply, mayTryNext, noContactReply } from './outcome.ts'
import type { Route } from './route.ts'

/** One try of one message at one destination: what each recipient's host said last. */
export interface Attempt {
  readonly results: readonly AttemptResult[]
  readonly hop?: Hop | undefined
  readonly tls?: string | undefined
  /** The host will send the DSNs that the sender asked for (rfc3461 §4.1). */
  readonly dsnOffered: boolean
  /** The server stopped before a host had got the content: nothing came of it, and nothing is to be recorded. */
  readonly isCutShort?: boolean | undefined
}

export interface AttemptResult {
  readonly recipient: QueueRecipient
  readonly reply: Reply
}

export interface AttemptPlan {
  readonly item: QueueItem
  readonly recipients: readonly QueueRecipient[]
  readonly route: Route
  readonly policy: HopPolicy
  body(): AsyncIterable<Uint8Array>
  /** Aborted when the server stops: no further host is tried, and one that has not got the content is left. */
  readonly signal: AbortSignal
}

/** Tries the hosts of the route in order until one takes a position. */
export async function tryRoute(plan: AttemptPlan, deliverer: Deliverer): Promise<Attempt> {
  const { recipients, route } = plan
  if (route.kind !== 'hops') return sameForAll(recipients, route.reply)
  let last: { readonly hop: Hop; readonly delivery: Delivery } | undefined
  for (const hop of route.hops) {
    const delivery = await deliverer.deliver({
      hop,
      policy: plan.policy,
      sender: plan.item.sender,
      recipients,
      sizeBytes: plan.item.sizeBytes,
      body: plan.body,
      signal: plan.signal,
    })
    last = { hop, delivery }
    if (!mayTryNext(delivery) || plan.signal.aborted) break
  }
  if (last === undefined) return sameForAll(recipients, reply(451, '4.4.4', 'The destination has no host'))
  const { hop, delivery } = last
  if (delivery.kind === 'answered')
    return {
      results: perRecipient(recipients, delivery),
      hop,
      tls: delivery.tls,
      dsnOffered: delivery.dsnOffered,
    }
  const isCutShort = delivery.kind === 'no-contact' && plan.signal.aborted
  const said = delivery.kind === 'no-contact' ? noContactReply(delivery.reply) : delivery.reply
  return { ...sameForAll(recipients, said), hop, tls: delivery.tls, isCutShort }
}

/** The attempt could not be made, for a reason of our own. */
export function faultyAttempt(recipients: readonly QueueRecipient[], cause: string): Attempt {
  return sameForAll(recipients, reply(451, '4.3.0', 'This server could not try it; see its log', cause))
}

/** What is stored of the message is damaged: the sender is told of the delay, and of the end of it, as for any other. */
export function damagedAttempt(recipients: readonly QueueRecipient[], cause: string): Attempt {
  return sameForAll(
    recipients,
    reply(451, '4.3.0', 'The message is damaged on this server; its operator has been told', cause),
  )
}

function perRecipient(
  recipients: readonly QueueRecipient[],
  { answers }: Extract<Delivery, { kind: 'answered' }>,
): readonly AttemptResult[] {
  const said = new Map<string, Reply>(answers.map((answer) => [exactly(answer.address), answer.reply]))
  return recipients.map((recipient) => ({
    recipient,
    reply: boundedReply(
      said.get(exactly(recipient.address)) ??
        reply(451, '4.3.0', 'The host said nothing about this recipient'),
    ),
  }))
}

/** Case counts: at a host elsewhere they may be two mailboxes. */
function exactly(address: Address): string {
  return formatAddress(address)
}

function sameForAll(recipients: readonly QueueRecipient[], answer: Reply): Attempt {
  const bounded = boundedReply(answer)
  return { results: recipients.map((recipient) => ({ recipient, reply: bounded })), dsnOffered: false }
}
