import type { AccountId } from '../mail/ids.ts'

/** Of what is written to an account's owner. */
export type Language = 'en' | 'ja'

export interface AccountInfo {
  readonly id: AccountId
  /** The account's address in canonical form (`addressKey`): what one logs in with. */
  readonly login: string
  readonly createdAtMs: number
  /** undefined: no limit. */
  readonly quotaBytes?: number | undefined
  readonly usedBytes: number
  /** undefined: English. */
  readonly language?: Language | undefined
  readonly disabled: boolean
}

export interface AliasInfo {
  /** `sales@example.test`, or `@example.test` for the catch-all of a domain. */
  readonly alias: string
  readonly targets: readonly string[]
}

/** What a server keeps of one password; `name` tells an app password apart. Never the clear text. */
export interface StoredCredential {
  readonly account: AccountId
  readonly name: string
  /** PHC string: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. */
  readonly argon2id: string
  /** Present only for generated passwords, or at 600,000 iterations. */
  readonly scram?: readonly ScramKeys[] | undefined
  readonly createdAtMs: number
}

export interface ScramKeys {
  readonly hash: 'SHA-1' | 'SHA-256'
  readonly salt: Uint8Array
  readonly iterations: number
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
}

export type AccountError = {
  readonly kind:
    | 'exists'
    | 'no-such-account'
    | 'no-such-alias'
    | 'not-empty'
    | 'bad-target'
    /** The store could not write; nothing was changed. */
    | 'full'
    | 'io'
    | 'closed'
  readonly what: string
}
export type Done<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: AccountError }

/** Accounts, aliases and credentials as rows; every change is durable when its promise resolves. */
export interface AccountStore {
  /** Makes the account with its mailboxes and special uses, and its credential, in one commit. */
  addAccount(account: {
    readonly login: string
    readonly quotaBytes?: number | undefined
    readonly credential?: Omit<StoredCredential, 'account' | 'createdAtMs'> | undefined
  }): Promise<Done<AccountInfo>>
  listAccounts(): Promise<readonly AccountInfo[]>
  findAccount(login: string): Promise<AccountInfo | undefined>
  /** Deletes the account with its mail. */
  removeAccount(login: string): Promise<Done<undefined>>
  setQuota(login: string, quotaBytes: number | undefined): Promise<Done<undefined>>
  /** @param language undefined: the default again. */
  setLanguage(login: string, language: Language | undefined): Promise<Done<undefined>>
  setCredential(
    login: string,
    credential: Omit<StoredCredential, 'account' | 'createdAtMs'>,
  ): Promise<Done<undefined>>
  credentials(login: string): Promise<readonly StoredCredential[]>
  setAlias(alias: string, targets: readonly string[]): Promise<Done<undefined>>
  removeAlias(alias: string): Promise<Done<undefined>>
  listAliases(): Promise<readonly AliasInfo[]>
  /** An address (`budgetKey`) from which the account has logged in before: it is not locked out by others' guesses. */
  noteGoodAddress(account: AccountId, budgetKey: string, atMs: number): void
  isGoodAddress(account: AccountId, budgetKey: string): boolean
  /** Called after each commit that changed accounts, aliases or credentials. Returns the unsubscriber. */
  onChange(listener: (change: { readonly login?: string | undefined }) => void): () => void
}
