import { ANSWERED, DELETED, DRAFT, FLAGGED, isKeyword, SEEN } from '../../../mail/flags.ts'
import {
  MAX_SEARCH_DEPTH,
  MAX_SEARCH_KEYS,
  MAX_SEARCH_TEXTS,
  type SearchDay,
  type SearchKey,
} from '../../../mail/search.ts'
import { parseDay } from '../date.ts'
import type { WireReader } from '../reader.ts'
import { setArgument } from './arguments.ts'
import type { DecodeText } from './search-charset.ts'

const ALL: SearchKey = { kind: 'all' }
const flag = (bit: number, set: boolean): SearchKey => ({ kind: 'flag', bit, set })

/** Keys without arguments (rfc3501 §6.4.4). */
const PLAIN: ReadonlyMap<string, SearchKey> = new Map<string, SearchKey>([
  ['ALL', ALL],
  ['ANSWERED', flag(ANSWERED, true)],
  ['DELETED', flag(DELETED, true)],
  ['DRAFT', flag(DRAFT, true)],
  ['FLAGGED', flag(FLAGGED, true)],
  ['SEEN', flag(SEEN, true)],
  ['UNANSWERED', flag(ANSWERED, false)],
  ['UNDELETED', flag(DELETED, false)],
  ['UNDRAFT', flag(DRAFT, false)],
  ['UNFLAGGED', flag(FLAGGED, false)],
  ['UNSEEN', flag(SEEN, false)],
  ['RECENT', { kind: 'recent', set: true }],
  ['OLD', { kind: 'recent', set: false }],
  ['NEW', { kind: 'and', keys: [{ kind: 'recent', set: true }, flag(SEEN, false)] }],
])

interface Context {
  readonly reader: WireReader
  readonly decode: DecodeText
  keys: number
  texts: number
}

type ReadArguments = (context: Context, depth: number) => SearchKey

/** Keys with arguments, by name. */
const WITH_ARGUMENTS: ReadonlyMap<string, ReadArguments> = new Map<string, ReadArguments>([
  ...['BCC', 'CC', 'FROM', 'SUBJECT', 'TO'].map((name): [string, ReadArguments] => [
    name,
    (context) => ({ kind: 'header', name: name.toLowerCase(), text: text(context) }),
  ]),
  ['HEADER', (context) => ({ kind: 'header', name: headerName(context.reader), text: text(context) })],
  ['BODY', (context) => ({ kind: 'body', text: contentText(context) })],
  ['TEXT', (context) => ({ kind: 'text', text: contentText(context) })],
  ['KEYWORD', ({ reader }) => ({ kind: 'keyword', keyword: keyword(reader), set: true })],
  ['UNKEYWORD', ({ reader }) => ({ kind: 'keyword', keyword: keyword(reader), set: false })],
  ['BEFORE', ({ reader }) => ({ kind: 'date', of: 'arrival', relation: 'before', day: day(reader) })],
  ['ON', ({ reader }) => ({ kind: 'date', of: 'arrival', relation: 'on', day: day(reader) })],
  ['SINCE', ({ reader }) => ({ kind: 'date', of: 'arrival', relation: 'since', day: day(reader) })],
  ['SENTBEFORE', ({ reader }) => ({ kind: 'date', of: 'sent', relation: 'before', day: day(reader) })],
  ['SENTON', ({ reader }) => ({ kind: 'date', of: 'sent', relation: 'on', day: day(reader) })],
  ['SENTSINCE', ({ reader }) => ({ kind: 'date', of: 'sent', relation: 'since', day: day(reader) })],
  ['LARGER', ({ reader }) => ({ kind: 'size', relation: 'larger', sizeBytes: size(reader) })],
  ['SMALLER', ({ reader }) => ({ kind: 'size', relation: 'smaller', sizeBytes: size(reader) })],
  ['UID', ({ reader }) => ({ kind: 'uid', set: spaceThen(reader, setArgument) })],
  ['NOT', readNot],
  ['OR', readOr],
])

/** Reads the keys up to the end of the command; several mean all of them. */
export function readSearchKeys(reader: WireReader, decode: DecodeText): SearchKey {
  return readKeys({ reader, decode, keys: 0, texts: 0 }, 0)
}

function readKeys(context: Context, depth: number): SearchKey {
  const keys: SearchKey[] = []
  do keys.push(readKey(context, depth))
  while (context.reader.tryChar(' '))
  return keys.length === 1 ? (keys[0] ?? ALL) : { kind: 'and', keys }
}

function readKey(context: Context, depth: number): SearchKey {
  const { reader } = context
  if (depth > MAX_SEARCH_DEPTH) reader.fail('search nested too deeply', { code: 'LIMIT', status: 'NO' })
  if (++context.keys > MAX_SEARCH_KEYS) reader.fail('too many search keys', { code: 'LIMIT', status: 'NO' })
  if (!reader.ok) return ALL
  if (reader.tryChar('(')) {
    const key = readKeys(context, depth + 1)
    reader.char(')')
    return key
  }
  if (/[\d*]/.test(reader.peek())) return { kind: 'sequence', set: setArgument(reader) }
  const word = reader.word('a search key')
  const plain = PLAIN.get(word)
  if (plain !== undefined) return plain
  const read = WITH_ARGUMENTS.get(word)
  if (read !== undefined) return read(context, depth)
  reader.fail('unknown search key')
  return ALL
}

function readNot(context: Context, depth: number): SearchKey {
  context.reader.space()
  return { kind: 'not', key: readKey(context, depth + 1) }
}

function readOr(context: Context, depth: number): SearchKey {
  context.reader.space()
  const left = readKey(context, depth + 1)
  context.reader.space()
  return { kind: 'or', left, right: readKey(context, depth + 1) }
}

function contentText(context: Context): string {
  if (++context.texts > MAX_SEARCH_TEXTS)
    context.reader.fail('too many texts to search for', { code: 'LIMIT', status: 'NO' })
  return text(context)
}

function text({ reader, decode }: Context): string {
  reader.space()
  return decode(reader, reader.astring('a search text'))
}

function spaceThen<T>(reader: WireReader, read: (reader: WireReader) => T): T {
  reader.space()
  return read(reader)
}

function headerName(reader: WireReader): string {
  reader.space()
  const name = reader.astring('a header field name')
  if (!/^[\x21-\x39\x3b-\x7e]{1,200}$/.test(name)) reader.fail('not a header field name')
  return name.toLowerCase()
}

function keyword(reader: WireReader): string {
  reader.space()
  const word = reader.atom('a keyword')
  if (!isKeyword(word)) reader.fail('not a keyword')
  return word
}

function size(reader: WireReader): number {
  reader.space()
  return reader.number('a size')
}

function day(reader: WireReader): SearchDay {
  reader.space()
  const value = reader.peek() === '"' ? reader.string('a date') : reader.atom('a date')
  const parsed = parseDay(value)
  if (parsed === undefined) reader.fail('not a date')
  return parsed ?? { year: 1970, month: 1, day: 1 }
}
