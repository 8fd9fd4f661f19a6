import { decodeText } from './charset.ts'
import { headerFields, unfold } from './header.ts'
import type { Part } from './parts.ts'
import { partText, type ReadRange, textParts } from './text.ts'
import { decodeWords } from './words.ts'

/**
 * IMAP SEARCH on text (rfc3501 §6.4.4): substrings, case ignored, found in decoded text. Both sides are
 * brought to NFKC and lower case, so that half-width and full-width letters and kana are one, as people who
 * type Japanese expect; accents are kept.
 */
export function searchForm(text: string): string {
  // ASCII needs no normalisation.
  const composed = /^[\x00-\x7f]*$/.test(text) ? text : text.normalize('NFKC')
  return composed.toLowerCase().replaceAll('ς', 'σ')
}

/** Whether a text holds what is looked for; `needle` is in `searchForm`. */
export function holds(text: string, needle: string): boolean {
  return needle === '' || searchForm(text).includes(needle)
}

/**
 * HEADER: whether a field of this name holds the text, decoded or as written. Any field of the name will do
 * where the text is empty. FROM, TO, SUBJECT and their kin are the same with their name.
 */
export function headerHolds(header: Uint8Array, name: string, text: string): boolean {
  const key = name.toLowerCase()
  const needle = searchForm(text)
  return headerFields(header).some((field) => field.key === key && fieldHolds(field.raw, needle))
}

/** BODY: the decoded text parts, and the headers of messages within. */
export function bodyHolds(root: Part, read: ReadRange, text: string): boolean {
  const needle = searchForm(text)
  if (needle === '') return true
  if (messagesWithin(root).some((part) => wholeHeaderHolds(read(part.headerStart, part.bodyStart), needle)))
    return true
  return textParts(root).some((part) => holds(partText(part, read).text, needle))
}

/** TEXT: header or body. */
export function messageHolds(root: Part, read: ReadRange, text: string): boolean {
  return (
    wholeHeaderHolds(read(root.headerStart, root.bodyStart), searchForm(text)) || bodyHolds(root, read, text)
  )
}

function wholeHeaderHolds(header: Uint8Array, needle: string): boolean {
  if (holds(decodeText(header, undefined).text, needle)) return true
  return headerFields(header).some(({ raw }) => fieldHolds(raw, needle))
}

function fieldHolds(raw: string, needle: string): boolean {
  const value = unfold(raw)
  return holds(value, needle) || holds(decodeWords(value).text, needle)
}

function messagesWithin(part: Part): Part[] {
  if (part.message !== undefined) return [part.message, ...messagesWithin(part.message)]
  return part.children.flatMap(messagesWithin)
}
