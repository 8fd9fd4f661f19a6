import { type Reply, reply } from '../mail/reply.ts'
import type { Deliverer, Delivery, Hop, HopPolicy } from '../ports/deliverer.ts'
import type { QueueItem, QueueRecipient } from '../ports/queue.ts'
import { mayTryNext, noContactReply } from './outcome.ts'
import type { Route } from './route.ts'

/** One try of one message at one destination: what each recipient's host said last. */
export interface Attempt {
  readonly recipients: readonly QueueRecipient[]
  readonly replies: readonly Reply[]
  readonly hop?: Hop | undefined
  readonly tls?: string | undefined
  /** The host will send the DSNs that the sender asked for (rfc3461 §4.1). */
  readonly dsnOffered: boolean
}

export interface AttemptPlan {
  readonly item: QueueItem
  readonly recipients: readonly QueueRecipient[]
  readonly route: Route
  readonly policy: HopPolicy
  body(): AsyncIterable<Uint8Array>
}

/** Tries the hosts of the route in order until one takes a position. */
export async function tryRoute(plan: AttemptPlan, deliverer: Deliverer): Promise<Attempt> {
  const { recipients, route } = plan
  if (route.kind !== 'hops') return everyone(recipients, route.reply)
  let last: { hop: Hop; delivery: Delivery } | undefined
  for (const hop of route.hops) {
    const delivery = await deliverer.deliver({
      hop,
      policy: plan.policy,
      sender: plan.item.sender,
      recipients,
      sizeBytes: plan.item.sizeBytes,
      body: plan.body,
    })
    last = { hop, delivery }
    if (!mayTryNext(delivery)) break
  }
  if (last === undefined) return everyone(recipients, reply(451, '4.4.4', 'The destination has no host'))
  const { hop, delivery } = last
  if (delivery.kind !== 'answered') {
    const answer = delivery.kind === 'no-contact' ? noContactReply(delivery.reply) : delivery.reply
    return { ...everyone(recipients, answer), hop, tls: delivery.tls }
  }
  const replies = recipients.map(
    ({ address }) =>
      delivery.answers.find((answer) => answer.address === address)?.reply ??
      reply(451, '4.3.0', 'The host said nothing about this recipient'),
  )
  return { recipients, replies, hop, tls: delivery.tls, dsnOffered: delivery.dsnOffered }
}

function everyone(recipients: readonly QueueRecipient[], answer: Reply): Attempt {
  return { recipients, replies: recipients.map(() => answer), dsnOffered: false }
}
