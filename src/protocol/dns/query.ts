import { encode } from 'dns-packet'
import { canonicalDomain } from '../../mail/domain.ts'

export type QueryType = 'A' | 'AAAA' | 'CNAME' | 'MX' | 'TXT' | 'PTR'

export const TYPE_CODES: Readonly<Record<QueryType, number>> = {
  A: 1,
  CNAME: 5,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
}

export interface DnsQuestion {
  /** 16 bits of chance. */
  readonly id: number
  /** ASCII, without a final dot; with `randomCase` its letters carry chance too. */
  readonly name: string
  readonly type: QueryType
}

const RECURSION_DESIRED = 0x0100
/** Asking with AD set means: tell me whether it was validated (rfc6840 §5.7). */
const AUTHENTIC_DATA = 0x0020

/** @param udpPayloadBytes what we take over UDP (rfc6891 §6.2.3); undefined leaves EDNS out, for servers from before it. */
export function encodeQuery(question: DnsQuestion, udpPayloadBytes: number | undefined): Uint8Array {
  return encode({
    type: 'query',
    id: question.id,
    flags: RECURSION_DESIRED | AUTHENTIC_DATA,
    questions: [{ type: question.type, name: question.name, class: 'IN' }],
    additionals:
      udpPayloadBytes === undefined
        ? []
        : [
            {
              type: 'OPT',
              name: '.',
              udpPayloadSize: udpPayloadBytes,
              extendedRcode: 0,
              ednsVersion: 0,
              flags: 0,
              flag_do: false,
              options: [],
            },
          ],
  })
}

/** Flips letters by chance: a forger must guess them too, since servers copy the question as it stands. */
export function randomCase(name: string, random: Uint8Array): string {
  let out = ''
  for (let i = 0; i < name.length; i++) {
    const bit = ((random[(i >> 3) % random.length] as number) >> (i & 7)) & 1
    out += bit === 1 ? (name[i] as string).toUpperCase() : name[i]
  }
  return out
}

/**
 * The form in which a name is asked: canonical where it is a domain. What an SPF macro makes of a local part
 * (rfc7208 §7.3) is none and may be asked too: the DNS takes any octets in a label (rfc2181 §11).
 * @returns undefined where it can be in no zone, or holds what cannot be written unambiguously.
 */
export function askableName(text: string): string | undefined {
  const domain = canonicalDomain(text)
  if (domain !== undefined) return domain
  const bare = text.endsWith('.') ? text.slice(0, -1) : text
  const isAskable = bare.length <= 253 && bare.split('.').every((label) => LABEL.test(label))
  return isAskable ? bare.toLowerCase() : undefined
}

/** Printable and without the backslash, which escapes in names as we read them. */
const LABEL = /^[!-[\]-~]{1,63}$/

/** The name under which a PTR record for an address stands (rfc1035 §3.5, rfc3596 §2.5). */
export function reverseName(octets: Uint8Array): string {
  if (octets.length === 4) return `${[...octets].reverse().join('.')}.in-addr.arpa`
  const digits = [...octets].flatMap((octet) => [octet >> 4, octet & 15])
  return `${digits
    .reverse()
    .map((digit) => digit.toString(16))
    .join('.')}.ip6.arpa`
}
