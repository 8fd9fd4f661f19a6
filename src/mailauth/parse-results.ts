import { quotedEnd, unquote, withoutComments } from '../mime/comments.ts'
import { RESULTS_LIMITS } from './limits.ts'

/** One result of an Authentication-Results field, in its own words, lower case but for values. */
export interface ReadResult {
  readonly method: string
  readonly result: string
  readonly reason?: string | undefined
  readonly properties: readonly ReadProperty[]
}

/** `smtp.mailfrom=example.org`: kind of property (empty where none is written), property, value without its quotes. */
export interface ReadProperty {
  readonly type: string
  readonly name: string
  readonly value: string
}

export interface ReadResults {
  readonly authservId: string
  /** Empty where the field says `none`. */
  readonly results: readonly ReadResult[]
}

const KEYWORD = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?'
/** `authserv-id` is a `value` (rfc8601 §2.2); host names that are no token are written all the same. */
const SERVER = /^("(?:[^"\\]|\\.)*"|[^\s";=]+)(?: [0-9]+)?$/
const METHOD = new RegExp(`^(${KEYWORD})(?: ?/ ?[0-9]+)? ?= ?(${KEYWORD})(?= |$)`)
/**
 * A leniency: `header.b=` with `/` and `smtp.mailfrom=` with `=` are written without quotes by large providers, and
 * some write properties without a kind.
 */
const PROPERTY =
  /^ (?:([A-Za-z][A-Za-z0-9-]*) ?\. ?)?([A-Za-z][A-Za-z0-9_-]*) ?= ?("(?:[^"\\]|\\.)*"(?:@[^\s";]*)?|[^\s";]+)(?= |$)/

/**
 * Reads the value of an Authentication-Results field, or what an ARC sealer said (`ArcFinding.said`).
 * @returns undefined where it breaks the grammar of rfc8601 §2.2 or a limit.
 */
export function parseResults(value: string): ReadResults | undefined {
  if (value.length > RESULTS_LIMITS.readOctets) return undefined
  const parts = splitAtSemicolons(withoutComments(value).replace(/[ \t\r\n]+/g, ' '))
  // A leniency: a semicolon behind the last result.
  if (parts !== undefined && parts.length > 2 && parts.at(-1) === '') parts.pop()
  if (parts === undefined || parts.length < 2 || parts.length > RESULTS_LIMITS.readResults) return undefined
  const [server = '', ...infos] = parts
  const id = SERVER.exec(server)?.[1]
  if (id === undefined) return undefined
  const results = infos.length === 1 && infos[0]?.toLowerCase() === 'none' ? [] : infos.map(parseInfo)
  return isWhole(results) ? { authservId: unquoted(id), results } : undefined
}

const isWhole = (results: (ReadResult | undefined)[]): results is ReadResult[] => !results.includes(undefined)

/** Outside of quoted strings; undefined where one is not closed. */
function splitAtSemicolons(text: string): string[] | undefined {
  const parts: string[] = []
  let from = 0
  for (let at = 0; at < text.length; ) {
    if (text[at] === '"') {
      at = quotedEnd(text, at)
      if (at < 0) return undefined
      continue
    }
    if (text[at] === ';') {
      parts.push(text.slice(from, at).trim())
      from = at + 1
    }
    at++
  }
  parts.push(text.slice(from).trim())
  return parts
}

function parseInfo(text: string): ReadResult | undefined {
  const head = METHOD.exec(text)
  if (head === null) return undefined
  const [{ length }, method = '', result = ''] = head
  const all = parseProperties(text.slice(length))
  if (all === undefined) return undefined
  const isReason = ({ type, name }: ReadProperty): boolean => type === '' && name === 'reason'
  return {
    method: method.toLowerCase(),
    result: result.toLowerCase(),
    reason: all.find(isReason)?.value,
    properties: all.filter((property) => !isReason(property)),
  }
}

function parseProperties(text: string): ReadProperty[] | undefined {
  const properties: ReadProperty[] = []
  for (let rest = text; rest !== ''; ) {
    const found = PROPERTY.exec(rest)
    if (found === null) return undefined
    const [{ length }, type = '', name = '', value = ''] = found
    properties.push({ type: type.toLowerCase(), name: name.toLowerCase(), value: unquoted(value) })
    rest = rest.slice(length)
  }
  return properties
}

function unquoted(written: string): string {
  if (!written.startsWith('"')) return written
  const end = quotedEnd(written, 0)
  return unquote(written.slice(1, end - 1)) + written.slice(end)
}
