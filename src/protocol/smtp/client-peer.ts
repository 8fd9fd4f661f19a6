import type { Reply } from '../../mail/reply.ts'
import type { PeerExtensions } from './client-types.ts'

/** Nothing offered: what HELO leaves, and what holds before EHLO. */
export function plainPeer(name: string): PeerExtensions {
  return {
    name,
    esmtp: false,
    eightBitMime: false,
    smtputf8: false,
    pipelining: false,
    chunking: false,
    dsn: false,
    starttls: false,
    enhancedStatusCodes: false,
    auth: [],
  }
}

/** Reads the 250 reply to EHLO or LHLO (rfc5321 §4.1.1.1); what is not known is passed over. */
export function readPeer(ehlo: Reply): PeerExtensions {
  const [first = '', ...lines] = ehlo.lines
  const keywords = new Map<string, string>()
  for (const line of lines) {
    // `AUTH=LOGIN` is how servers wrote it before there was a standard; some still say both.
    const match = /^([A-Za-z0-9][A-Za-z0-9-]*)[ =]?(.*)$/.exec(line.trim())
    if (match !== null) append(keywords, (match[1] as string).toUpperCase(), (match[2] as string).trim())
  }
  const limits = keywords.get('LIMITS') ?? ''
  return {
    name: first.split(' ', 1)[0] as string,
    esmtp: true,
    sizeBytes: readSize(keywords.get('SIZE')),
    eightBitMime: keywords.has('8BITMIME'),
    smtputf8: keywords.has('SMTPUTF8'),
    pipelining: keywords.has('PIPELINING'),
    chunking: keywords.has('CHUNKING'),
    dsn: keywords.has('DSN'),
    starttls: keywords.has('STARTTLS'),
    enhancedStatusCodes: keywords.has('ENHANCEDSTATUSCODES'),
    auth: mechanisms(keywords.get('AUTH') ?? ''),
    rcptMax: readLimit(limits, 'RCPTMAX'),
    mailMax: readLimit(limits, 'MAILMAX'),
  }
}

function append(keywords: Map<string, string>, keyword: string, value: string): void {
  const before = keywords.get(keyword)
  keywords.set(keyword, before === undefined ? value : `${before} ${value}`)
}

function mechanisms(text: string): string[] {
  const names = text.toUpperCase().split(/[ =]+/)
  return [...new Set(names.filter((name) => /^[A-Z0-9_-]{1,20}$/.test(name)))]
}

/** rfc1870 §3: without a number, or with 0, there is no fixed limit. */
function readSize(value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  return /^\d{1,20}$/.test(value) ? Math.min(Number(value), Number.MAX_SAFE_INTEGER) : 0
}

/** rfc9422 §3: a number without leading zeros; anything else is passed over. */
function readLimit(text: string, name: string): number | undefined {
  const match = new RegExp(`(?:^| )${name}=([1-9]\\d{0,5})(?: |$)`, 'i').exec(text)
  return match === null ? undefined : Number(match[1])
}
