import { addressKey, parseAddress } from '../mail/address.ts'
import { assert } from '../mail/assert.ts'
import { canonicalDomain } from '../mail/domain.ts'
import { canonicalIp, type Network, parseNetwork } from '../mail/ip.ts'

/** What a reading of one value gives: the value, or what is wrong with it. */
export type Reading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly wrong: string }

/** One kind of value: how it is read, what to write, how it looks in a file. */
export interface Kind<T> {
  /** For the reference page: `size`, `list of addresses`. */
  readonly name: string
  /** A sentence fragment that says what to write, with an example: `a size such as "25 MiB"`. */
  readonly write: string
  read(raw: unknown): Reading<T>
  /** As TOML. */
  print(value: T): string
}

const ok = <T>(value: T): Reading<T> => ({ ok: true, value })
const wrong = (what: string): { readonly ok: false; readonly wrong: string } => ({ ok: false, wrong: what })

const quote = (text: string): string => JSON.stringify(text)

function describe(raw: unknown): string {
  if (Array.isArray(raw)) return 'a list'
  if (typeof raw === 'string') return quote(raw)
  if (typeof raw === 'object' && raw !== null) return raw instanceof Date ? 'a date' : 'a table'
  return String(raw)
}

/** A kind whose values are written as TOML strings. */
function textual<T>(spec: {
  readonly name: string
  readonly write: string
  readonly parse: (text: string) => T | undefined
  readonly format: (value: T) => string
  readonly wrong?: string
  /** A closer look at what is wrong, where one helps. */
  readonly closer?: (text: string) => string | undefined
}): Kind<T> {
  return {
    name: spec.name,
    write: spec.write,
    read(raw) {
      if (typeof raw !== 'string') return wrong(`${describe(raw)} is not text`)
      const value = spec.parse(raw)
      if (value !== undefined) return ok(value)
      return wrong(spec.closer?.(raw) ?? `${quote(raw)} is not ${spec.wrong ?? `a ${spec.name}`}`)
    },
    print: (value) => quote(spec.format(value)),
  }
}

export const boolean: Kind<boolean> = {
  name: 'true or false',
  write: 'true or false',
  read: (raw) => (typeof raw === 'boolean' ? ok(raw) : wrong(`${describe(raw)} is neither true nor false`)),
  print: String,
}

export function integer(range: { readonly min: number; readonly max: number }): Kind<number> {
  const write = `a whole number from ${range.min} to ${range.max}`
  return {
    name: 'number',
    write,
    read(raw) {
      if (typeof raw !== 'number' || !Number.isInteger(raw))
        return wrong(`${describe(raw)} is not a whole number`)
      return raw < range.min || raw > range.max
        ? wrong(`${raw} is out of range (${range.min} to ${range.max})`)
        : ok(raw)
    },
    print: String,
  }
}

export const text: Kind<string> = textual({
  name: 'text',
  write: 'a text in double quotes',
  parse: (value) => (/[\u0000-\u001f\u007f]/.test(value) ? undefined : value),
  format: (value) => value,
  wrong: 'text without control characters',
})

export const domain: Kind<string> = textual({
  name: 'domain',
  write: 'a domain such as "example.org"',
  parse: canonicalDomain,
  format: (value) => value,
})

export const address: Kind<string> = textual({
  name: 'mail address',
  write: 'an address such as "me@example.org"',
  parse(value) {
    const parsed = parseAddress(value)
    return parsed === undefined ? undefined : addressKey(parsed)
  },
  format: (value) => value,
})

/** An absolute path, or one relative to the folder of the configuration file. */
export const path: Kind<string> = textual({
  name: 'path',
  write: 'a path such as "/var/lib/hikyaku"',
  parse: (value) => (value === '' || value.includes('\0') ? undefined : value),
  format: (value) => value,
})

export function oneOf<const T extends string>(values: readonly T[]): Kind<T> {
  const list = values.map(quote).join(', ')
  return textual({
    name: values.map((value) => `\`${value}\``).join(', '),
    write: `one of ${list}`,
    parse: (value) => values.find((candidate) => candidate === value),
    format: (value) => value,
    wrong: `one of ${list}`,
  })
}

/** undefined beyond what a number holds exactly. */
function counted(digits: string, unit: number): number | undefined {
  const value = Number(digits) * unit
  return Number.isSafeInteger(value) ? value : undefined
}

const SIZE_UNITS: readonly (readonly [string, number])[] = [
  ['TiB', 2 ** 40],
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
  ['B', 1],
]

/** A number of bytes. */
export const size: Kind<number> = textual({
  name: 'size',
  write: 'a size such as "25 MiB" (B, KiB, MiB, GiB, TiB)',
  parse(value) {
    const match = /^(\d{1,9}) ?(B|KiB|MiB|GiB|TiB)$/.exec(value)
    const unit = SIZE_UNITS.find(([name]) => name === match?.[2])
    return match === null || unit === undefined ? undefined : counted(match[1] as string, unit[1])
  },
  format(value) {
    const [name, bytes] = SIZE_UNITS.find(([, unit]) => value >= unit && value % unit === 0) ?? ['B', 1]
    return `${value / bytes} ${name}`
  },
})

const DURATION_UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
  ['ms', 1],
]

