import { assert } from '../mail/assert.ts'

/**
 * One node of a message's part tree. Offsets count from the first octet of the stored message, trace fields
 * included. A multipart has `children`; a message/rfc822 has `message`, the root of the message within.
 */
export interface Part {
  /** Lower case; `text`/`plain` where none is given (rfc2045 §5.2), except in a digest (rfc2046 §5.1.5). */
  readonly type: string
  readonly subtype: string
  /** Names in lower case, values decoded (rfc2231, and encoded words as a leniency). */
  readonly params: readonly Param[]
  readonly headerStart: number
  readonly bodyStart: number
  /** The octet after the body; the line end before a delimiter belongs to the delimiter (rfc2046 §5.1.1). */
  readonly bodyEnd: number
  /** Line ends within the body. */
  readonly lines: number
  /** Content-Transfer-Encoding in lower case, `7bit` where none is given. */
  readonly encoding: string
  /** Content-ID with its angle brackets. */
  readonly id?: string | undefined
  /** `inline`, `attachment`, … in lower case. */
  readonly disposition?: string | undefined
  /** Decoded; a name as the sender wrote it, never a path to be trusted. */
  readonly filename?: string | undefined
  readonly children: readonly Part[]
  readonly message?: Part | undefined
}

export type Param = readonly [name: string, value: string]

export interface Section {
  readonly path: readonly number[]
  readonly what: 'all' | 'header' | 'text' | 'mime'
}

export interface OctetRange {
  readonly start: number
  readonly end: number
}

/** The value of a parameter, by its lower-case name. */
export function paramOf(part: Part, name: string): string | undefined {
  return part.params.find(([key]) => key === name)?.[1]
}

/** The octet range of `BODY[section]` (rfc3501 §6.4.5); undefined where there is no such part. */
export function sectionRange(root: Part, section: Section): OctetRange | undefined {
  const { path, what } = section
  if (path.length === 0) return messageRange(root, what, root.headerStart)
  const part = partAt(root, path)
  if (part === undefined) return undefined
  if (what === 'all') return { start: part.bodyStart, end: part.bodyEnd }
  if (what === 'mime') return { start: part.headerStart, end: part.bodyStart }
  return part.message === undefined ? undefined : messageRange(part.message, what, part.bodyStart)
}

/**
 * The part that a path of numbers names (rfc3501 §6.4.5): a multipart's children count from 1, a message that
 * is no multipart has its body as part 1, and below a message/rfc822 the numbers go on within its message.
 */
export function partAt(root: Part, path: readonly number[]): Part | undefined {
  let part: Part | undefined = root
  // True while `part` is a message whose own body may be called part 1.
  let atMessage = true
  for (const number of path) {
    if (!atMessage && part.message !== undefined) {
      part = part.message
      atMessage = true
    }
    if (isMultipart(part)) part = part.children[number - 1]
    else if (!atMessage || number !== 1) return undefined
    atMessage = false
    if (part === undefined) return undefined
  }
  return part
}

/** Whether the part has parts of its own to be numbered. */
function isMultipart(part: Part): boolean {
  return part.children.length > 0
}

function messageRange(message: Part, what: Section['what'], start: number): OctetRange | undefined {
  if (what === 'all') return { start, end: message.bodyEnd }
  if (what === 'header') return { start, end: message.bodyStart }
  if (what === 'text') return { start: message.bodyStart, end: message.bodyEnd }
  return undefined
}

// The stored form is JSON of nested arrays, its first element the version. A reader refuses versions it does
// not know: the tree is then computed again from the message.
const VERSION = 1

type Row = readonly [
  type: string,
  subtype: string,
  params: readonly string[],
  headerStart: number,
  bodyStart: number,
  bodyEnd: number,
  lines: number,
  encoding: string,
  id: string | null,
  disposition: string | null,
  filename: string | null,
  children: readonly Row[],
  message: Row | null,
]

/** The stored form of a part tree. */
export function encodeParts(root: Part): Uint8Array {
  return Buffer.from(JSON.stringify([VERSION, rowOf(root)]), 'utf8')
}

/** Reads what `encodeParts` wrote; anything else is our fault and throws. */
export function decodeParts(bytes: Uint8Array): Part {
  const stored: unknown = JSON.parse(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'),
  )
  assert(Array.isArray(stored) && stored[0] === VERSION, 'part tree of an unknown version')
  return partOf(stored[1] as Row)
}

function rowOf(part: Part): Row {
  return [
    part.type,
    part.subtype,
    part.params.flat(),
    part.headerStart,
    part.bodyStart,
    part.bodyEnd,
    part.lines,
    part.encoding,
    part.id ?? null,
    part.disposition ?? null,
    part.filename ?? null,
    part.children.map(rowOf),
    part.message === undefined ? null : rowOf(part.message),
  ]
}

function partOf(row: Row): Part {
  const params: Param[] = []
  for (let i = 0; i + 1 < row[2].length; i += 2) params.push([row[2][i] as string, row[2][i + 1] as string])
  return {
    type: row[0],
    subtype: row[1],
    params,
    headerStart: row[3],
    bodyStart: row[4],
    bodyEnd: row[5],
    lines: row[6],
    encoding: row[7],
    id: row[8] ?? undefined,
    disposition: row[9] ?? undefined,
    filename: row[10] ?? undefined,
    children: row[11].map(partOf),
    message: row[12] === null ? undefined : partOf(row[12]),
  }
}
