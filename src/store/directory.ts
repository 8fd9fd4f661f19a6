import { type Address, addressKey, parseAddress } from '../mail/address.ts'
import type { AccountId } from '../mail/ids.ts'
import type { Directory, LocalTarget, Resolution } from '../ports/directory.ts'
import type { AccountTable, KnownAccount } from './accounts.ts'
import { ALIAS_DEPTH, ALIAS_TARGETS } from './limits.ts'

export interface DirectorySettings {
  /** Canonical domains that are ours. */
  readonly domains: readonly string[]
  /** Between local part and detail, `+` usually; the empty text: no details. */
  readonly separator: string
  /** Login of the account that gets `postmaster` of every domain (rfc5321 §4.5.1); the first account where unset. */
  readonly postmaster?: string | undefined
}

const POSTMASTER = 'postmaster'

/** What one address leads to while it is being followed. */
interface Found {
  readonly accounts: Map<number, LocalTarget>
  readonly remote: Map<string, Address>
  steps: number
}
type Via = Extract<Resolution, { kind: 'local' }>['via']
type Lookup =
  | { readonly via: 'account'; readonly account: KnownAccount; readonly detail?: string | undefined }
  | { readonly via: 'alias' | 'catch-all'; readonly alias: string; readonly targets: readonly string[] }

/** Who is here, answered from memory. Order: the exact account or alias, then without detail, postmaster, catch-all. */
export class MemoryDirectory implements Directory {
  readonly #table: AccountTable
  #settings: DirectorySettings
  #domains: ReadonlySet<string>

  constructor(table: AccountTable, settings: DirectorySettings) {
    this.#table = table
    this.#settings = settings
    this.#domains = new Set(settings.domains)
  }

  /** New settings are in force for the next question. */
  reload(settings: DirectorySettings): void {
    this.#settings = settings
    this.#domains = new Set(settings.domains)
  }

  isOurDomain(domain: string): boolean {
    return this.#domains.has(domain)
  }

  resolve(address: Address): Resolution {
    if (!this.isOurDomain(address.domain)) return { kind: 'not-ours' }
    const lookup = this.#lookup(address)
    if (lookup === undefined) return { kind: 'no-such-user' }
    const found: Found = { accounts: new Map(), remote: new Map(), steps: 0 }
    const loop = this.#follow(lookup, found, [])
    if (loop !== undefined) return { kind: 'alias-loop', through: loop }
    if (found.accounts.size + found.remote.size === 0) return { kind: 'no-such-user' }
    const via: Via = lookup.via
    return { kind: 'local', via, accounts: [...found.accounts.values()], remote: [...found.remote.values()] }
  }

  mayUse(account: AccountId, address: Address): boolean {
    const resolution = this.resolve(address)
    return resolution.kind === 'local' && resolution.accounts.some((target) => target.account === account)
  }

  loginOf(account: AccountId): string | undefined {
    return this.#table.byId(account)?.login
  }

  #lookup(address: Address): Lookup | undefined {
    const exact = this.#exact(addressKey(address))
    if (exact !== undefined) return exact
    const { base, detail } = this.#split(address.local)
    if (detail !== undefined) {
      const plain = this.#exact(addressKey({ local: base, domain: address.domain }))
      if (plain !== undefined) return plain.via === 'account' ? { ...plain, detail } : plain
    }
    if (base.toLowerCase() === POSTMASTER) {
      const account = this.#postmaster()
      if (account !== undefined) return { via: 'account', account }
    }
    const alias = `@${address.domain}`
    const targets = this.#table.alias(alias)
    return targets === undefined ? undefined : { via: 'catch-all', alias, targets }
  }

  #exact(key: string): Lookup | undefined {
    const account = this.#table.byLogin(key)
    if (account !== undefined) return { via: 'account', account }
    const targets = this.#table.alias(key)
    return targets === undefined ? undefined : { via: 'alias', alias: key, targets }
  }

  #split(local: string): { readonly base: string; readonly detail: string | undefined } {
    const { separator } = this.#settings
    // At the start it is no separator: `+x@` has no base.
    const at = separator === '' ? -1 : local.indexOf(separator, 1)
    if (at < 0) return { base: local, detail: undefined }
    return { base: local.slice(0, at), detail: local.slice(at + separator.length) }
  }

  #postmaster(): KnownAccount | undefined {
    const { postmaster } = this.#settings
    const named = postmaster === undefined ? undefined : this.#table.byLogin(postmaster)
    return named ?? this.#table.first()
  }

  /** Collects where a lookup leads; gives the path where it leads back to itself or too far. */
  #follow(lookup: Lookup, found: Found, path: readonly string[]): readonly string[] | undefined {
    if (lookup.via === 'account') {
      addAccount(found, lookup)
      return undefined
    }
    const here = [...path, lookup.alias]
    if (path.includes(lookup.alias) || here.length > ALIAS_DEPTH) return here
    for (const text of lookup.targets) {
      if (++found.steps > ALIAS_TARGETS) return here
      const target = parseAddress(text)
      if (target === undefined) continue
      if (!this.isOurDomain(target.domain)) found.remote.set(addressKey(target), target)
      else {
        // A target whose account was removed since is passed over: the others still get their mail.
        const next = this.#lookup(target)
        const loop = next === undefined ? undefined : this.#follow(next, found, here)
        if (loop !== undefined) return loop
      }
    }
    return undefined
  }
}

function addAccount(found: Found, lookup: Extract<Lookup, { via: 'account' }>): void {
  const { account, detail } = lookup
  if (found.accounts.has(account.id)) return
  found.accounts.set(account.id, {
    account: account.id as AccountId,
    login: account.login,
    detail,
    overQuota: account.quota !== null && account.used >= account.quota,
    roomBytes: account.quota === null ? undefined : Math.max(0, account.quota - account.used),
  })
}
