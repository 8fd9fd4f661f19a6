import { type Address, addressKey, parseAddress } from '../../mail/address.ts'
import { canonicalDomain } from '../../mail/domain.ts'
import { REPORT_LIMITS } from '../../mailauth/reports/limits.ts'
import type { SeenPolicy } from '../../ports/reports.ts'
import type { Resolver } from '../../ports/resolver.ts'
import { isOrBelow } from './words.ts'

export type Destinations =
  | { readonly kind: 'known'; readonly to: readonly Address[]; readonly refused: readonly string[] }
  /** The DNS could not be asked: another time. */
  | { readonly kind: 'later'; readonly cause: string }

/** `mailto:a@b!10m`: the size limit of rfc7489 §6.2 is known no more, and disregarded. undefined: no address to mail to. */
export function parseRua(uri: string): Address | undefined {
  const match = /^\s*mailto:([^?!\s]+)(?:![0-9]+[kmgt]?)?(?:\?[^\s]*)?\s*$/i.exec(uri)
  if (match === null) return undefined
  try {
    return parseAddress(decodeURIComponent(match[1] as string))
  } catch {
    return undefined
  }
}

/**
 * To whom a report about a domain goes: at most some addresses, those elsewhere only where they agree (rfc9990 §4),
 * never one of ours.
 */
export async function reportDestinations(
  policy: SeenPolicy,
  {
    isOurDomain,
    resolver,
  }: { readonly resolver: Pick<Resolver, 'txt'>; isOurDomain(domain: string): boolean },
): Promise<Destinations> {
  const to = new Map<string, Address>()
  const refused: string[] = []
  for (const uri of policy.rua.slice(0, REPORT_LIMITS.destinations)) {
    if (to.size === REPORT_LIMITS.recipients) break
    const address = parseRua(uri)
    if (address === undefined || address.domain.startsWith('[') || isOurDomain(address.domain)) {
      refused.push(uri)
      continue
    }
    const agreed = isWithin(policy, address.domain)
      ? { kind: 'yes' as const, to: [address] }
      : await askDestination(policy.domain, address, resolver)
    if (agreed.kind === 'later') return agreed
    if (agreed.kind === 'no') refused.push(uri)
    else
      for (const one of agreed.to.slice(0, REPORT_LIMITS.recipients - to.size)) to.set(addressKey(one), one)
  }
  return { kind: 'known', to: [...to.values()], refused }
}

/** Where the organization is not known, only the domain's own name and what is below it: asking once more harms nobody. */
function isWithin({ domain, organizationalDomain }: SeenPolicy, host: string): boolean {
  return isOrBelow(host, organizationalDomain ?? domain)
}

type Agreed =
  | { readonly kind: 'yes'; readonly to: readonly Address[] }
  | { readonly kind: 'no' }
  | { readonly kind: 'later'; readonly cause: string }

async function askDestination(
  policyDomain: string,
  address: Address,
  resolver: Pick<Resolver, 'txt'>,
): Promise<Agreed> {
  const name = canonicalDomain(`${policyDomain}._report._dmarc.${address.domain}`)
  if (name === undefined) return { kind: 'no' }
  const answer = await resolver.txt(name)
  if (answer.kind === 'temporary') return { kind: 'later', cause: `${name}: ${answer.cause}` }
  if (answer.kind !== 'found') return { kind: 'no' }
  const records = answer.records.map(dmarcTags).filter((tags) => tags !== undefined)
  if (records.length === 0) return { kind: 'no' }
  const others = records.map((tags) => tags.get('rua')).find((rua) => rua !== undefined)
  if (others === undefined) return { kind: 'yes', to: [address] }
  const instead = others.split(',').map(parseRua)
  // rfc9990 §4, step 9: another host would be one that nobody has asked; then neither gets a report.
  return instead.every((one) => one !== undefined && one.domain === address.domain)
    ? { kind: 'yes', to: instead.filter((one) => one !== undefined) }
    : { kind: 'no' }
}

/** The tags of a record that begins with `v=DMARC1` (rfc9990 §4, step 6). */
function dmarcTags(record: string): ReadonlyMap<string, string> | undefined {
  const [version = '', ...rest] = record.split(';')
  if (!/^\s*v\s*=\s*DMARC1\s*$/.test(version)) return undefined
  const tags = new Map<string, string>()
  for (const pair of rest) {
    const equals = pair.indexOf('=')
    const name = pair.slice(0, equals).trim().toLowerCase()
    if (equals > 0 && !tags.has(name)) tags.set(name, pair.slice(equals + 1).trim())
  }
  return tags
}
