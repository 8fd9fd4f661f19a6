import { canonicalIp, formatIp, isLoopback, networkContains, parseIp } from '../../mail/ip.ts'
import type { Resolver } from '../../ports/resolver.ts'
import type { TrustEntry } from '../../ports/trust.ts'
import { type HostListItem, parseHostList } from './host-list.ts'
import { type Operation, type OperationPorts, refused, said, textArg } from './operation.ts'
import { addEntry } from './trust.ts'
import { DEFAULT_TRUST_MS, keyText, networkText } from './trust-entry.ts'

/* `trust import FILE`: what a list of hosts of opendkim or opendmarc can become here. Every item is told. */

/** Each asks the DNS some times; longer lists are cut by hand. */
const MAX_ITEMS = 1_000
/** Addresses of one host; each is an exception of its own. */
const MAX_ADDRESSES = 4
/** rfc9989 §4.10: the walk asks at most eight names. */
const MAX_WALK = 8

type NewEntry = Omit<TrustEntry, 'id'>

interface Outcome {
  readonly entries: readonly NewEntry[]
  /** What becomes of it, or why nothing does and what to do. */
  readonly says: string
}

export const trustImport: Operation = async (ports, args, progress) => {
  const items = parseHostList(textArg(args, 'text') ?? '')
  const isDry = args.dryRun === true
  if (items.length === 0) return refused('There is nothing in that list but comments.')
  if (items.length > MAX_ITEMS)
    return refused(`That list has ${items.length} entries; import at most ${MAX_ITEMS} at once.`)
  const lines: string[] = []
  let count = 0
  for (const [i, item] of items.entries()) {
    if (progress.signal.aborted) {
      lines.push(`Stopped; ${items.length - i} entries from line ${item.line} on were not looked at.`)
      return said(...lines)
    }
    const { entries, says } = await outcomeOf(ports, item)
    lines.push(`line ${item.line}: ${item.text}: ${says}`)
    for (const entry of entries) {
      const added = isDry ? undefined : await addEntry(ports, entry)
      if (added?.ok === false) return refused([...lines, added.sentence].join('\n'))
      lines.push(`    ${keyText(entry)}${added === undefined ? '' : `: exception ${added.entry.id}`}`)
      count++
    }
  }
  const made = count === 1 ? '1 exception' : `${count} exceptions`
  return said(
    ...lines,
    isDry
      ? `Nothing was changed: without \`--dry-run\` ${made} would be made, each for a year.`
      : `${made} made, each for a year; \`hikyaku trust list\` shows them.`,
  )
}

function outcomeOf(ports: OperationPorts, item: HostListItem): Promise<Outcome> | Outcome {
  switch (item.kind) {
    case 'unknown':
      return nothing('neither a host nor an address; not imported, look at that line')
    case 'reference':
      return nothing(
        `another list: import it too, \`hikyaku trust import ${item.target}\` if it is a text file`,
      )
    case 'network':
    case 'host':
      if (item.isNegated)
        return nothing(
          'says which host is not meant; here none is meant that is not named, so nothing is needed',
        )
      return item.kind === 'network' ? networkOutcome(ports, item.network) : hostOutcome(ports, item)
  }
}

const nothing = (says: string): Outcome => ({ entries: [], says })

function networkOutcome(
  ports: OperationPorts,
  network: (HostListItem & { kind: 'network' })['network'],
): Outcome {
  const { policy, submission } = ports.config()
  const first = formatIp(network.octets)
  const lists = [
    ['policy.exempt_networks', policy.exempt_networks],
    ['submission.trusted_networks', submission.trusted_networks],
    ['policy.secondaries', policy.secondaries],
  ] as const
  for (const [setting, networks] of lists)
    if (networks.some((known) => known.prefixBits <= network.prefixBits && networkContains(known, first)))
      return nothing(`nothing to do: \`${setting}\` has it`)
  if (isLoopback(first))
    return nothing('this machine itself: name it in `policy.exempt_networks` if its mail is not to be judged')
  return nothing(
    `an address alone is no key: whatever that host passes on would be believed. If it is a backup MX of yours, name it in \`policy.secondaries\`; if a device of yours that sends, in \`submission.trusted_networks\`; if a forwarder or list, \`hikyaku trust add --dkim DOMAIN --host ${networkText(network)}\` (or --spf, --arc) with its domain`,
  )
}

