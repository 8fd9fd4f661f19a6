/** Addresses of hosts as text in one canonical form. Pure: no socket library is asked. */

const V4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/

/** 4 or 16 octets, or undefined. A zone id (`%eth0`) is dropped. An IPv4-mapped address gives its 4 octets. */
export function parseIp(text: string): Uint8Array | undefined {
  const v4 = parseV4(text)
  if (v4 !== undefined) return v4
  const v6 = parseV6(text.replace(/%.*$/s, ''))
  if (v6 === undefined) return undefined
  const mapped = v6.subarray(0, 10).every((octet) => octet === 0) && v6[10] === 0xff && v6[11] === 0xff
  return mapped ? v6.slice(12) : v6
}

/** Canonical text (rfc5952 for IPv6); an IPv4-mapped address becomes the IPv4 one. */
export function canonicalIp(text: string): string | undefined {
  const octets = parseIp(text)
  return octets === undefined ? undefined : formatIp(octets)
}

export function formatIp(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join('.')
  const groups = Array.from(
    { length: 8 },
    (_, i) => ((octets[2 * i] as number) << 8) | (octets[2 * i + 1] as number),
  )
  const { start, length } = longestZeroRun(groups)
  const hex = groups.map((group) => group.toString(16))
  if (length < 2) return hex.join(':')
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`
}

export const isIpv6 = (canonical: string): boolean => canonical.includes(':')

export function isLoopback(canonical: string): boolean {
  return canonical === '::1' || canonical.startsWith('127.')
}

/** What budgets count by: the IPv4 address, or the /64 of an IPv6 one (a home or a rented host has all of it). */
export function budgetKey(canonical: string): string {
  const octets = parseIp(canonical)
  if (octets === undefined || octets.length === 4) return canonical
  const network = octets.slice()
  network.fill(0, 8)
  return `${formatIp(network)}/64`
}

export interface Network {
  readonly octets: Uint8Array
  readonly prefixBits: number
}

/** `192.0.2.0/24`, `2001:db8::/32`, or one address. */
export function parseNetwork(text: string): Network | undefined {
  const [address = '', bits, ...more] = text.split('/')
  const octets = parseIp(address)
  if (octets === undefined || more.length > 0) return undefined
  if (bits === undefined) return { octets, prefixBits: octets.length * 8 }
  const prefixBits = /^\d{1,3}$/.test(bits) ? Number(bits) : -1
  return prefixBits >= 0 && prefixBits <= octets.length * 8 ? { octets, prefixBits } : undefined
}

export function networkContains(network: Network, canonical: string): boolean {
  const octets = parseIp(canonical)
  if (octets === undefined || octets.length !== network.octets.length) return false
  const whole = network.prefixBits >> 3
  for (let i = 0; i < whole; i++) if (octets[i] !== network.octets[i]) return false
  const rest = network.prefixBits & 7
  if (rest === 0) return true
  const mask = (0xff << (8 - rest)) & 0xff
  return ((octets[whole] as number) & mask) === ((network.octets[whole] as number) & mask)
}

function parseV4(text: string): Uint8Array | undefined {
  const match = V4.exec(text)
  if (match === null) return undefined
  const octets = match.slice(1).map(Number)
  return octets.every((octet) => octet <= 255) ? Uint8Array.from(octets) : undefined
}

function parseV6(text: string): Uint8Array | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = parseGroups(halves[0] as string)
  const tail = halves.length === 2 ? parseGroups(halves[1] as string) : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const groups = [...head, ...new Array<number>(Math.max(0, missing)).fill(0), ...tail]
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]))
}

function parseGroups(text: string): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const words = text.split(':')
  for (const [i, word] of words.entries()) {
    const v4 = i === words.length - 1 ? parseV4(word) : undefined
    if (v4 !== undefined)
      groups.push(((v4[0] as number) << 8) | (v4[1] as number), ((v4[2] as number) << 8) | (v4[3] as number))
    else if (/^[0-9a-fA-F]{1,4}$/.test(word)) groups.push(Number.parseInt(word, 16))
    else return undefined
  }
  return groups
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  for (let i = 0; i < groups.length; i++) {
    let end = i
    while (groups[end] === 0) end++
    if (end - i > best.length) best = { start: i, length: end - i }
    i = Math.max(i, end - 1)
  }
  return best
}
