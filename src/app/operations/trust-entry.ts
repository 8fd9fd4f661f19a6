import { canonicalDomain } from '../../mail/domain.ts'
import { formatIp, type Network, parseNetwork } from '../../mail/ip.ts'
import type { TrustEntry, TrustKey } from '../../ports/trust.ts'
import { type OperationArgs, type OperationPorts, textArg, timeText } from './operation.ts'

/* What `trust add` is told, read; and an exception as it is shown. */

const DAY_MS = 86_400_000
/** An exception that nobody remembers is a hole. */
export const DEFAULT_TRUST_MS = 365 * DAY_MS
const MAX_TRUST_DAYS = 3_650
const MAX_WHY = 200
const KINDS: readonly TrustKey['kind'][] = ['dkim', 'arc', 'spf']

export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly sentence: string }

const wrong = (sentence: string): { readonly ok: false; readonly sentence: string } => ({
  ok: false,
  sentence,
})

export function readTrustEntry(ports: OperationPorts, args: OperationArgs): Read<Omit<TrustEntry, 'id'>> {
  const key = readKey(args)
  if (!key.ok) return key
  const list = optional(textArg(args, 'list'), readList)
  if (!list.ok) return list
  const host = optional(textArg(args, 'host'), readHost)
  if (!host.ok) return host
  const why = optional(textArg(args, 'why'), readWhy)
  if (!why.ok) return why
  const until = readUntil(ports, textArg(args, 'until'))
  if (!until.ok) return until
  const value = { key: key.value, addedAtMs: ports.clock.now(), untilMs: until.value }
  return {
    ok: true,
    value: {
      ...value,
      ...(list.value === undefined ? {} : { list: list.value }),
      ...(host.value === undefined ? {} : { host: host.value }),
      ...(why.value === undefined ? {} : { why: why.value }),
    },
  }
}

function readKey(args: OperationArgs): Read<TrustKey> {
  const given = KINDS.filter((kind) => textArg(args, kind) !== undefined)
  const [kind, ...more] = given
  if (kind === undefined) {
    const narrow = ['list', 'host'].filter((name) => textArg(args, name) !== undefined)
    const head =
      narrow.length === 0
        ? ''
        : `\`--${narrow[0]}\` only narrows an exception: anybody can write a List-Id, and a host sends everybody's mail. `
    return wrong(
      `${head}Say what a forger can't write: \`--dkim DOMAIN\` (who signs), \`--arc SEALER\` or \`--spf DOMAIN\` (of the envelope).`,
    )
  }
  if (more.length > 0)
    return wrong(`One exception has one key: give \`--${kind}\` or \`--${more[0]}\`, not both.`)
  const domain = readDomain(textArg(args, kind) ?? '')
  return domain.ok ? { ok: true, value: { kind, domain: domain.value } } : domain
}

function readDomain(text: string): Read<string> {
  if (text.includes('@'))
    return wrong(`"${text}" is an address; give the domain alone: ${text.slice(text.lastIndexOf('@') + 1)}.`)
  if (parseNetwork(text) !== undefined)
    return wrong(`${text} is an address of a host, which is no key; \`--host ${text}\` narrows one.`)
  const domain = canonicalDomain(text)
  if (domain === undefined) return wrong(`"${text}" is no domain; write one such as lists.example.org.`)
  return domain.includes('.') && !/\.\d+$/.test(domain)
    ? { ok: true, value: domain }
    : wrong(`${domain} is no domain of anybody's; write one such as lists.example.org.`)
}

