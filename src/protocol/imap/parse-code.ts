import { EMPTY_SET, parseUidSet, type UidSet } from '../../mail/uid-set.ts'
import { WireReader } from './reader.ts'
import type { PlainCode, ResponseCode } from './responses/code.ts'

const NUMBERS: ReadonlyMap<string, 'uidnext' | 'uidvalidity' | 'unseen'> = new Map([
  ['UIDNEXT', 'uidnext'],
  ['UIDVALIDITY', 'uidvalidity'],
  ['UNSEEN', 'unseen'],
])
const MAX_WORDS = 500

/** What stood in the brackets of a server's response; undefined where it says nothing that we know. */
export function parseCode(text: string): ResponseCode | undefined {
  const reader = new WireReader([{ kind: 'text', text }])
  const name = reader.word('a code')
  const code = readCode(reader, name)
  reader.end()
  return reader.ok ? code : undefined
}

function readCode(reader: WireReader, name: string): ResponseCode | undefined {
  const kind = NUMBERS.get(name)
  if (kind !== undefined) return { kind, value: numberAfterSpace(reader) }
  switch (name) {
    case 'CAPABILITY':
      return { kind: 'capability', capabilities: words(reader) }
    case 'BADCHARSET':
      return { kind: 'badcharset', charsets: reader.tryChar(' ') ? list(reader, () => charset(reader)) : [] }
    case 'PERMANENTFLAGS':
      return permanentFlags(reader)
    case 'APPENDUID':
      return { kind: 'appenduid', uidValidity: numberAfterSpace(reader), uid: numberAfterSpace(reader) }
    case 'COPYUID': {
      const uidValidity = numberAfterSpace(reader)
      const source = set(reader)
      return { kind: 'copyuid', uidValidity, source, target: set(reader) }
    }
    default:
      // A code that we have no name for is kept all the same: who reads it compares it with those it knows.
      return name as PlainCode
  }
}

function permanentFlags(reader: WireReader): ResponseCode {
  reader.space()
  let any = false
  const flags = list(reader, () => {
    if (!reader.tryChar('\\')) return reader.atom('a flag')
    if (!reader.tryChar('*')) return `\\${reader.atom('a flag')}`
    any = true
    return ''
  })
  return { kind: 'permanentflags', flags: flags.filter((flag) => flag !== ''), any }
}

function charset(reader: WireReader): string {
  const name = reader.astring('a charset')
  return /^[\x20-\x7e]{1,64}$/.test(name) ? name : reader.fail('not a charset')
}

function numberAfterSpace(reader: WireReader): number {
  reader.space()
  return reader.number('a number')
}

function set(reader: WireReader): UidSet {
  reader.space()
  const found = parseUidSet(reader.setText())
  if (found === undefined) reader.fail('not a set')
  return found ?? EMPTY_SET
}

function words(reader: WireReader): string[] {
  const found: string[] = []
  while (reader.tryChar(' ') && found.length < MAX_WORDS) found.push(reader.atom('a word'))
  return found
}

function list(reader: WireReader, one: () => string): string[] {
  const found: string[] = []
  reader.list({ least: 0, most: MAX_WORDS, what: 'values' }, () => found.push(one()))
  return found
}
