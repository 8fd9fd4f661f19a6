import type { SearchKey } from '../../../mail/search.ts'
import { decodeParts, type Part } from '../../../mime/parts.ts'
import { heldTexts, SearchedHeader } from '../../../mime/search.ts'
import { SEARCH_SLICE_MS } from '../../limits.ts'
import { dayOfArrival, dayText, relates } from '../../search-days.ts'
import type { Answers, ScanKey, ScanQuestion } from '../questions.ts'
import { isShortage } from '../shortage.ts'
import { describeError, type Row, type Sql } from '../sql.ts'
import { isRange, type StoredOctets, slice } from './octets.ts'

const COLUMNS = `SELECT m.size, m.arrived_ms, m.zone, b.sent_day FROM messages m JOIN bodies b ON b.id = m.body
  WHERE m.id = ?`
const HEADER = `SELECT b.prefix, b.head, b.header_size FROM messages m JOIN bodies b ON b.id = m.body WHERE m.id = ?`
const CONTENT = `SELECT b.prefix, b.head, t.bytes, b.file, b.size, b.parts FROM messages m
  JOIN bodies b ON b.id = m.body LEFT JOIN texts t ON t.body = b.id WHERE m.id = ?`

/** What has to be read to decide about a leaf, cheapest first. A leaf that needs more is unknown. */
const LEVELS = ['columns', 'header', 'content'] as const
type Level = (typeof LEVELS)[number]

/** One slice of a SEARCH: looks at messages until all are done or others have waited long enough. */
export function scanMessages(sql: Sql, folder: string, question: ScanQuestion): Answers['scan'] {
  const { key, messages, known, knownCount } = question
  const hits: number[] = []
  const damaged: (readonly [number, string])[] = []
  const started = performance.now()
  const texts = textLeaves(key)
  for (const [index, message] of messages.entries()) {
    const candidate = new Candidate({ sql, folder, texts }, message)
    const answers = known.subarray(index * knownCount, (index + 1) * knownCount)
    try {
      if (matches(key, candidate, answers)) hits.push(index)
    } catch (error) {
      if (isShortage(error)) throw error
      // Nobody can tell whether it fits; the others are found.
      damaged.push([index, describeError(error)])
    }
    if (performance.now() - started > SEARCH_SLICE_MS) return { done: index + 1, hits, damaged }
  }
  return { done: messages.length, hits, damaged }
}

function matches(key: ScanKey, candidate: Candidate, known: Uint8Array): boolean {
  for (const level of LEVELS) {
    const result = evaluate(key, { candidate, known, level })
    if (result !== undefined) return result
  }
  return false
}

interface Sight {
  readonly candidate: Candidate
  readonly known: Uint8Array
  readonly level: Level
}

/** Three values: undefined says that this level does not tell. The tree's depth is bounded where it is read. */
function evaluate(key: ScanKey, sight: Sight): boolean | undefined {
  switch (key.kind) {
    case 'known':
      return sight.known[key.index] === 1
    case 'not': {
      const inner = evaluate(key.key, sight)
      return inner === undefined ? undefined : !inner
    }
    case 'or': {
      const left = evaluate(key.left, sight)
      if (left === true) return true
      const right = evaluate(key.right, sight)
      return right === true ? true : left === undefined ? undefined : right
    }
    case 'and': {
      let all: boolean | undefined = true
      for (const one of key.keys) {
        const result = evaluate(one, sight)
        if (result === false) return false
        if (result === undefined) all = undefined
      }
      return all
    }
    default:
      return sight.candidate.leaf(key, sight.level)
  }
}

type Leaf = Extract<SearchKey, { kind: 'header' | 'body' | 'text' | 'date' | 'size' }>
type TextLeaf = Extract<SearchKey, { kind: 'body' | 'text' }>

/** All that a message's content is looked through for, at one go. */
function textLeaves(key: ScanKey): readonly TextLeaf[] {
  if (key.kind === 'not') return textLeaves(key.key)
  if (key.kind === 'or') return [...textLeaves(key.left), ...textLeaves(key.right)]
  if (key.kind === 'and') return key.keys.flatMap(textLeaves)
  return key.kind === 'body' || key.kind === 'text' ? [key] : []
}

