import { decodeMutf7 } from '../../bytes/mutf7.ts'
import { STATUS_ITEMS, type StatusItem } from './commands/status.ts'
import { parseCode } from './parse-code.ts'
import { readFetchData } from './parse-fetch.ts'
import { type WirePart, WireReader } from './reader.ts'
import type { ImapResponse } from './response.ts'
import type { ConditionResponse } from './responses/condition.ts'
import type { Namespace } from './responses/namespace.ts'

/** One line of a server with its literals. */
export type ServerLine =
  | { readonly kind: 'untagged'; readonly response: ImapResponse }
  | { readonly kind: 'tagged'; readonly tag: string; readonly condition: ConditionResponse }
  | { readonly kind: 'continue'; readonly text: string }
  /** An extension that we do not know: passed over. */
  | { readonly kind: 'unknown'; readonly name: string }
  | { readonly kind: 'malformed'; readonly cause: string }

/** A hostile server's lists are bounded by the line's size; this bounds those that are made item by item. */
const MAX_LIST = 10_000
const CONDITION = /^(OK|NO|BAD|BYE|PREAUTH)(?: (?:\[((?:[^\]"]|"(?:[^"\\]|\\.)*")*)\] ?)?(.*))?$/is

/** Reads what a server sent (rfc3501 §7). Pure. */
export function parseServerLine(parts: readonly WirePart[]): ServerLine {
  const first = parts[0]?.kind === 'text' ? parts[0].text : ''
  if (first === '+' || first.startsWith('+ ')) return { kind: 'continue', text: first.slice(2) }
  const space = first.indexOf(' ')
  if (space <= 0) return { kind: 'malformed', cause: 'no tag' }
  const tag = first.slice(0, space)
  const condition = readCondition(first.slice(space + 1))
  if (condition !== undefined)
    return tag === '*' ? { kind: 'untagged', response: condition } : { kind: 'tagged', tag, condition }
  if (tag !== '*') return { kind: 'malformed', cause: 'a tag without OK, NO or BAD' }
  const reader = new WireReader(parts)
  reader.char('*')
  reader.space()
  const line = /\d/.test(reader.peek()) ? readNumbered(reader) : readNamed(reader)
  if (line.kind === 'unknown') return line
  reader.end()
  return reader.ok ? line : { kind: 'malformed', cause: reader.fault?.text ?? '' }
}

/** Whether a line is one whose text may end in braces without announcing a literal. */
export function isTextLine(line: string): boolean {
  return /^(?:\+|[^ ]+ (?:OK|NO|BAD|BYE|PREAUTH)(?: |$))/i.test(line)
}

function readCondition(text: string): ConditionResponse | undefined {
  const match = CONDITION.exec(text)
  if (match === null) return undefined
  const [, status = '', code, rest = ''] = match
  const known = code === undefined ? undefined : parseCode(code)
  const base = { kind: 'condition', status: status.toUpperCase() as ConditionResponse['status'] } as const
  return known === undefined ? { ...base, text: rest } : { ...base, code: known, text: rest }
}

function readNumbered(reader: WireReader): ServerLine {
  const n = reader.number('a number')
  reader.space()
  const name = reader.word('a response')
  switch (name) {
    case 'EXISTS':
    case 'RECENT':
      return untagged({ kind: name === 'EXISTS' ? 'exists' : 'recent', count: n })
    case 'EXPUNGE':
      return untagged({ kind: 'expunge', sequence: n })
    case 'FETCH':
      reader.space()
      return untagged({ kind: 'fetch', sequence: n, items: readFetchData(reader) })
    default:
      return { kind: 'unknown', name }
  }
}

function readNamed(reader: WireReader): ServerLine {
  const name = reader.word('a response')
  switch (name) {
    case 'CAPABILITY':
      return untagged({ kind: 'capability', capabilities: words(reader) })
    case 'ENABLED':
      return untagged({ kind: 'enabled', capabilities: words(reader) })
    case 'LIST':
    case 'LSUB':
      return readList(reader, name === 'LIST' ? 'list' : 'lsub')
    case 'STATUS':
      return readStatus(reader)
    case 'SEARCH':
      return untagged({ kind: 'search', numbers: readNumbers(reader) })
    case 'FLAGS':
      reader.space()
      return untagged({ kind: 'flags', flags: flagList(reader) })
    case 'NAMESPACE':
      return untagged({
        kind: 'namespace',
        personal: readNamespaces(reader),
        others: readNamespaces(reader),
        shared: readNamespaces(reader),
      })
    case 'ID':
      return readId(reader)
    default:
      return { kind: 'unknown', name }
  }
}

function untagged(response: ImapResponse): ServerLine {
  return { kind: 'untagged', response }
}

function words(reader: WireReader): string[] {
  const found: string[] = []
  while (reader.tryChar(' ')) {
    // Some servers leave a space at the end.
    const word = reader.atomOrNothing()
    if (word !== '') found.push(word)
  }
  return found
}

function flagList(reader: WireReader): string[] {
  const flags: string[] = []
  reader.list({ least: 0, most: MAX_LIST, what: 'flags' }, () => flags.push(reader.flag()))
  return flags
}

function readNumbers(reader: WireReader): number[] {
  const text = reader.rest()
  if (!/^(?: \d{1,10})* ?$/.test(text)) reader.fail('not numbers')
  return reader.ok ? (text.match(/\d+/g) ?? []).map(Number) : []
}

function mailbox(reader: WireReader): string {
  const wire = reader.astring('a mailbox name')
  return decodeMutf7(wire) ?? wire
}

function readList(reader: WireReader, kind: 'list' | 'lsub'): ServerLine {
  reader.space()
  const attributes = flagList(reader)
  reader.space()
  const separator = reader.nstring('a separator')
  reader.space()
  const name = mailbox(reader)
  const base = separator === '/' ? { kind, attributes, name } : { kind, attributes, name, separator }
  return untagged(reader.tryChar(' ') ? { ...base, childInfo: readChildInfo(reader) } : base)
}

/** rfc5258 §6, mbox-list-extended: only CHILDINFO is looked at. */
function readChildInfo(reader: WireReader): string[] {
  const info: string[] = []
  reader.list({ least: 0, most: MAX_LIST, what: 'items' }, () => {
    const item = reader.astring('an item')
    reader.space()
    if (item.toUpperCase() === 'CHILDINFO')
      reader.list({ least: 1, most: MAX_LIST, what: 'options' }, () => info.push(reader.astring('an option')))
    else reader.rawValue()
  })
  return info
}

function readStatus(reader: WireReader): ServerLine {
  reader.space()
  const name = mailbox(reader)
  reader.space()
  const items: [StatusItem, number | null][] = []
  reader.list({ least: 0, most: MAX_LIST, what: 'items' }, () => {
    const item = reader.word('an item')
    reader.space()
    const value = reader.rawValue()
    if (STATUS_ITEMS.includes(item))
      items.push([item as StatusItem, /^\d{1,15}$/.test(value) ? Number(value) : null])
  })
  return untagged({ kind: 'status', mailbox: name, items })
}

function readNamespaces(reader: WireReader): Namespace[] {
  const found: Namespace[] = []
  reader.space()
  if (reader.tryWord('NIL')) return found
  reader.char('(')
  while (reader.ok && reader.peek() === '(' && found.length < MAX_LIST) {
    reader.char('(')
    const prefix = reader.string('a prefix')
    reader.space()
    found.push({ prefix: decodeMutf7(prefix) ?? prefix, separator: reader.nstring('a separator') })
    // rfc2342 §5: extensions of a namespace.
    while (reader.tryChar(' ')) reader.rawValue()
    reader.char(')')
  }
  reader.char(')')
  return found
}

function readId(reader: WireReader): ServerLine {
  reader.space()
  if (reader.tryWord('NIL')) return untagged({ kind: 'id', fields: null })
  const fields: [string, string | null][] = []
  reader.list({ least: 0, most: MAX_LIST, what: 'fields' }, () => {
    const name = reader.string('a name')
    reader.space()
    fields.push([name, reader.nstring('a value')])
  })
  return untagged({ kind: 'id', fields })
}
