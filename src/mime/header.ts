import { CR, LF, latin1, SP, TAB } from '../bytes/ascii.ts'
import { MAX_FIELDS } from './limits.ts'

/** One header field as it stands in the message; offsets count from the start of the header block. */
export interface HeaderField {
  /** As written, without the space that obsolete forms put before the colon. */
  readonly name: string
  /** Lower case, for comparisons. */
  readonly key: string
  /** Octets as U+0000..U+00FF, after the colon, folds and final line end included. */
  readonly raw: string
  readonly start: number
  readonly end: number
}

const COLON = 0x3a

/**
 * The fields of a header block in order, duplicates kept; lines that are no field (a `From ` line of an mbox,
 * garbage) are left out. The block may end with its empty line or without. At most `MAX_FIELDS`.
 */
export function headerFields(header: Uint8Array): HeaderField[] {
  const fields: HeaderField[] = []
  const text = latin1(header)
  eachField(text, (start, colon, end) => {
    const name = text.slice(start, colon).trimEnd()
    fields.push({ name, key: name.toLowerCase(), raw: text.slice(colon + 1, end), start, end })
  })
  return fields
}

/** The raw values of some fields by lower-case name, duplicates in order. */
export type FieldMap = ReadonlyMap<string, readonly string[]>

/**
 * Adds the fields of `header` whose names are `wanted`, in a pass that makes nothing of the others.
 * @returns how many fields of any name there are, at most `MAX_FIELDS`.
 */
export function collectFields(
  header: Uint8Array,
  wanted: ReadonlySet<string>,
  into: Map<string, string[]>,
): number {
  const text = latin1(header)
  return eachField(text, (start, colon, end) => {
    const key = text.slice(start, colon).trimEnd().toLowerCase()
    if (!wanted.has(key)) return
    const raw = text.slice(colon + 1, end)
    const values = into.get(key)
    if (values === undefined) into.set(key, [raw])
    else values.push(raw)
  })
}

function eachField(text: string, see: (start: number, colon: number, end: number) => void): number {
  let count = 0
  let start = 0
  while (start < text.length && count < MAX_FIELDS && !isEmptyLine(text, start)) {
    const end = fieldEnd(text, start)
    const colon = fieldColon(text, start, end)
    if (colon >= 0) {
      see(start, colon, end)
      count++
    }
    start = end
  }
  return count
}

/** A field's value on one line: line ends are taken out, the white space of folds stays (rfc5322 §2.2.3). */
export function unfold(raw: string): string {
  const end = trimmedEnd(raw)
  let start = 0
  while (start < end && isSpace(raw.charCodeAt(start))) start++
  const value = raw.slice(start, end)
  return /[\r\n]/.test(value) ? value.replace(/[\r\n]+/g, '') : value
}

/** Whether a line can be a header field: a name of printable characters, then a colon (rfc5322 §2.2, §4.5). */
export function isFieldLine(text: string, start: number, end: number): boolean {
  return fieldColon(text, start, end) >= 0
}

function fieldColon(text: string, start: number, end: number): number {
  let spaced = false
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i)
    if (code === COLON) return i > start ? i : -1
    // rfc5322 §4.5.8: obsolete forms have white space before the colon, never within or before the name.
    if (code === SP || code === TAB) spaced = i > start
    else if (spaced || code <= SP || code >= 0x7f) return -1
    if (i === start && code <= SP) return -1
  }
  return -1
}

/** Where the field that begins at `start` ends: after the line end that no folded line follows. */
function fieldEnd(text: string, start: number): number {
  let end = lineEnd(text, start)
  while (end < text.length) {
    const code = text.charCodeAt(end)
    if (code !== SP && code !== TAB) return end
    end = lineEnd(text, end)
  }
  return end
}

function lineEnd(text: string, start: number): number {
  const at = text.indexOf('\n', start)
  return at < 0 ? text.length : at + 1
}

function isEmptyLine(text: string, start: number): boolean {
  const code = text.charCodeAt(start)
  return code === LF || (code === CR && text.charCodeAt(start + 1) === LF)
}

function isSpace(code: number): boolean {
  return code === SP || code === TAB || code === CR || code === LF
}

function trimmedEnd(raw: string): number {
  let end = raw.length
  while (end > 0 && isSpace(raw.charCodeAt(end - 1))) end--
  return end
}
