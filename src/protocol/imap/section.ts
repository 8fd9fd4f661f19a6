import { MAX_HEADER_FIELDS, MAX_SECTION_DEPTH } from './limits.ts'
import type { WireReader } from './reader.ts'
import { astring } from './text.ts'

/** What of a message BODY[…] names (rfc3501 §6.4.5). */
export interface Section {
  /** Part numbers; empty for the message itself. */
  readonly part: readonly number[]
  readonly text?: SectionText | undefined
}

export type SectionText =
  | { readonly kind: 'header' | 'text' | 'mime' }
  /** Names as the client wrote them; `not` asks for all others. */
  | { readonly kind: 'header-fields'; readonly not: boolean; readonly fields: readonly string[] }

export const WHOLE: Section = { part: [] }

/** Reads `[1.2.HEADER.FIELDS (A B)]` with its brackets. */
export function readSection(reader: WireReader): Section {
  reader.char('[')
  const part: number[] = []
  let text: SectionText | undefined
  while (reader.ok && reader.peek() !== ']') {
    if (!/\d/.test(reader.peek())) {
      text = readSectionText(reader, part.length > 0)
      break
    }
    part.push(reader.nonZero('a part number'))
    if (part.length > MAX_SECTION_DEPTH) reader.fail('part numbers too deep')
    if (!reader.tryChar('.')) break
    if (reader.peek() === ']') reader.fail('section ends with a dot')
  }
  reader.char(']')
  return text === undefined ? { part } : { part, text }
}

function readSectionText(reader: WireReader, inPart: boolean): SectionText {
  const word = reader.word('a section')
  if (word === 'HEADER') return { kind: 'header' }
  if (word === 'TEXT') return { kind: 'text' }
  // rfc3501 §6.4.5: MIME needs a part number before it.
  if (word === 'MIME' && inPart) return { kind: 'mime' }
  if (word !== 'HEADER.FIELDS' && word !== 'HEADER.FIELDS.NOT') reader.fail('unknown section')
  reader.space()
  const fields: string[] = []
  reader.list({ least: 1, most: MAX_HEADER_FIELDS, what: 'header fields' }, () => {
    const field = reader.astring('a header field name')
    // rfc5322 §2.2: printable ASCII but the colon. Anything else is in no header and would come back in ours.
    if (!/^[\x21-\x39\x3b-\x7e]{1,200}$/.test(field)) reader.fail('not a header field name')
    fields.push(field)
  })
  return { kind: 'header-fields', not: word === 'HEADER.FIELDS.NOT', fields }
}

/** `1.2.HEADER.FIELDS (A B)` without brackets. */
export function formatSection(section: Section): string {
  const parts = section.part.map(String)
  const { text } = section
  if (text !== undefined)
    parts.push(
      text.kind === 'header-fields'
        ? `HEADER.FIELDS${text.not ? '.NOT' : ''} (${text.fields.map(astring).join(' ')})`
        : text.kind.toUpperCase(),
    )
  return parts.join('.')
}
