import type { WireReader } from '../reader.ts'

/** Turns the octets of a search string into text. */
export type DecodeText = (reader: WireReader, octets: string) => string

/** What SEARCH CHARSET takes; phones in Japan sent ISO-2022-JP for twenty years. The first two are named in BADCHARSET. */
const CHARSETS: ReadonlyMap<string, string> = new Map([
  ['US-ASCII', 'utf-8'],
  ['UTF-8', 'utf-8'],
  ['ISO-2022-JP', 'iso-2022-jp'],
  ['SHIFT_JIS', 'shift_jis'],
  ['EUC-JP', 'euc-jp'],
  ['ISO-8859-1', 'iso-8859-1'],
  ['ISO-8859-15', 'iso-8859-15'],
  ['WINDOWS-1252', 'windows-1252'],
])

/** rfc3501 §6.4.4: CHARSET with its name and a space, or nothing, which means US-ASCII. */
export function readCharset(reader: WireReader): DecodeText {
  if (!reader.tryWord('CHARSET')) return decodeAs('utf-8')
  reader.space()
  const name = reader.astring('a charset').toUpperCase()
  const label = CHARSETS.get(name)
  reader.space()
  if (reader.ok && label === undefined)
    reader.fail('this charset cannot be searched in', {
      status: 'NO',
      code: { kind: 'badcharset', charsets: [...CHARSETS.keys()] },
    })
  return decodeAs(label ?? 'utf-8')
}

/**
 * Without CHARSET strings should be ASCII. A leniency: clients send UTF-8 all the same, and no other reading
 * of 8-bit octets would be right more often.
 */
function decodeAs(label: string): DecodeText {
  return (reader, octets) => {
    if (/^[\x01-\x1a\x1c-\x7e]*$/.test(octets)) return octets
    try {
      return new TextDecoder(label, { fatal: true, ignoreBOM: true }).decode(Buffer.from(octets, 'latin1'))
    } catch {
      return reader.fail('the search text is not in its charset')
    }
  }
}
