import type { UidSet } from '../../../mail/uid-set.ts'
import { MAX_FETCH_ITEMS } from '../limits.ts'
import type { WireReader } from '../reader.ts'
import { readSection, type Section, WHOLE } from '../section.ts'
import { setArgument } from './arguments.ts'

export type FetchItem =
  | { readonly kind: 'uid' | 'flags' | 'internal-date' | 'size' | 'envelope' }
  /** BODYSTRUCTURE (`extended`) or BODY. */
  | { readonly kind: 'body-structure'; readonly extended: boolean }
  | FetchSection

export interface FetchSection {
  readonly kind: 'section'
  /** How the answer is labelled; the old names mean a `section` of their own (rfc3501 §6.4.5). */
  readonly name: 'BODY' | 'RFC822' | 'RFC822.HEADER' | 'RFC822.TEXT'
  readonly section: Section
  /** Without it the fetch sets `\Seen`. */
  readonly peek: boolean
  readonly partial?: { readonly offset: number; readonly length: number } | undefined
}

export interface FetchCommand {
  readonly kind: 'fetch'
  readonly uid: boolean
  readonly set: UidSet
  /** In the client's order, macros replaced by what they stand for; UID FETCH has `uid` among them. */
  readonly items: readonly FetchItem[]
}

const FAST: readonly FetchItem[] = [{ kind: 'flags' }, { kind: 'internal-date' }, { kind: 'size' }]
const ALL: readonly FetchItem[] = [...FAST, { kind: 'envelope' }]
const FULL: readonly FetchItem[] = [...ALL, { kind: 'body-structure', extended: false }]

const SIMPLE: ReadonlyMap<string, FetchItem> = new Map<string, FetchItem>([
  ['UID', { kind: 'uid' }],
  ['FLAGS', { kind: 'flags' }],
  ['INTERNALDATE', { kind: 'internal-date' }],
  ['RFC822.SIZE', { kind: 'size' }],
  ['ENVELOPE', { kind: 'envelope' }],
  ['BODYSTRUCTURE', { kind: 'body-structure', extended: true }],
])

/** The names from before BODY[…], and what they mean. */
export const OLD_SECTIONS: ReadonlyMap<string, FetchSection> = new Map<string, FetchSection>([
  ['RFC822', { kind: 'section', name: 'RFC822', section: WHOLE, peek: false }],
  [
    'RFC822.HEADER',
    { kind: 'section', name: 'RFC822.HEADER', section: { part: [], text: { kind: 'header' } }, peek: true },
  ],
  [
    'RFC822.TEXT',
    { kind: 'section', name: 'RFC822.TEXT', section: { part: [], text: { kind: 'text' } }, peek: false },
  ],
])
const MACROS: ReadonlyMap<string, readonly FetchItem[]> = new Map([
  ['FAST', FAST],
  ['ALL', ALL],
  ['FULL', FULL],
])

/** rfc3501 §6.4.5. */
export function parseFetch(reader: WireReader, uid: boolean): FetchCommand {
  reader.space()
  const set = setArgument(reader)
  reader.space()
  const items: FetchItem[] = []
  if (reader.peek() === '(')
    reader.list({ least: 1, most: MAX_FETCH_ITEMS, what: 'items' }, () =>
      items.push(...readItem(reader, false)),
    )
  else items.push(...readItem(reader, true))
  // rfc3501 §6.4.8: the answer to UID FETCH holds the UID, asked for or not.
  const uidMissing = uid && !items.some((item) => item.kind === 'uid')
  return { kind: 'fetch', uid, set, items: uidMissing ? [{ kind: 'uid' }, ...items] : items }
}

/** One item; a macro is several, and stands alone only. */
function readItem(reader: WireReader, alone: boolean): readonly FetchItem[] {
  const word = readName(reader)
  const simple = SIMPLE.get(word) ?? OLD_SECTIONS.get(word)
  if (simple !== undefined) return [simple]
  const macro = alone ? MACROS.get(word) : undefined
  if (macro !== undefined) return macro
  if (word !== 'BODY' && word !== 'BODY.PEEK') {
    reader.fail('unknown fetch item')
    return []
  }
  if (reader.peek() === '[') return [readBody(reader, word === 'BODY.PEEK')]
  if (word === 'BODY.PEEK') reader.fail('BODY.PEEK needs a section')
  return [{ kind: 'body-structure', extended: false }]
}

/** `[` is an atom character, so the name ends there by hand. */
function readName(reader: WireReader): string {
  let name = ''
  while (/[A-Za-z0-9.]/.test(reader.peek())) {
    name += reader.peek()
    reader.char(reader.peek())
  }
  return name.toUpperCase()
}

function readBody(reader: WireReader, peek: boolean): FetchSection {
  const section = readSection(reader)
  if (!reader.tryChar('<')) return { kind: 'section', name: 'BODY', section, peek }
  const offset = reader.number('an offset')
  reader.char('.')
  const length = reader.nonZero('a length')
  reader.char('>')
  return { kind: 'section', name: 'BODY', section, peek, partial: { offset, length } }
}