interface Scan {
  readonly sql: Sql
  readonly folder: string
  readonly texts: readonly TextLeaf[]
}

/** One message, read as far as needed. */
class Candidate {
  readonly #scan: Scan
  readonly #message: number
  #columns: Row | undefined
  #header: SearchedHeader | undefined
  #hasLookedAtContent = false
  /** What was found out already: a later level asks for all leaves again. */
  readonly #answers = new Map<Leaf, boolean>()

  constructor(scan: Scan, message: number) {
    this.#scan = scan
    this.#message = message
  }

  leaf(key: Leaf, level: Level): boolean | undefined {
    const known = this.#answers.get(key)
    if (known !== undefined) return known
    const answer = this.#look(key, level)
    if (answer !== undefined) this.#answers.set(key, answer)
    return answer
  }

  #look(key: Leaf, level: Level): boolean | undefined {
    if (key.kind === 'size' || key.kind === 'date') return this.#looksAtColumns(key)
    if (level === 'columns') return undefined
    if (key.kind === 'header') return this.#readHeader().holds(key.name, key.text)
    if (level === 'header') return undefined
    this.#lookAtContent()
    return this.#answers.get(key) ?? false
  }

  /** Answers all that is asked of the content. */
  #lookAtContent(): void {
    if (this.#hasLookedAtContent) return
    this.#hasLookedAtContent = true
    const content = this.#readContent()
    if (content === undefined) return
    const { root, octets } = content
    const read = (start: number, end: number): Uint8Array => this.#read(octets, start, end)
    // The header that a part tree names is looked at whole, beyond what is kept beside the body.
    const header = new SearchedHeader(read(root.headerStart, root.bodyStart))
    const { texts } = this.#scan
    for (const [index, isHeld] of heldTexts({ root, header, read }, texts).entries())
      this.#answers.set(texts[index] as TextLeaf, isHeld)
  }

  #looksAtColumns(key: Extract<Leaf, { kind: 'size' | 'date' }>): boolean {
    this.#columns ??= this.#scan.sql.get(COLUMNS, this.#message)
    if (this.#columns === undefined) return false
    const [size, arrivedMs, zone, sentDay] = this.#columns as readonly [number, number, number, string | null]
    if (key.kind === 'size') return key.relation === 'larger' ? size > key.sizeBytes : size < key.sizeBytes
    const day = key.of === 'arrival' ? dayOfArrival(arrivedMs, zone) : sentDay
    return day !== null && relates(day, key.relation, dayText(key.day))
  }

  #readHeader(): SearchedHeader {
    if (this.#header !== undefined) return this.#header
    const row = this.#scan.sql.get(HEADER, this.#message)
    const [prefix, head] = (row ?? [new Uint8Array(0), new Uint8Array(0)]) as unknown as HeaderRow
    this.#header = new SearchedHeader(Buffer.concat([prefix, head]))
    return this.#header
  }

  #readContent(): { readonly root: Part; readonly octets: StoredOctets } | undefined {
    const row = this.#scan.sql.get(CONTENT, this.#message)
    if (row === undefined) return undefined
    const [prefix, head, text, file, size, parts] = row as unknown as ContentRow
    return { root: decodeParts(parts), octets: { prefix, head, text, file, size } }
  }

  /** Parts larger than what a file gives at once are looked at as far as that goes. */
  #read(octets: StoredOctets, start: number, end: number): Uint8Array {
    const some = slice(octets, start, end, this.#scan.folder, MAX_TEXT_PART_BYTES)
    if (isRange(some)) return some.before
    return some.length === 1 ? (some[0] as Uint8Array) : Buffer.concat(some)
  }
}

/** So much of one text part is searched; `mime/text.ts` decodes no more. */
const MAX_TEXT_PART_BYTES = 8 * 1024 * 1024

type HeaderRow = readonly [prefix: Uint8Array, head: Uint8Array]
type ContentRow = readonly [
  prefix: Uint8Array,
  head: Uint8Array,
  text: Uint8Array | null,
  file: string | null,
  size: number,
  parts: Uint8Array,
]