async function hostOutcome(
  ports: OperationPorts,
  { name, below }: HostListItem & { kind: 'host' },
): Promise<Outcome> {
  const { server, domains } = ports.config()
  if (!below && (name === 'localhost' || name === server.hostname))
    return nothing('this machine itself: `policy.exempt_networks` has its loopback addresses')
  if (domains.names.includes(name))
    return nothing(
      'one of your own domains: what it sends is signed by your own server, so nothing is needed',
    )
  const organization = await organizationOf(ports.resolver, name)
  if (!organization.ok)
    return nothing(
      `${organization.why}; if you know by whose name it signs, \`hikyaku trust add --dkim DOMAIN\``,
    )
  const { domain } = organization
  if (below)
    return nothing(
      `any host below a domain is no key; if all that ${domain} signs may name any author, \`hikyaku trust add --dkim ${domain}\` (or --spf ${domain})`,
    )
  const addresses = await addressesOf(ports.resolver, name)
  if (!addresses.ok)
    return nothing(
      `${addresses.why}; if you trust ${domain} from any host, \`hikyaku trust add --dkim ${domain}\` (or --spf ${domain})`,
    )
  const nowMs = ports.clock.now()
  const entries = addresses.networks.flatMap((host) =>
    (['dkim', 'spf'] as const).map((kind) => ({
      key: { kind, domain },
      host,
      why: `imported: ${name}`.slice(0, 200),
      addedAtMs: nowMs,
      untilMs: nowMs + DEFAULT_TRUST_MS,
    })),
  )
  return {
    entries,
    says: `a host name is no key; instead what ${domain} signs or sends, from that host alone`,
  }
}

type Found<T> = ({ readonly ok: true } & T) | { readonly ok: false; readonly why: string }

/**
 * Whose host it is, by the tree walk (rfc9989 §4.10.2): the last name upwards that publishes a DMARC record. A list
 * of public suffixes is not asked, so without a record nobody is guessed.
 */
async function organizationOf(
  resolver: Pick<Resolver, 'txt'>,
  name: string,
): Promise<Found<{ readonly domain: string }>> {
  const labels = name.split('.')
  const from = Math.max(0, labels.length - MAX_WALK)
  let domain: string | undefined
  for (let at = from; at < labels.length - 1; at++) {
    const candidate = labels.slice(at).join('.')
    const answer = await resolver.txt(`_dmarc.${candidate}`)
    if (answer.kind === 'temporary')
      return { ok: false, why: `the DNS did not say whose it is (${answer.cause})` }
    const records =
      answer.kind === 'found' ? answer.records.filter((text) => /^v=DMARC1\s*(?:;|$)/.test(text)) : []
    const [record, ...more] = records
    if (record === undefined || more.length > 0) continue
    const psd = /;\s*psd\s*=\s*([yn])\s*(?:;|$)/.exec(record)?.[1]
    // A public suffix's own record: the name below it is the organisation's.
    if (psd === 'y') return { ok: true, domain: labels.slice(Math.max(0, at - 1)).join('.') }
    domain = candidate
    if (psd === 'n') break
  }
  return domain === undefined
    ? { ok: false, why: `the DNS does not say whose host ${name} is (no DMARC record at it or above)` }
    : { ok: true, domain }
}

async function addressesOf(
  resolver: Pick<Resolver, 'a' | 'aaaa'>,
  name: string,
): Promise<Found<{ readonly networks: readonly NonNullable<TrustEntry['host']>[] }>> {
  const answers = await Promise.all([resolver.a(name), resolver.aaaa(name)])
  const failed = answers.find((answer) => answer.kind === 'temporary')
  if (failed !== undefined) return { ok: false, why: `the DNS did not say the addresses of ${name}` }
  const texts = answers.flatMap((answer) => (answer.kind === 'found' ? answer.records : []))
  if (texts.length === 0) return { ok: false, why: `${name} has no address in the DNS` }
  if (texts.length > MAX_ADDRESSES)
    return { ok: false, why: `${name} has ${texts.length} addresses, too many to name each` }
  const networks = texts.flatMap((text) => {
    const octets = parseIp(canonicalIp(text) ?? '')
    return octets === undefined ? [] : [{ octets, prefixBits: 8 * octets.length }]
  })
  return { ok: true, networks }
}
