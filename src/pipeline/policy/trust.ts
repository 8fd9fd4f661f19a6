import type { DkimFinding, Evidence } from '../../mail/authentication.ts'
import { networkContains } from '../../mail/ip.ts'
import { parseResults } from '../../mailauth/parse-results.ts'
import type { TrustEntry } from '../../ports/trust.ts'
import { couldAlign } from './alignment.ts'

/** What an exception is held against. */
export interface TrustFacts {
  readonly evidence: Evidence
  /** The address that was checked. */
  readonly client: string
  /** Of the message's one List-Id field. */
  readonly listId?: string | undefined
  readonly nowMs: number
}

export interface TrustMatch {
  /** The exception that lets it pass. */
  readonly entry?: TrustEntry | undefined
  /** Its key could not be looked up: whether it matches is not known. */
  readonly pending?: TrustEntry | undefined
  /** Its key holds, but it is over, or was made for another list or host. */
  readonly near?: TrustEntry | undefined
}

/** Looks for exceptions; each needs its key, which a forger can't write, and only then what narrows it. */
export function matchTrust(entries: readonly TrustEntry[], facts: TrustFacts): TrustMatch {
  let pending: TrustEntry | undefined
  let near: TrustEntry | undefined
  for (const entry of entries) {
    const state = keyState(entry, facts.evidence)
    if (state === 'fails') continue
    const holds = isInForce(entry, facts.nowMs) && isNarrowedTo(entry, facts)
    if (!holds) near ??= state === 'holds' ? entry : undefined
    else if (state === 'holds') return { entry }
    else pending ??= entry
  }
  return { pending, near }
}

/** As `hikyaku trust` writes it: `dkim example.org, list a.example.org`. */
export function formatTrust({ key, list, host }: Pick<TrustEntry, 'key' | 'list' | 'host'>): string {
  const narrowed = [
    list === undefined ? '' : `, list ${list}`,
    host === undefined ? '' : ', from one network only',
  ]
  return `${key.kind} ${key.domain}${narrowed.join('')}`
}

function isInForce({ untilMs }: TrustEntry, nowMs: number): boolean {
  return untilMs === undefined || untilMs > nowMs
}

function isNarrowedTo({ key, list, host }: TrustEntry, { client, evidence, listId }: TrustFacts): boolean {
  if (host !== undefined && !networkContains(host, client)) return false
  if (list === undefined) return true
  if (listId !== list) return false
  return key.kind !== 'dkim' || evidence.dkim.some((finding) => signsList(finding, key.domain))
}

/** The signature by that domain covers the List-Id: whoever writes another one breaks it. */
function signsList(finding: DkimFinding, domain: string): boolean {
  return finding.result !== 'fail' && finding.domain === domain && finding.signs.includes('list-id')
}

function keyState({ key, list }: TrustEntry, evidence: Evidence): 'holds' | 'pending' | 'fails' {
  switch (key.kind) {
    case 'dkim': {
      const results = evidence.dkim
        .filter(
          (finding) =>
            finding.domain === key.domain && (list === undefined || finding.signs.includes('list-id')),
        )
        .map(({ result }) => result)
      if (results.includes('pass')) return 'holds'
      return results.includes('temperror') ? 'pending' : 'fails'
    }
    case 'arc':
      return isSealedBy(key.domain, evidence) ? 'holds' : 'fails'
    case 'spf': {
      const { spf } = evidence
      // HELO names a host, not who sends: only the reverse-path is a key.
      if (spf.identity !== 'mailfrom' || spf.domain !== key.domain) return 'fails'
      return spf.result === 'pass' ? 'holds' : spf.result === 'temperror' ? 'pending' : 'fails'
    }
  }
}

/** The chain is whole, its newest seal is by that domain, and what that sealer saw vouched for the author. */
export function isSealedBy(domain: string, { arc, dmarc }: Evidence): boolean {
  if (arc.result !== 'pass' || arc.sealers.at(-1) !== domain || arc.said === undefined) return false
  for (const { method, result, properties } of parseResults(arc.said)?.results ?? []) {
    if (result !== 'pass') continue
    const value = (type: string, name: string): string =>
      properties.find((one) => one.type === type && one.name === name)?.value.toLowerCase() ?? ''
    if (method === 'dmarc' && value('header', 'from') === dmarc.domain) return true
    if (
      method === 'dkim' &&
      couldAlign(value('header', 'd') || domainOf(value('header', 'i')), dmarc, 'dkim')
    )
      return true
    if (method === 'spf' && couldAlign(domainOf(value('smtp', 'mailfrom')), dmarc, 'spf')) return true
  }
  return false
}

/** rfc8601 §2.7.2: the property may be an address or a domain. */
const domainOf = (value: string): string => value.slice(value.lastIndexOf('@') + 1)
