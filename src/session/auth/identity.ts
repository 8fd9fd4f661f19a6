import { addressKey, parseAddress } from '../../mail/address.ts'
import { Bug } from '../../mail/assert.ts'
import type { AccountInfo, AccountStore, StoredCredential } from '../../ports/accounts.ts'

/** Who a login names, and what is kept of his passwords. */
export interface Identity {
  /** Canonical; what nobody has is kept as it was written, in lower case. */
  readonly login: string
  /** undefined where there is no such account. */
  readonly account: AccountInfo | undefined
  readonly credentials: readonly StoredCredential[]
  /** Changes with every change that could turn a right password wrong or a wrong one right. */
  readonly version: string
}

export type FoundIdentity =
  | ({ readonly kind: 'identity' } & Identity)
  | { readonly kind: 'temporary'; readonly cause: string }

/**
 * Looks a login up. It is an address and is compared as ours are (NFC, no case), not SASLprep'd: the mailbox
 * that it names is found under the same key when mail comes in.
 */
export async function findIdentity(
  accounts: Pick<AccountStore, 'findAccount' | 'credentials'>,
  text: string,
): Promise<FoundIdentity> {
  const address = parseAddress(text)
  const login = address === undefined ? text.normalize('NFC').toLowerCase() : addressKey(address)
  try {
    // Both are asked for in any case: an account must not be told from none by the second look-up.
    const [account, credentials] =
      address === undefined
        ? [undefined, []]
        : await Promise.all([accounts.findAccount(login), accounts.credentials(login)])
    return { kind: 'identity', login, account, credentials, version: versionOf(account, credentials) }
  } catch (error) {
    return ourFault('the account could not be looked up', error)
  }
}

/** What is answered where the disk or a worker failed; our own mistakes go on as what they are. */
export function ourFault(
  what: string,
  error: unknown,
): { readonly kind: 'temporary'; readonly cause: string } {
  if (error instanceof Bug) throw error
  return { kind: 'temporary', cause: `${what}: ${error instanceof Error ? error.message : String(error)}` }
}

function versionOf(account: AccountInfo | undefined, credentials: readonly StoredCredential[]): string {
  return JSON.stringify([account?.id, account?.disabled, credentials.map((one) => [one.name, one.argon2id])])
}
