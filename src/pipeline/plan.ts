import { addressKey } from '../mail/address.ts'
import type { AccountId } from '../mail/ids.ts'
import type { Reason } from '../mail/trace.ts'
import type { NewQueueItem } from '../ports/new-queue-item.ts'
import type { Delivery } from '../ports/store.ts'
import type { Accepted } from './accepted.ts'

/** What is stored of a message in one commit: all of one part is delivered, or all of it is held. */
export interface Part {
  readonly kind: 'deliver' | 'junk' | 'hold'
  readonly rule: string
  readonly reasons?: readonly Reason[] | undefined
  readonly deliveries: readonly Delivery[]
  readonly remote: NewQueueItem['recipients']
  /** Nobody here; of a held part. */
  readonly unknown: readonly string[]
}

/**
 * Which recipients get the message, and which find it held. At most two parts, the held one last: storing that one
 * can't fail for a full mailbox, so whoever was served is not served again when the sender repeats.
 * @param verdict undefined where the message was not judged.
 */
export function planParts(
  accepted: readonly Accepted[],
  verdict:
    | { readonly action: 'deliver' | 'hold'; readonly rule: string; readonly reasons: readonly Reason[] }
    | undefined,
  junkDomains: readonly string[],
): readonly Part[] {
  const known = accepted.filter(({ unknown }) => unknown !== true)
  const unknown = accepted.filter((one) => one.unknown === true).map(({ address }) => addressKey(address))
  const { rule, reasons } = verdict ?? { rule: 'default' }
  const none = { deliveries: [], remote: [], unknown: [] }
  if (verdict?.action !== 'hold') {
    const parts: Part[] = [
      {
        kind: 'deliver',
        rule,
        reasons,
        deliveries: localDeliveries(known),
        remote: remoteRecipients(known),
        unknown: [],
      },
    ]
    if (unknown.length > 0)
      parts.push({ ...none, kind: 'hold', rule: 'unknown-user', reasons: unknownReasons(unknown), unknown })
    return parts.filter(isSomething)
  }
  // A mailbox is only for people here: what an alias passes on is held, since Junk is nothing to forward.
  const junk = localDeliveries(known.filter(({ address }) => junkDomains.includes(address.domain))).map(
    toJunk,
  )
  const inJunk = new Set<AccountId>(junk.map(({ owner }) => owner))
  const held = localDeliveries(known).filter(({ owner }) => !inJunk.has(owner))
  const more = unknown.length === 0 ? [] : unknownReasons(unknown)
  const parts: Part[] = [
    { ...none, kind: 'junk', rule: 'junk', reasons: verdict.reasons, deliveries: junk },
    {
      kind: 'hold',
      rule,
      reasons: [...verdict.reasons, ...more],
      deliveries: held,
      remote: remoteRecipients(known),
      unknown,
    },
  ]
  return parts.filter(isSomething)
}

function isSomething({ deliveries, remote, unknown }: Part): boolean {
  return deliveries.length > 0 || remote.length > 0 || unknown.length > 0
}

/** The keyword tells a client so where an account has no Junk mailbox any more. */
function toJunk(delivery: Delivery): Delivery {
  return { ...delivery, specialUse: '\\Junk', flags: ['$Junk'] }
}

function unknownReasons(unknown: readonly string[]): readonly Reason[] {
  const who = `${unknown.slice(0, 3).join(', ')}${unknown.length > 3 ? ` and ${unknown.length - 3} more` : ''}`
  return [
    {
      rule: 'unknown-user',
      text: `There is no mailbox ${who} here. A backup server of ours took the message all the same; a refusal would make it send an error message to a sender who may be forged. Tell that server which recipients there are.`,
    },
  ]
}

/** One copy for each account, however many of its addresses were named. */
function localDeliveries(accepted: readonly Accepted[]): readonly Delivery[] {
  const byAccount = new Map<AccountId, Delivery>()
  for (const { address, local } of accepted) {
    for (const { account } of local) {
      if (byAccount.has(account)) continue
      byAccount.set(account, { owner: account, mailbox: 'INBOX', flags: [], recipient: address })
    }
  }
  return [...byAccount.values()]
}

function remoteRecipients(accepted: readonly Accepted[]): NewQueueItem['recipients'] {
  const recipients = new Map<string, NewQueueItem['recipients'][number]>()
  for (const { remote, notify, orcpt } of accepted) {
    for (const address of remote) {
      const key = addressKey(address)
      if (!recipients.has(key)) recipients.set(key, { address, notify, orcpt })
    }
  }
  return [...recipients.values()]
}
