import { fromLatin1, latin1, utf8 } from '../bytes/ascii.ts'
import { canonicalDomain } from '../mail/domain.ts'
import { unquote, withoutComments } from '../mime/comments.ts'

/** A field of a received message that pretends to be ours; offsets count from the start of the header block. */
export interface ForeignClaim {
  readonly field: 'Authentication-Results' | 'Received-SPF'
  readonly start: number
  readonly end: number
}

/**
 * Also with a fold before the colon, which no reader of ours takes for a field and some others do. Not bounded in
 * number: a limit would let the one field through that stands behind it.
 */
const FIELDS =
  /(?<=^|\n)(authentication-results|received-spf)(?:[ \t]|\r?\n[ \t])*:([^\n]*(?:\n[ \t][^\n]*)*)(?:\n|$)/gi

/** `[CFWS] authserv-id [CFWS version] [CFWS] ";"` once comments are gone (rfc8601 §2.2). */
const WELL_FORMED = /^[ \t]*(?:"[^"\\]*"|[A-Za-z0-9!#$%&'*+.^_`{|}~-]+)(?:[ \t]+[0-9]+)?[ \t]*;/

/**
 * The Authentication-Results and Received-SPF fields that carry our authserv-id, or could be read so by anyone: they
 * are taken out of the message (rfc8601 §5). In order, never overlapping. Of a field that breaks the grammar it is
 * enough that our name stands in it as a word, for nobody knows what the next reader makes of it.
 */
export function foreignClaims(header: Uint8Array, authservId: string): ForeignClaim[] {
  const text = latin1(header)
  const end = /(?:^|\n)\r?\n/.exec(text)?.index ?? text.length
  const own = ownName(authservId)
  const claims: ForeignClaim[] = []
  for (const found of text.slice(0, end + 1).matchAll(FIELDS)) {
    const [whole, name = '', raw = ''] = found
    const isResults = name.length === 'Authentication-Results'.length
    if (!(isResults ? claimsName(raw, own) : own.word.test(spoken(raw)))) continue
    const field = isResults ? 'Authentication-Results' : 'Received-SPF'
    claims.push({ field, start: found.index, end: found.index + whole.length })
  }
  return claims
}

interface OwnName {
  readonly canonical: string
  /** It as a word of its own: not the end of a longer name, nor the beginning of one. */
  readonly word: RegExp
}

function ownName(authservId: string): OwnName {
  const canonical = canonicalName(authservId)
  const escaped = canonical.replace(
    /[^a-z0-9]/gi,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  const word = new RegExp(`(?<![a-z0-9._-])${escaped}(?:\\.(?![a-z0-9_-])|(?![a-z0-9._-]))`, 'i')
  return { canonical, word }
}

function claimsName(raw: string, own: OwnName): boolean {
  const value = raw.replace(/\r?\n(?=[ \t])|\r?$/g, '')
  const bare = withoutComments(value)
  const first = readings(bare).map((reading) => canonicalName(reading.trim().split(/[\s;/,]/, 1)[0] ?? ''))
  if (first.includes(own.canonical)) return true
  return !isWellFormed(value, bare) && (own.word.test(spoken(value)) || own.word.test(mapped(value)))
}

/** As characters, with what quotes and pairs stand for, with controls left out. */
function readings(text: string): string[] {
  const open = unquote(text.replace(/"/g, ''))
  return [text, open, open.replace(/[\x00-\x08\x0e-\x1f\x7f]/g, '')].map((reading) =>
    utf8(fromLatin1(reading)),
  )
}

function isWellFormed(value: string, bare: string): boolean {
  return /^[\x20-\x7e\t]*$/.test(value) && !value.includes('=?') && !opensOnly(bare) && WELL_FORMED.test(bare)
}

/** A comment that is not closed swallows the rest; `withoutComments` has then left nothing of it. */
function opensOnly(bare: string): boolean {
  return !bare.includes(';')
}

/** What is left for a reader that skips quotes, pairs and controls. */
function spoken(text: string): string {
  return text.replace(/[\\"]/g, '').replace(/[\x00-\x1f\x7f-\xff]+/g, ' ')
}

/** Full-width and other letters as IDNA maps them: a name that only looks different. */
function mapped(text: string): string {
  return utf8(fromLatin1(text))
    .normalize('NFKC')
    .replace(/[\\"\x00-\x1f]/g, '')
}

function canonicalName(text: string): string {
  return canonicalDomain(text) ?? text.toLowerCase()
}
