import { latin1 } from '../bytes/ascii.ts'
import { parseAddresses } from '../mime/address.ts'
import { type HeaderField, headerFields } from '../mime/header.ts'
import { domainOrLiteral, FromList, UnreadableFrom } from './from-list.ts'
import { EVALUATION_LIMITS as LIMITS } from './limits.ts'
import { printable } from './printable.ts'

/** Who wrote a message, as its From field says it (rfc9989 §3.2.2). */
export type Author =
  | { readonly kind: 'one'; readonly domain: string; readonly addresses: readonly string[] }
  | { readonly kind: 'none'; readonly why: string }
  | {
      readonly kind: 'several-fields'
      readonly count: number
      readonly domains: readonly string[]
      readonly why: string
    }
  | { readonly kind: 'several-domains'; readonly domains: readonly string[]; readonly why: string }
  /** Readers may read it differently from us. */
  | { readonly kind: 'unreadable'; readonly why: string }

/**
 * Reads the author out of a header block. A From line that only some readers see (behind a NUL, a bare CR or odd white
 * space) makes it unreadable, however plain the other one is.
 */
export function readHeaderAuthor(header: Uint8Array): Author {
  const text = latin1(header)
  const fields = headerFields(header)
  if (header.length > LIMITS.headerBytes || fields.length >= LIMITS.headerFields) {
    return unreadable('the header is too large to be sure that it holds one From field')
  }
  const author = readAuthor(fields)
  if (author.kind === 'several-fields' || !hasHiddenFrom(text)) return author
  return unreadable('a line of the header is a From field to some readers and not to others')
}

/** Reads the From fields among some fields: exactly one may be, and each reader must find the same domain in it. */
export function readAuthor(fields: readonly HeaderField[]): Author {
  const raws = fields.filter((field) => field.key === 'from').map((field) => field.raw)
  const [raw] = raws
  if (raw === undefined) return { kind: 'none', why: 'there is no From field' }
  if (raws.length > 1) {
    const domains = [...new Set(raws.flatMap(domainsOf))]
    return {
      kind: 'several-fields',
      count: raws.length,
      domains,
      why: `there are ${raws.length} From fields`,
    }
  }
  return readFrom(raw)
}

function readFrom(raw: string): Author {
  let found: readonly { local: string; domain: string }[]
  try {
    if (raw.length > LIMITS.fromBytes) throw new UnreadableFrom(`it has more than ${LIMITS.fromBytes} octets`)
    found = new FromList(raw).read()
    checkSecondReading(raw, found)
  } catch (error) {
    if (!(error instanceof UnreadableFrom)) throw error
    return unreadable(`the From field cannot be read without doubt: ${error.message}`)
  }
  if (found.length === 0) return { kind: 'none', why: 'the From field names nobody' }
  const domains = [...new Set(found.map(({ domain }) => domain))]
  const [domain] = domains
  if (domain === undefined || domains.length > 1) {
    return {
      kind: 'several-domains',
      domains,
      why: `the From field has addresses of ${domains.length} domains`,
    }
  }
  return { kind: 'one', domain, addresses: found.map(({ local }) => `${local}@${domain}`) }
}

/** What clients are shown (`src/mime/`) must be what was read here. */
function checkSecondReading(raw: string, found: readonly { local: string; domain: string }[]): void {
  const shown = parseAddresses(raw).mailboxes
  const isSame =
    shown.length === found.length &&
    shown.every((mailbox, i) => domainOrLiteral(mailbox.domain) === found[i]?.domain)
  if (!isSame) throw new UnreadableFrom('it can be read in two ways')
}

function domainsOf(raw: string): string[] {
  return parseAddresses(raw.slice(0, LIMITS.fromBytes)).mailboxes.flatMap(
    ({ domain }) => domainOrLiteral(domain) ?? [],
  )
}

/*
 * `from` behind whatever a reader may take for the start of a line, with whatever one may skip around it. The classes
 * exclude the starters and each other's ends, so that no octet is looked at twice.
 */
const FROM_LIKE = /(^|[\n\r\x00\x0b\x0c])([^\x21-\x7e\n\r\x00\x0b\x0c]*)from([^\x21-\x39\x3b-\x7e]*):/gi

function hasHiddenFrom(text: string): boolean {
  for (const match of text.matchAll(FROM_LIKE)) {
    const [, starter = '', before = '', behind = ''] = match
    const isFieldStart = starter === '\n' || starter === ''
    const isPlain = isFieldStart && /^[ \t]*$/.test(behind)
    if (isPlain && before === '') continue
    // A folded `h=` often begins a line with `from:`; before the first field there is nothing to fold.
    if (isPlain && starter === '\n' && /^[ \t]+$/.test(before)) continue
    return true
  }
  return false
}

function unreadable(why: string): Author {
  return { kind: 'unreadable', why: printable(why, LIMITS.whyChars) }
}
