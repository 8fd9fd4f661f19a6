import { type Address, addressKey, formatAddress } from '../mail/address.ts'
import { type Reply, reply } from '../mail/reply.ts'
import type { Directory } from '../ports/directory.ts'
import { isOwnMail, type Origin } from './origin.ts'

/**
 * Whether whoever submits may write this address as envelope sender or author. Mail from other servers is
 * not judged here: anybody may write anything there, and message authentication says what it is worth.
 * @returns the refusal; undefined where it may.
 */
export function refuseForeignSender(
  address: Address,
  origin: Origin,
  context: {
    readonly directory: Directory
    readonly trustedFrom: readonly string[]
    readonly hostname: string
    readonly field: string
  },
): Reply | undefined {
  if (!isOwnMail(origin.role)) return undefined
  const { directory, trustedFrom, hostname, field } = context
  if (origin.login !== undefined) {
    if (directory.mayUse(origin.login.account, address)) return undefined
    return reply(
      553,
      '5.7.1',
      `${field} ${formatAddress(address)} does not belong to ${origin.login.login}; use one of that account's own addresses`,
    )
  }
  if (origin.role === 'local') {
    // Programs write as root@ and cron@ of this machine, where nobody need have a mailbox.
    if (directory.isOurDomain(address.domain) || address.domain === hostname) return undefined
    return reply(553, '5.7.1', `${field} ${formatAddress(address)} is in no domain of this server`)
  }
  if (trustedFrom.includes(addressKey(address))) return undefined
  return reply(
    553,
    '5.7.1',
    `${field} ${formatAddress(address)} is not on the list of addresses that this network may use without a password`,
  )
}
