import type { DkimKey } from './dkim-generation.ts'
import { DKIM_RECORD_OCTETS, DNS_STRING_OCTETS } from './limits.ts'

/** The TXT record of a key (rfc6376 §3.6.1). */

export const recordName = (selector: string, domain: string): string => `${selector}._domainkey.${domain}`

const TYPES = { 'rsa-sha256': 'rsa', 'ed25519-sha256': 'ed25519' } as const

export const recordValue = ({ algorithm, publicKey }: Pick<DkimKey, 'algorithm' | 'publicKey'>): string =>
  `v=DKIM1; k=${TYPES[algorithm]}; p=${publicKey}`

/** As a line of a zone file: a string of a TXT record has at most 255 octets (rfc1035 §3.3), so a long value is several. */
export function zoneLine(key: DkimKey, domain: string): string {
  const value = recordValue(key)
  const strings: string[] = []
  for (let at = 0; at < value.length; at += DNS_STRING_OCTETS)
    strings.push(`"${value.slice(at, at + DNS_STRING_OCTETS)}"`)
  return `${recordName(key.selector, domain)}. IN TXT ${strings.join(' ')}`
}

/** The tags of a record (rfc6376 §3.2); undefined where it is no tag list, or says a tag twice. */
export function parseTags(text: string): ReadonlyMap<string, string> | undefined {
  if (text.length > DKIM_RECORD_OCTETS) return undefined
  const tags = new Map<string, string>()
  for (const part of text.split(';')) {
    if (part.trim() === '') continue
    const at = part.indexOf('=')
    const name = part.slice(0, Math.max(at, 0)).trim()
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name) || tags.has(name)) return undefined
    tags.set(name, part.slice(at + 1).trim())
  }
  return tags
}

export type RecordMatch =
  | { readonly kind: 'matches'; readonly note?: string }
  /** A clause: what in it keeps our signatures from being verified. */
  | { readonly kind: 'differs'; readonly why: string }

/** Whether receivers can verify the key's signatures by a record as it was found in the DNS. */
export function compareRecord(key: DkimKey, text: string): RecordMatch {
  const differs = (why: string): RecordMatch => ({ kind: 'differs', why })
  const tags = parseTags(text)
  if (tags === undefined) return differs('it is not a list of tags')
  const version = tags.get('v')
  if (version !== undefined && version !== 'DKIM1') return differs(`its version is ${version}, not DKIM1`)
  const type = tags.get('k') ?? 'rsa'
  if (type !== TYPES[key.algorithm]) return differs(`it is for a key of type ${type}`)
  const publicKey = tags.get('p')?.replace(/\s/g, '')
  if (publicKey === undefined) return differs('it has no key (p=)')
  if (publicKey === '') return differs('its key is empty, which says that it was taken back')
  if (publicKey !== key.publicKey)
    return key.publicKey.startsWith(publicKey) ? differs('its key is cut off') : differs('it has another key')
  const hashes = tags.get('h')
  if (hashes !== undefined && !words(hashes).includes('sha256'))
    return differs('it does not allow sha256 (h=)')
  const services = tags.get('s')
  if (services !== undefined && !words(services).some((word) => word === '*' || word === 'email'))
    return differs('it is not for mail (s=)')
  return words(tags.get('t') ?? '').includes('y')
    ? {
        kind: 'matches',
        note: 'it says t=y, which tells receivers that you only try DKIM out: take that out',
      }
    : { kind: 'matches' }
}

const words = (text: string): readonly string[] => text.split(':').map((word) => word.trim())
