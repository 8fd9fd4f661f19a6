import { domainToASCII } from 'node:url'

/** Longest domain in octets (rfc1035 §2.3.4), without the final dot. */
const MAX_DOMAIN_OCTETS = 253
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/

/**
 * The one form in which a domain is kept and compared: lower case, A-labels (rfc5890 §2.3.2.1), no final dot.
 * @returns undefined where the text is no domain.
 */
export function canonicalDomain(text: string): string | undefined {
  const bare = text.endsWith('.') ? text.slice(0, -1) : text
  if (bare === '' || bare.length > MAX_DOMAIN_OCTETS) return undefined
  const ascii = isAscii(bare) ? bare.toLowerCase() : domainToASCII(bare)
  if (ascii === '' || ascii.length > MAX_DOMAIN_OCTETS) return undefined
  return ascii.split('.').every((label) => LABEL.test(label)) ? ascii : undefined
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}
