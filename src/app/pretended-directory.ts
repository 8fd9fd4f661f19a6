import { type Address, addressKey } from '../mail/address.ts'
import type { AccountId } from '../mail/ids.ts'
import type { Directory } from '../ports/directory.ts'

/** Accounts are numbered from 1. */
const NOBODY = 0 as AccountId

/**
 * The directory as it is, but that some addresses without a mailbox are said to have one, of an account that is none:
 * for messages that are judged, and stored nowhere.
 */
export function withPretended(directory: Directory, isPretended: (address: Address) => boolean): Directory {
  return {
    isOurDomain: (domain) => directory.isOurDomain(domain),
    resolve(address) {
      const found = directory.resolve(address)
      if (found.kind === 'local' || !isPretended(address)) return found
      const accounts = [{ account: NOBODY, login: addressKey(address), overQuota: false }]
      return { kind: 'local', via: 'account', accounts, remote: [] }
    },
    mayUse: (account, address) => directory.mayUse(account, address),
    loginOf: (account) => directory.loginOf(account),
  }
}
