import { decodeBase64 } from '../bytes/base64.ts'
import { decodeQuotedPrintable } from '../bytes/quoted-printable.ts'
import { decodeText } from './charset.ts'
import { htmlToText } from './html.ts'
import { MAX_TEXT_CHARS, MAX_TEXT_PART_BYTES } from './limits.ts'
import { type Part, paramOf } from './parts.ts'

/** Gives octets of the stored message. */
export type ReadRange = (start: number, end: number) => Uint8Array

export interface ReadableText {
  /** Line ends are LF. May hold any character: clean it for a terminal. */
  readonly text: string
  readonly isCut: boolean
  readonly leniencies: readonly string[]
}

/**
 * The text a person reads of a message: its text parts in order, of alternatives the plain one, HTML as
 * text, attachments left out; at most `MAX_TEXT_CHARS`.
 */
export function readableText(root: Part, read: ReadRange): ReadableText {
  const tags = new Set<string>()
  const texts: string[] = []
  let room = MAX_TEXT_CHARS
  let isCut = false
  for (const part of readableParts(root)) {
    const piece = partText(part, read)
    for (const tag of piece.leniencies) tags.add(tag)
    texts.push(piece.text.slice(0, room))
    isCut ||= piece.isCut || piece.text.length > room
    room -= Math.min(room, piece.text.length)
    if (room === 0) break
  }
  return { text: texts.join('\n'), isCut, leniencies: [...tags] }
}

/** The parts that `readableText` shows. */
function readableParts(part: Part): Part[] {
  if (part.message !== undefined) return readableParts(part.message)
  if (part.children.length > 0) {
    if (part.subtype === 'alternative') return bestAlternative(part)
    return part.children.flatMap(readableParts)
  }
  return part.type === 'text' && part.disposition !== 'attachment' ? [part] : []
}

/** Every text part, alternatives and attachments included: what SEARCH looks at. */
export function textParts(part: Part): Part[] {
  if (part.message !== undefined) return textParts(part.message)
  if (part.children.length > 0) return part.children.flatMap(textParts)
  return part.type === 'text' ? [part] : []
}

/** One text part decoded, HTML as text. */
export function partText(part: Part, read: ReadRange): ReadableText {
  const end = Math.min(part.bodyEnd, part.bodyStart + MAX_TEXT_PART_BYTES)
  const octets = decodeTransfer(read(part.bodyStart, end), part.encoding)
  const { text, leniencies } = decodeText(octets, paramOf(part, 'charset'))
  const lines = text.replace(/\r\n/g, '\n')
  return {
    text: part.subtype === 'html' ? htmlToText(lines) : lines,
    isCut: end < part.bodyEnd,
    leniencies,
  }
}

/** The octets of a body without its transfer encoding (rfc2045 §6); unknown encodings stay as they are. */
export function decodeTransfer(body: Uint8Array, encoding: string): Uint8Array {
  if (encoding === 'base64') return decodeBase64(body)
  return encoding === 'quoted-printable' ? decodeQuotedPrintable(body) : body
}

/** Plain text where it is offered, else the last alternative that can be read (rfc2046 §5.1.4: the richest). */
function bestAlternative(part: Part): Part[] {
  const readable = part.children.map(readableParts).filter((parts) => parts.length > 0)
  const plain = readable.find((parts) => parts.every(({ subtype }) => subtype === 'plain'))
  return plain ?? readable.at(-1) ?? []
}
