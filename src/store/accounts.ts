import type { AccountId } from '../mail/ids.ts'
import type { AccountInfo, AliasInfo, Language } from '../ports/accounts.ts'

/** An account as it changes; read by the directory and by listings. */
export interface KnownAccount {
  readonly id: number
  readonly login: string
  readonly createdMs: number
  readonly quota: number | null
  readonly used: number
  readonly disabled: boolean
  readonly language?: string | null
}

/** Accounts and aliases in memory, kept current by the store's events. */
export class AccountTable {
  readonly #byLogin = new Map<string, KnownAccount>()
  readonly #byId = new Map<number, KnownAccount>()
  readonly #aliases = new Map<string, readonly string[]>()

  put(account: KnownAccount): void {
    this.#byId.set(account.id, account)
    this.#byLogin.set(account.login, account)
  }

  remove(id: number): void {
    const account = this.#byId.get(id)
    if (account === undefined) return
    this.#byId.delete(id)
    this.#byLogin.delete(account.login)
  }

  setUsed(id: number, used: number): void {
    const account = this.#byId.get(id)
    if (account !== undefined) this.put({ ...account, used })
  }

  setAlias(alias: string, targets: readonly string[] | null): void {
    if (targets === null) this.#aliases.delete(alias)
    else this.#aliases.set(alias, targets)
  }

  byLogin(login: string): KnownAccount | undefined {
    return this.#byLogin.get(login)
  }

  byId(id: number): KnownAccount | undefined {
    return this.#byId.get(id)
  }

  alias(alias: string): readonly string[] | undefined {
    return this.#aliases.get(alias)
  }

  /** The account that was there first: postmaster, where none is named. */
  first(): KnownAccount | undefined {
    let first: KnownAccount | undefined
    for (const account of this.#byId.values())
      if (first === undefined || account.id < first.id) first = account
    return first
  }

  list(): AccountInfo[] {
    return [...this.#byId.values()].sort((a, b) => (a.login < b.login ? -1 : 1)).map(accountInfo)
  }

  listAliases(): AliasInfo[] {
    const aliases = [...this.#aliases].sort(([a], [b]) => (a < b ? -1 : 1))
    return aliases.map(([alias, targets]) => ({ alias, targets }))
  }
}

export function accountInfo(account: KnownAccount): AccountInfo {
  return {
    id: account.id as AccountId,
    login: account.login,
    createdAtMs: account.createdMs,
    quotaBytes: account.quota ?? undefined,
    usedBytes: account.used,
    disabled: account.disabled,
    language: isLanguage(account.language) ? account.language : undefined,
  }
}

function isLanguage(text: string | null | undefined): text is Language {
  return text === 'en' || text === 'ja'
}