/** A time span in milliseconds. */
export const duration: Kind<number> = textual({
  name: 'duration',
  write: 'a duration such as "15 min" (ms, s, min, h, d)',
  parse(value) {
    const match = /^(\d{1,9}) ?(ms|s|min|h|d)$/.exec(value)
    const unit = DURATION_UNITS.find(([name]) => name === match?.[2])
    return match === null || unit === undefined ? undefined : counted(match[1] as string, unit[1])
  },
  format(value) {
    const [name, ms] = DURATION_UNITS.find(([, unit]) => value >= unit && value % unit === 0) ?? ['ms', 1]
    return `${value / ms} ${name}`
  },
})

function portOutOfRange(value: string, min: number): string | undefined {
  const port = /:(\d+)$/.exec(value)?.[1]
  return port === undefined || value.startsWith('unix:') || (Number(port) >= min && Number(port) <= 65535)
    ? undefined
    : `port ${port} of ${quote(value)} is out of range (${min} to 65535)`
}

/** `host:port` or `[host]:port`; the range of the port is the kind's to judge. */
function splitHostPort(value: string): { host: string; isBracketed: boolean; port: number } | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(value)
  if (match === null) return undefined
  return { host: match[1] ?? match[2] ?? '', isBracketed: match[1] !== undefined, port: Number(match[3]) }
}

function joinHostPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** An address, no name, with a port. */
export interface AddressPort {
  readonly address: string
  readonly port: number
}

function parseAddressPort(value: string, minPort: number): AddressPort | undefined {
  const split = splitHostPort(value)
  const address = split === undefined ? undefined : canonicalIp(split.host)
  if (split === undefined || address === undefined) return undefined
  return split.port < minPort || split.port > 65535 ? undefined : { address, port: split.port }
}

export const addressPort: Kind<AddressPort> = textual<AddressPort>({
  name: 'address and port',
  write: 'an address with a port such as "192.0.2.53:53" or "[2001:db8::53]:53"',
  parse: (value) => parseAddressPort(value, 1),
  format: ({ address, port }) => joinHostPort(address, port),
  wrong: 'an address with a port',
  closer: (value) => portOutOfRange(value, 1),
})

/** Where to listen: an address with a port, or a unix socket. */
export type ListenAt =
  | ({ readonly kind: 'tcp' } & AddressPort)
  | { readonly kind: 'unix'; readonly path: string }

export const listenAt: Kind<ListenAt> = textual<ListenAt>({
  name: 'address and port',
  write: 'an address with a port such as "192.0.2.1:25" or "[::]:25", or "unix:/run/hikyaku/lmtp.sock"',
  parse(value) {
    if (value.startsWith('unix:'))
      return value.length > 5 ? { kind: 'unix', path: value.slice(5) } : undefined
    const at = parseAddressPort(value, 0)
    return at === undefined ? undefined : { kind: 'tcp', ...at }
  },
  format: (value) => (value.kind === 'unix' ? `unix:${value.path}` : joinHostPort(value.address, value.port)),
  wrong: 'an address with a port',
  closer: (value) => portOutOfRange(value, 0),
})

/** A host by name or address, with a port. */
export interface HostPort {
  readonly host: string
  readonly port: number
}

export const hostPort: Kind<HostPort> = textual<HostPort>({
  name: 'host and port',
  write: 'a host with a port such as "smtp.example.org:587" or "192.0.2.1:25"',
  parse(value) {
    const split = splitHostPort(value)
    if (split === undefined) return undefined
    const host = canonicalIp(split.host) ?? (split.isBracketed ? undefined : canonicalDomain(split.host))
    return host === undefined || split.port < 1 || split.port > 65535 ? undefined : { host, port: split.port }
  },
  format: ({ host, port }) => joinHostPort(host, port),
  wrong: 'a host with a port',
  closer: (value) => portOutOfRange(value, 1),
})

export interface NamedNetwork extends Network {
  /** As it was written. */
  readonly text: string
}

export const network: Kind<NamedNetwork> = textual<NamedNetwork>({
  name: 'network',
  write: 'an address or network such as "192.168.1.20" or "2001:db8::/48"',
  parse(value) {
    const parsed = parseNetwork(value)
    return parsed === undefined ? undefined : { ...parsed, text: value }
  },
  format: (value) => value.text,
  wrong: 'an address or network',
})

/** Networks as a default, written as in the file. */
export function networks(texts: readonly string[]): readonly NamedNetwork[] {
  return texts.map((text) => {
    const reading = network.read(text)
    assert(reading.ok, `a default is no network: ${text}`)
    return reading.value
  })
}

export function list<T>(of: Kind<T>): Kind<readonly T[]> {
  return {
    name: `list of: ${of.name}`,
    write: `a list in brackets, each ${of.write}`,
    read(raw) {
      if (!Array.isArray(raw)) return wrong(`${describe(raw)} is not a list`)
      const values: T[] = []
      for (const element of raw as readonly unknown[]) {
        const reading = of.read(element)
        if (!reading.ok) return reading
        values.push(reading.value)
      }
      return ok(values)
    },
    print: (values) => `[${values.map((value) => of.print(value)).join(', ')}]`,
  }
}

/** A setting that may be left empty: `""` means that it is not set. */
export function optional<T>(of: Kind<T>): Kind<T | undefined> {
  return {
    name: `${of.name}, or empty`,
    write: `${of.write}, or ""`,
    read: (raw) => (raw === '' ? ok(undefined) : of.read(raw)),
    print: (value) => (value === undefined ? '""' : of.print(value)),
  }
}
