import { DOMAINS } from './plan.ts'

/* Who lives at each server, the same in every world. */

export interface Person {
  readonly login: string
  readonly quotaBytes?: number
}

export const PASSWORD = 'a long enough pass phrase'

/** Little room: what comes to `small` runs into its quota. */
export const SMALL_QUOTA_BYTES = 12_000

export function peopleOf(domain: string): readonly Person[] {
  return [
    { login: `u1@${domain}` },
    { login: `u2@${domain}` },
    { login: `u3@${domain}` },
    { login: `small@${domain}`, quotaBytes: SMALL_QUOTA_BYTES },
  ]
}

/** `away` leads to another server: mail for it is queued again where it arrives. */
export function aliasesOf(domain: string): ReadonlyMap<string, readonly string[]> {
  const next = nextDomain(domain)
  return new Map([
    [`team@${domain}`, [`u2@${domain}`, `u3@${domain}`]],
    [`away@${domain}`, [`u3@${next}`]],
    ...(domain === 'b.test' ? ([[`@${domain}`, [`u2@${domain}`]]] as const) : []),
  ])
}

function nextDomain(domain: string): string {
  return domain === DOMAINS[0] ? DOMAINS[1] : DOMAINS[0]
}

/** The accounts that mail for an address comes to in the end; none where it fails for good. */
export function leavesOf(address: string, domains: readonly string[]): readonly string[] {
  const [local = '', domain = ''] = address.split('@')
  if (!domains.includes(domain)) return []
  if (peopleOf(domain).some(({ login }) => login === address)) return [address]
  const targets = aliasesOf(domain).get(address) ?? aliasesOf(domain).get(`@${domain}`) ?? []
  return local === '' ? [] : targets.flatMap((target) => leavesOf(target, domains))
}