/** rfc2919 §2: what stands between the brackets of List-Id; it is kept and compared in lower case (§6). */
export function readList(text: string): Read<string> {
  const bare = /^[^<>]*<([^<>]*)>$/.exec(text.trim())?.[1] ?? text.trim()
  if (bare.includes('@'))
    return wrong(
      `"${text}" is an address; give what stands between < and > in the List-Id field of its mail.`,
    )
  return /^[\x21-\x3b\x3d\x3f-\x7e]{1,255}$/.test(bare) && bare.includes('.')
    ? { ok: true, value: bare.toLowerCase() }
    : wrong(
        `"${text}" is no List-Id; give what stands between < and > in the List-Id field of its mail, such as talk.lists.example.org.`,
      )
}

function readHost(text: string): Read<Network> {
  const network = parseNetwork(text)
  return network === undefined
    ? wrong(
        `"${text}" is no address or network; write one such as 192.0.2.25 or 2001:db8::/48 (a name could be anybody's).`,
      )
    : { ok: true, value: network }
}

function readWhy(text: string): Read<string> {
  if (/[\u0000-\u001f\u007f-\u009f]/.test(text)) return wrong('`--why` is one line of text.')
  return text.length <= MAX_WHY
    ? { ok: true, value: text }
    : wrong(`\`--why\` has ${text.length} characters; write at most ${MAX_WHY}.`)
}

const SPAN_DAYS: Readonly<Record<string, number>> = { d: 1, w: 7, m: 30, y: 365 }

/** A day, which is still within (by local time), or a span from now. */
function readUntil({ clock }: OperationPorts, text: string | undefined): Read<number> {
  const nowMs = clock.now()
  if (text === undefined) return { ok: true, value: nowMs + DEFAULT_TRUST_MS }
  const span = /^(\d{1,5}) ?([dwmy])$/.exec(text)
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  // 2026-02-30 is read as a day of March.
  const isDay = !Number.isNaN(day) && new Date(day).toISOString().startsWith(text)
  if (span === null && !isDay)
    return wrong(`"${text}" is no time; \`--until\` takes a day such as 2027-06-30, or a span such as 90d.`)
  const atMs =
    span === null
      ? day + DAY_MS - clock.zoneMinutes(day) * 60_000
      : nowMs + Number(span[1]) * (SPAN_DAYS[span[2] ?? ''] ?? 0) * DAY_MS
  if (atMs <= nowMs) return wrong(`${text} is over; \`--until\` takes a time to come.`)
  return atMs - nowMs <= MAX_TRUST_DAYS * DAY_MS
    ? { ok: true, value: atMs }
    : wrong(`${text} is more than ten years away; look at an exception sooner than that.`)
}

function optional<T>(text: string | undefined, read: (text: string) => Read<T>): Read<T | undefined> {
  return text === undefined ? { ok: true, value: undefined } : read(text)
}

/** Without the bits that do not count. */
export function networkText({ octets, prefixBits }: Network): string {
  const masked = octets.map((octet, i) => octet & (0xff00 >> Math.min(8, Math.max(0, prefixBits - 8 * i))))
  return prefixBits === octets.length * 8 ? formatIp(octets) : `${formatIp(masked)}/${prefixBits}`
}

/** As it would be given on the command line. */
export function keyText({ key, list, host }: Pick<TrustEntry, 'key' | 'list' | 'host'>): string {
  return [
    `--${key.kind} ${key.domain}`,
    ...(list === undefined ? [] : [`--list ${list}`]),
    ...(host === undefined ? [] : [`--host ${networkText(host)}`]),
  ].join(' ')
}

export function isOver({ clock }: Pick<OperationPorts, 'clock'>, { untilMs }: TrustEntry): boolean {
  return untilMs !== undefined && untilMs <= clock.now()
}

export function entryText(ports: OperationPorts, entry: TrustEntry): string {
  const until =
    entry.untilMs === undefined
      ? 'for good'
      : isOver(ports, entry)
        ? `expired ${timeText(ports, entry.untilMs)}`
        : `until ${timeText(ports, entry.untilMs)}`
  const why = entry.why === undefined ? '' : `  ${entry.why}`
  return `${entry.id}  ${keyText(entry)}  ${until}${why}`
}
