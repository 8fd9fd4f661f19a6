import { canonicalIp, isIpv6, isLoopback } from '../mail/ip.ts'
import { type Reply, reply } from '../mail/reply.ts'
import type { Hop } from '../ports/deliverer.ts'
import type { Answer, MxRecord, Resolver } from '../ports/resolver.ts'
import { MAX_ADDRESSES_PER_HOST, MAX_HOPS, MAX_MX } from './limits.ts'

/** The hosts that take mail for a domain, in the order to try them; or why there are none. */
export type Route =
  | { readonly kind: 'hops'; readonly hops: readonly Hop[] }
  /** For ever: the domain takes no mail or does not exist. */
  | { readonly kind: 'none'; readonly reply: Reply }
  /** For now: DNS did not answer. */
  | { readonly kind: 'later'; readonly reply: Reply }

export interface RouteSettings {
  readonly hostname: string
  readonly port: number
  readonly ip: 'both' | 'ipv4' | 'ipv6'
}

/** Finds the route by MX, or A and AAAA where there is no MX (rfc5321 §5.1). `chance` gives 0 to 1, for hosts of equal preference. */
export async function findRoute(
  domain: string,
  resolver: Resolver,
  settings: RouteSettings,
  chance: () => number,
): Promise<Route> {
  if (domain.startsWith('[')) return literalRoute(domain, settings)
  const mx = await resolver.mx(domain)
  if (mx.kind === 'temporary') return later(domain, mx.cause)
  if (mx.kind === 'no-name') return none('5.1.2', `The domain ${domain} does not exist`)
  const hosts = mx.kind === 'no-data' ? [domain] : mailHosts(mx.records, settings.hostname, chance)
  if (hosts === 'null-mx') return none('5.1.10', `The domain ${domain} says that it takes no mail`)
  // We are the best host that DNS knows, and do not know the domain: to send it on would be a loop.
  if (hosts.length === 0)
    return none('5.4.6', `The mail server for ${domain} is this one, which does not know the domain`)
  return resolveHosts(domain, hosts, resolver, settings)
}

/** In the order of preference, equal ones shuffled; only those that are better than ourselves (rfc5321 §5.1). */
export function mailHosts(
  records: readonly MxRecord[],
  ownName: string,
  chance: () => number,
): readonly string[] | 'null-mx' {
  // rfc7505 §3: only where it stands alone; beside real hosts it is passed over.
  if (records.length > 0 && records.every(({ exchange }) => exchange === '')) return 'null-mx'
  const own = records.find(({ exchange }) => exchange === ownName)?.preference ?? Number.POSITIVE_INFINITY
  return records
    .filter(({ exchange, preference }) => exchange !== '' && preference < own)
    .map((record) => ({ ...record, lot: chance() }))
    .sort((a, b) => a.preference - b.preference || a.lot - b.lot)
    .slice(0, MAX_MX)
    .map(({ exchange }) => exchange)
}

/** The route to one named host, a smarthost: no MX is asked. A name that is not there is our own mistake: later. */
export async function resolveHost(host: string, resolver: Resolver, settings: RouteSettings): Promise<Route> {
  const route = await resolveHosts(host, [host], resolver, settings)
  return route.kind === 'none' ? later(host, route.reply.lines.join(' ')) : route
}

async function resolveHosts(
  domain: string,
  hosts: readonly string[],
  resolver: Resolver,
  settings: RouteSettings,
): Promise<Route> {
  const hops: Hop[] = []
  let temporary: string | undefined
  for (const host of hosts) {
    if (hops.length >= MAX_HOPS) break
    const answers = await Promise.all([
      settings.ip === 'ipv4' ? undefined : resolver.aaaa(host),
      settings.ip === 'ipv6' ? undefined : resolver.a(host),
    ])
    for (const answer of answers) if (answer?.kind === 'temporary') temporary = answer.cause
    const [v6 = [], v4 = []] = answers.map((answer) => usable(answer, settings))
    for (const address of alternate(v6, v4)) hops.push({ name: host, address, port: settings.port })
  }
  if (hops.length > 0) return { kind: 'hops', hops: hops.slice(0, MAX_HOPS) }
  if (temporary !== undefined) return later(domain, temporary)
  return none('5.4.4', `No mail server of ${domain} has an address that can be reached`)
}

/** One of each family in turn: a machine without IPv6 must not spend its tries on eight addresses of it. */
function alternate(v6: readonly string[], v4: readonly string[]): readonly string[] {
  const longest = Math.max(v6.length, v4.length)
  const pairs = Array.from({ length: longest }, (_, i) => [v6[i], v4[i]])
  return pairs
    .flat()
    .filter((address) => address !== undefined)
    .slice(0, MAX_ADDRESSES_PER_HOST)
}

/** On port 25 a loopback address in public DNS would make us talk to ourselves for ever. */
function usable(answer: Answer<string> | undefined, settings: RouteSettings): readonly string[] {
  if (answer?.kind !== 'found') return []
  return answer.records.filter(
    (address) => settings.port !== 25 || !(isLoopback(address) || address === '0.0.0.0' || address === '::'),
  )
}

function literalRoute(domain: string, settings: RouteSettings): Route {
  const address = canonicalIp(domain.slice(1, -1).replace(/^ipv6:/i, ''))
  if (address === undefined) return none('5.1.2', `${domain} is no address`)
  if (settings.ip !== 'both' && isIpv6(address) !== (settings.ip === 'ipv6'))
    return none('5.4.4', `${domain} cannot be reached over ${settings.ip}`)
  const hops = usable(
    { kind: 'found', records: [address], ttlSeconds: 0, authenticated: false },
    settings,
  ).map((to) => ({ name: to, address: to, port: settings.port }))
  return hops.length > 0 ? { kind: 'hops', hops } : none('5.4.6', `${domain} is this server itself`)
}

const none = (enhanced: string, text: string): Route => ({ kind: 'none', reply: reply(550, enhanced, text) })

const later = (domain: string, cause: string): Route => ({
  kind: 'later',
  reply: reply(451, '4.4.3', `DNS did not answer for ${domain}`, cause),
})
