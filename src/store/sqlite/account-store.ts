import { addressKey, parseAddress } from '../../mail/address.ts'
import { canonicalDomain } from '../../mail/domain.ts'
import type { AccountId } from '../../mail/ids.ts'
import type {
  AccountError,
  AccountInfo,
  AccountStore,
  AliasInfo,
  Done,
  Language,
  StoredCredential,
} from '../../ports/accounts.ts'
import { type AccountTable, accountInfo } from '../accounts.ts'
import { GOOD_ADDRESS_REFRESH_MS, GOOD_ADDRESSES_PER_ACCOUNT } from '../limits.ts'
import {
  type AccountRow,
  type CredentialRow,
  type Operation,
  packScram,
  type Refusal,
  unpackScram,
} from './operations.ts'
import type { ReaderClient } from './reader-client.ts'
import type { WriterClient } from './writer-client.ts'

type Change = { readonly login?: string | undefined }
type NewCredential = Omit<StoredCredential, 'account' | 'createdAtMs'>

export class SqliteAccounts implements AccountStore {
  readonly #writer: WriterClient
  readonly #reader: ReaderClient
  readonly #table: AccountTable
  readonly #now: () => number
  readonly #listeners = new Set<(change: Change) => void>()
  readonly #good = new Map<number, Map<string, number>>()

  constructor(parts: {
    readonly writer: WriterClient
    readonly reader: ReaderClient
    readonly table: AccountTable
    readonly good: readonly (readonly [account: number, address: string, atMs: number])[]
    now(): number
  }) {
    this.#writer = parts.writer
    this.#reader = parts.reader
    this.#table = parts.table
    this.#now = parts.now
    for (const [account, address, atMs] of parts.good) this.#goodOf(account).set(address, atMs)
  }

  async addAccount(account: Parameters<AccountStore['addAccount']>[0]): Promise<Done<AccountInfo>> {
    const login = canonicalLogin(account.login)
    if (login === undefined) return refused('bad-target', account.login)
    const { credential, quotaBytes } = account
    const made = await this.#write<AccountRow>({
      op: 'add-account',
      login,
      quota: quotaBytes ?? null,
      nowMs: this.#now(),
      credential: credential === undefined ? null : credentialRow(credential),
    })
    return made.ok ? { ok: true, value: accountInfo(made.value) } : made
  }

  async listAccounts(): Promise<readonly AccountInfo[]> {
    return this.#table.list()
  }

  async findAccount(login: string): Promise<AccountInfo | undefined> {
    const account = this.#table.byLogin(canonicalLogin(login) ?? login)
    return account === undefined ? undefined : accountInfo(account)
  }

  removeAccount(login: string): Promise<Done<undefined>> {
    return this.#done({ op: 'remove-account', login: canonicalLogin(login) ?? login })
  }

  setQuota(login: string, quotaBytes: number | undefined): Promise<Done<undefined>> {
    return this.#done({ op: 'set-quota', login: canonicalLogin(login) ?? login, quota: quotaBytes ?? null })
  }

  setLanguage(login: string, language: Language | undefined): Promise<Done<undefined>> {
    const key = canonicalLogin(login) ?? login
    return this.#done({ op: 'set-language', login: key, language: language ?? null })
  }

  setCredential(login: string, credential: NewCredential): Promise<Done<undefined>> {
    const row = credentialRow(credential)
    return this.#done({
      op: 'set-credential',
      login: canonicalLogin(login) ?? login,
      nowMs: this.#now(),
      credential: row,
    })
  }

  async credentials(login: string): Promise<readonly StoredCredential[]> {
    const account = this.#table.byLogin(canonicalLogin(login) ?? login)
    if (account === undefined) return []
    const rows = await this.#reader.ask({ ask: 'credentials', account: account.id })
    return rows.map(([name, argon2id, scram, createdAtMs]) => ({
      account: account.id as AccountId,
      name,
      argon2id,
      scram: unpackScram(scram),
      createdAtMs,
    }))
  }

  async setAlias(alias: string, targets: readonly string[]): Promise<Done<undefined>> {
    const name = canonicalAlias(alias)
    if (name === undefined) return refused('bad-target', alias)
    if (targets.length === 0) return refused('bad-target', 'an alias leads somewhere')
    for (const target of targets) if (parseAddress(target) === undefined) return refused('bad-target', target)
    return this.#done({ op: 'set-alias', alias: name, targets })
  }

  removeAlias(alias: string): Promise<Done<undefined>> {
    return this.#done({ op: 'remove-alias', alias: canonicalAlias(alias) ?? alias })
  }

  async listAliases(): Promise<readonly AliasInfo[]> {
    return this.#table.listAliases()
  }

  noteGoodAddress(account: AccountId, budgetKey: string, atMs: number): void {
    const good = this.#goodOf(account)
    const known = good.get(budgetKey)
    if (known !== undefined && atMs - known < GOOD_ADDRESS_REFRESH_MS) return
    good.delete(budgetKey)
    good.set(budgetKey, atMs)
    for (const oldest of good.keys()) {
      if (good.size <= GOOD_ADDRESSES_PER_ACCOUNT) break
      good.delete(oldest)
    }
    this.#writer.post({ op: 'good-address', account, address: budgetKey, atMs })
  }

  isGoodAddress(account: AccountId, budgetKey: string): boolean {
    return this.#good.get(account)?.has(budgetKey) === true
  }

  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The store's event; the table is current already. */
  changed(change: Change): void {
    for (const listener of this.#listeners) listener(change)
  }

  forget(account: number): void {
    this.#good.delete(account)
  }

  #goodOf(account: number): Map<string, number> {
    let good = this.#good.get(account)
    if (good === undefined) {
      good = new Map()
      this.#good.set(account, good)
    }
    return good
  }

  async #write<T>(operation: Operation): Promise<Done<T>> {
    const outcome = await this.#writer.call<T>(operation)
    return outcome.ok ? outcome : { ok: false, error: accountError(outcome.refusal) }
  }

  async #done(operation: Operation): Promise<Done<undefined>> {
    const result = await this.#write<null>(operation)
    return result.ok ? { ok: true, value: undefined } : result
  }
}

function canonicalLogin(login: string): string | undefined {
  const address = parseAddress(login)
  return address === undefined ? undefined : addressKey(address)
}

function canonicalAlias(alias: string): string | undefined {
  if (!alias.startsWith('@')) return canonicalLogin(alias)
  const domain = canonicalDomain(alias.slice(1))
  return domain === undefined ? undefined : `@${domain}`
}

function credentialRow(credential: NewCredential): CredentialRow {
  const { name, argon2id, scram } = credential
  return { name, argon2id, scram: packScram(scram) }
}

function refused(
  kind: AccountError['kind'],
  what: string,
): { readonly ok: false; readonly error: AccountError } {
  return { ok: false, error: { kind, what } }
}

function accountError(refusal: Refusal): AccountError {
  if ('cause' in refusal) {
    const kind =
      refusal.kind === 'full' || refusal.kind === 'closed' || refusal.kind === 'no-such-account'
        ? refusal.kind
        : 'io'
    return { kind, what: refusal.cause }
  }
  const { kind, what } = refusal
  if (kind === 'exists' || kind === 'no-such-account' || kind === 'no-such-alias' || kind === 'bad-target')
    return { kind, what }
  return { kind: 'io', what: `${kind}: ${what}` }
}
