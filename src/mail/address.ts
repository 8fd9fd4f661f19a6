import { canonicalDomain } from './domain.ts'

/**
 * A mail address as a value. `local` is the unquoted local part exactly as it was given (its case is kept,
 * rfc5321 §2.4); `domain` is canonical (see `canonicalDomain`) or an address literal with its brackets.
 */
export interface Address {
  readonly local: string
  readonly domain: string
}

/** rfc5321 §4.5.3.1.1. */
const MAX_LOCAL_OCTETS = 64
/** rfc5321 §4.5.3.1.3 allows 256 with the angle brackets. */
const MAX_ADDRESS_OCTETS = 254

const ATEXT = "A-Za-z0-9!#$%&'*+/=?^_`{|}~\\u{80}-\\u{10FFFF}-"
const DOT_STRING = new RegExp(`^[${ATEXT}]+(?:\\.[${ATEXT}]+)*$`, 'u')
// docomo and au issued addresses such as `a..b@` and `x.@` until 2009; phones still use them unquoted.
const LENIENT_DOT_STRING = new RegExp(`^[.${ATEXT}]+$`, 'u')
const IPV4_LITERAL = /^\[\d{1,3}(?:\.\d{1,3}){3}\]$/
const IPV6_LITERAL = /^\[IPv6:[0-9A-Fa-f:.]{2,45}\]$/i

/** Makes an address of its two halves; undefined where a half is not valid or too long. */
export function makeAddress(local: string, domain: string): Address | undefined {
  const canonical = canonicalDomainOrLiteral(domain)
  if (canonical === undefined || local === '') return undefined
  const localOctets = Buffer.byteLength(local)
  if (localOctets > MAX_LOCAL_OCTETS || localOctets + 1 + canonical.length > MAX_ADDRESS_OCTETS)
    return undefined
  // No control character can be part of a local part, quoted or not: it would break log lines and headers.
  if (/[\u0000-\u001f\u007f]/.test(local)) return undefined
  return { local, domain: canonical }
}

/**
 * Reads `local@domain` with a dot-string or quoted local part (rfc5321 §4.1.2; UTF-8 as rfc6531 §3.3), no
 * angle brackets, no source route, no comments. Dots at the end or in a row are taken as a leniency.
 */
export function parseAddress(text: string): Address | undefined {
  const at = text.lastIndexOf('@')
  if (at <= 0) return undefined
  const left = text.slice(0, at)
  const local = left.startsWith('"') ? unquoteLocal(left) : LENIENT_DOT_STRING.test(left) ? left : undefined
  return local === undefined ? undefined : makeAddress(local, text.slice(at + 1))
}

/** The address as it goes on the wire: the local part quoted where it must be. */
export function formatAddress(address: Address): string {
  const { local, domain } = address
  const plain = DOT_STRING.test(local) || LENIENT_DOT_STRING.test(local)
  return `${plain ? local : `"${local.replace(/["\\]/g, '\\$&')}"`}@${domain}`
}

/** True where the local part is `a..b` or `x.`: valid only quoted, sent unquoted by phones in Japan. */
export function isLenientLocal(local: string): boolean {
  return !DOT_STRING.test(local) && LENIENT_DOT_STRING.test(local)
}

/** Whether the address needs SMTPUTF8 (rfc6531 §3.3); a domain never does, its A-label form is used. */
export function needsUtf8(address: Address): boolean {
  return /[^\u0000-\u007f]/.test(address.local)
}

/** For lookups in our own domains, where case does not matter: lower case, NFC. */
export function addressKey(address: Address): string {
  return `${address.local.normalize('NFC').toLowerCase()}@${address.domain}`
}

function canonicalDomainOrLiteral(domain: string): string | undefined {
  if (IPV4_LITERAL.test(domain) || IPV6_LITERAL.test(domain)) return domain.toLowerCase()
  return canonicalDomain(domain)
}

function unquoteLocal(text: string): string | undefined {
  if (text.length < 2 || !text.endsWith('"')) return undefined
  let out = ''
  for (let i = 1; i < text.length - 1; i++) {
    const char = text[i] as string
    if (char === '"') return undefined
    if (char !== '\\') out += char
    else if (++i < text.length - 1) out += text[i]
    else return undefined
  }
  return out
}
