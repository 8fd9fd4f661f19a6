import { fromLatin1 } from '../../bytes/ascii.ts'
import { RECENT } from '../../mail/flags.ts'
import { type FetchSection, OLD_SECTIONS } from './commands/fetch.ts'
import { parseInternalDate } from './date.ts'
import type { WireReader } from './reader.ts'
import type { FetchData } from './responses/fetch.ts'
import { renderFlags } from './responses/flag-list.ts'
import { readSection } from './section.ts'

const MAX_ITEMS = 10_000

/** The data of a FETCH response (rfc3501 §7.4.2); items that we do not know are passed over. */
export function readFetchData(reader: WireReader): FetchData[] {
  const items: FetchData[] = []
  reader.list({ least: 0, most: MAX_ITEMS, what: 'items' }, () => {
    const item = readItem(reader, readName(reader))
    if (item !== undefined) items.push(item)
  })
  return items
}

/** `[` is an atom character, so the name ends there by hand. */
function readName(reader: WireReader): string {
  let name = ''
  while (/[A-Za-z0-9.-]/.test(reader.peek())) {
    name += reader.peek()
    reader.char(reader.peek())
  }
  return name.toUpperCase()
}

function readItem(reader: WireReader, name: string): FetchData | undefined {
  if (name === 'BODY' && reader.peek() === '[') return readBody(reader)
  const old = OLD_SECTIONS.get(name)
  reader.space()
  if (old !== undefined) return { kind: 'section', item: old, octets: readOctets(reader) }
  switch (name) {
    case 'UID':
      return { kind: 'uid', uid: reader.nonZero('a UID') }
    case 'FLAGS':
      return { kind: 'flags', flags: readFlags(reader) }
    case 'INTERNALDATE': {
      const date = parseInternalDate(reader.string('a date'))
      if (date === undefined) reader.fail('not a date-time')
      return date === undefined ? undefined : { kind: 'internal-date', date }
    }
    case 'RFC822.SIZE':
      return { kind: 'size', sizeBytes: reader.number('a size') }
    case 'ENVELOPE':
      return { kind: 'envelope', wire: fromLatin1(reader.rawValue()) }
    case 'BODY':
    case 'BODYSTRUCTURE':
      return { kind: 'body-structure', extended: name !== 'BODY', wire: fromLatin1(reader.rawValue()) }
    default:
      reader.rawValue()
      return undefined
  }
}

function readBody(reader: WireReader): FetchData {
  const section = readSection(reader)
  let offset: number | undefined
  if (reader.tryChar('<')) {
    offset = reader.number('an offset')
    reader.char('>')
  }
  reader.space()
  const octets = readOctets(reader)
  const item: FetchSection = { kind: 'section', name: 'BODY', section, peek: true }
  const partial = offset === undefined ? undefined : { offset, length: octets?.length ?? 0 }
  return { kind: 'section', item: partial === undefined ? item : { ...item, partial }, octets }
}

function readOctets(reader: WireReader): Uint8Array | null {
  const octets = reader.nstring('octets', { nul: true })
  return octets === null ? null : fromLatin1(octets)
}

function readFlags(reader: WireReader) {
  const flags: string[] = []
  reader.list({ least: 0, most: MAX_ITEMS, what: 'flags' }, () => flags.push(reader.flag()))
  if (!reader.ok) return renderFlags([], false)
  return renderFlags(
    flags.filter((flag) => flag !== RECENT),
    flags.includes(RECENT),
  )
}
