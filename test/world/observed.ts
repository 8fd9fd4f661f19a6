import { formatAddress } from '../../src/mail/address.ts'
import type { Deliverer } from '../../src/ports/deliverer.ts'
import type { QueueItem, QueueStore } from '../../src/ports/queue.ts'
import type { Handover, Ledger } from './ledger.ts'
import { override } from './override.ts'

/*
 * The queue and the deliverer as the runner sees them, with the ledger listening: an attempt whose outcome was not
 * recorded, or that ended without the host's answer, is what allows a second copy.
 */

interface Parts {
  readonly ledger: Ledger
  readonly life: object
  readonly queue: QueueStore
  readonly deliverer: Deliverer
}

/** What our client core says where the host said nothing more, or nothing that fits. */
const LOST: ReadonlySet<string> = new Set(['4.4.2', '4.5.0'])

export function observe({ ledger, life, queue, deliverer }: Parts): {
  readonly queue: QueueStore
  readonly deliverer: Deliverer
} {
  /** Recipients as the store gave them, and the message that they are of. */
  const traceIds = new WeakMap<object, string>()
  /** Handed over, the outcome not on disk yet. */
  const pending = new Map<string, Handover[]>()
  const known = (item: QueueItem): QueueItem => {
    for (const recipient of item.recipients) traceIds.set(recipient, item.traceId)
    return item
  }
  return {
    queue: override(queue, {
      due: async (query) => (await queue.due(query)).map(known),
      get: async (id) => {
        const item = await queue.get(id)
        return item === undefined ? undefined : known(item)
      },
      record: async (result) => {
        const recorded = await queue.record(result)
        if (recorded.ok)
          for (const { address } of result.outcomes) {
            const key = `${result.traceId} ${formatAddress(address)}`
            for (const handover of pending.get(key) ?? []) ledger.settle(handover, false)
            pending.delete(key)
          }
        return recorded
      },
    }),
    deliverer: {
      deliver: async (job) => {
        const handovers = job.recipients.map((recipient) =>
          ledger.begin({
            life,
            traceId: traceIds.get(recipient) ?? '',
            recipient: formatAddress(recipient.address),
          }),
        )
        let isWhole = false
        const body = async function* (): AsyncGenerator<Uint8Array> {
          yield* job.body()
          isWhole = true
        }
        const delivery = await deliverer.deliver({ ...job, body })
        const said = new Map(
          delivery.kind === 'answered'
            ? delivery.answers.map(({ address, reply }) => [formatAddress(address), reply.enhanced ?? ''])
            : [],
        )
        for (const handover of handovers) {
          if (delivery.kind === 'no-contact') ledger.settle(handover, false)
          else if (delivery.kind === 'unknown') ledger.settle(handover, isWhole)
          // The host had refused others before it was lost: this one's answer is our own. What has not been read to
          // its end did not arrive.
          else if (LOST.has(said.get(handover.recipient) ?? '')) ledger.settle(handover, isWhole)
          else {
            const key = `${handover.traceId} ${handover.recipient}`
            pending.set(key, [...(pending.get(key) ?? []), handover])
          }
        }
        return delivery
      },
    },
  }
}
