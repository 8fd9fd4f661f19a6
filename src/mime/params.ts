import { fromLatin1 } from '../bytes/ascii.ts'
import { hexValue } from '../bytes/quoted-printable.ts'
import { decodeText } from './charset.ts'
import { commentEnd, quotedEnd, unquote } from './comments.ts'
import { MAX_PARAMETER_FIELD_BYTES, MAX_PARAMETERS } from './limits.ts'
import type { Param } from './parts.ts'
import { decodeWords } from './words.ts'

/** A Content-Type or Content-Disposition value. */
export interface ParameterField {
  /** What stands before the first parameter, comments and white space taken out. */
  readonly value: string
  /** As written, unquoted only, octets as U+0000..U+00FF: what BODYSTRUCTURE tells. */
  readonly raw: readonly Param[]
  readonly leniencies: readonly string[]
}

// An attribute and its `=`, where a forgotten semicolon makes it follow a value directly.
const ATTRIBUTE = /[ \t\r\n]*([^\x00-\x20()<>@,;:\\"/[\]?=\x7f-\xff]{1,100})[ \t\r\n]*=/y

const MAIN_VALUE = /[ \t\r\n]*([A-Za-z0-9/.+-]+)[ \t\r\n]*(?:;|$)/y
const USUAL_VALUE = /[^\x00-\x20;"(\\]+(?=;|\r?\n?$)/y

/** Reads `value; name=value; …` (rfc2045 §5.1), forgiving what mail programs write. Linear, never fails. */
export function parseParameters(field: string): ParameterField {
  return new ParameterReader(field).read()
}

/**
 * The parameters with rfc2231 sections joined and decoded, encoded words decoded as a leniency. Of one name
 * the extended form wins, else the first.
 */
export function decodeParameters(raw: readonly Param[]): { params: Param[]; leniencies: string[] } {
  if (raw.every(isPlainParam) && (raw.length < 2 || new Set(raw.map(([name]) => name)).size === raw.length))
    return { params: [...raw], leniencies: [] }
  const plain = new Map<string, string>()
  const extended = new Map<string, Map<number, Piece>>()
  const tags = new Set<string>()
  for (const [name, value] of raw) {
    const match = !name.includes('*') ? null : /^([^*]+)\*(?:(\d{1,4})(\*)?)?$/.exec(name)
    if (match === null) {
      if (!plain.has(name)) plain.set(name, decodePlain(value, tags))
      continue
    }
    const base = match[1] as string
    const pieces = extended.get(base) ?? new Map<number, Piece>()
    const index = match[2] === undefined ? 0 : Number(match[2])
    if (!pieces.has(index)) pieces.set(index, { value, encoded: match[2] === undefined || match[3] === '*' })
    extended.set(base, pieces)
  }
  for (const [name, pieces] of extended) {
    const text = joinPieces(pieces, tags)
    if (text !== undefined) plain.set(name, text)
  }
  return { params: [...plain], leniencies: [...tags] }
}

/** Most parameters need no decoding. */
function isPlainParam([name, value]: Param): boolean {
  return !name.includes('*') && !value.includes('=?') && /^[\x20-\x7e]*$/.test(value)
}

interface Piece {
  readonly value: string
  readonly encoded: boolean
}

function decodePlain(value: string, tags: Set<string>): string {
  const { text, leniencies } = decodeWords(value)
  if (value.includes('=?') && text !== value) tags.add('encoded-word-in-parameter')
  for (const tag of leniencies) tags.add(tag)
  return text
}

/** rfc2231 §3 and §4: sections from 0 on without a gap, the charset named in the first. */
function joinPieces(pieces: ReadonlyMap<number, Piece>, tags: Set<string>): string | undefined {
  const first = pieces.get(0)
  if (first === undefined) return undefined
  const label = first.encoded ? /^([^']*)'[^']*'/.exec(first.value) : null
  if (first.encoded && label === null) tags.add('parameter-without-charset')
  const octets: Uint8Array[] = []
  for (let index = 0; ; index++) {
    const piece = pieces.get(index)
    if (piece === undefined) break
    const value = index === 0 && label !== null ? piece.value.slice(label[0].length) : piece.value
    octets.push(piece.encoded ? decodePercent(value) : fromLatin1(value))
  }
  if (octets.length < pieces.size) tags.add('parameter-sections-missing')
  const { text, leniencies } = decodeText(Buffer.concat(octets), label?.[1])
  for (const tag of leniencies) tags.add(tag)
  return text
}

function decodePercent(value: string): Uint8Array {
  const out = Buffer.allocUnsafe(value.length)
  let length = 0
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    const high = code === 0x25 ? hexValue(value.charCodeAt(i + 1)) : -1
    const low = code === 0x25 ? hexValue(value.charCodeAt(i + 2)) : -1
    if (high >= 0 && low >= 0) {
      out[length++] = high * 16 + low
      i += 2
    } else {
      out[length++] = code
    }
  }
  return out.subarray(0, length)
}

class ParameterReader {
  readonly #text: string
  #at = 0
  readonly #raw: Param[] = []
  readonly #tags = new Set<string>()

  constructor(field: string) {
    this.#text = field.slice(0, MAX_PARAMETER_FIELD_BYTES)
    if (field.length > MAX_PARAMETER_FIELD_BYTES) this.#tags.add('parameters-cut')
  }

  read(): ParameterField {
    const value = this.#mainValue()
    while (this.#at < this.#text.length) {
      this.#skipSpace()
      if (this.#raw.length >= MAX_PARAMETERS) {
        this.#tags.add('parameters-cut')
        break
      }
      if (!this.#parameter()) this.#at = this.#nextSemicolon()
      if (this.#text[this.#at] === ';') this.#at++
    }
    return { value, raw: this.#raw, leniencies: [...this.#tags] }
  }

  #parameter(): boolean {
    ATTRIBUTE.lastIndex = this.#at
    const attribute = ATTRIBUTE.exec(this.#text)
    if (attribute === null) return false
    this.#at = ATTRIBUTE.lastIndex
    this.#skipSpace()
    this.#raw.push([(attribute[1] as string).toLowerCase(), this.#value()])
    this.#skipSpace()
    return true
  }

  #value(): string {
    if (this.#text[this.#at] !== '"') return this.#unquotedValue()
    const end = quotedEnd(this.#text, this.#at)
    if (end < 0) {
      this.#tags.add('quote-unclosed')
      return this.#take(this.#text.length).slice(1).trimEnd()
    }
    const inner = this.#take(end)
      .slice(1, -1)
      .replace(/[\r\n]+/g, '')
    return unquote(inner)
  }

  /** A token, or what unquoted names hold: spaces, 8-bit octets; a new attribute ends it too. */
  #unquotedValue(): string {
    USUAL_VALUE.lastIndex = this.#at
    const usual = USUAL_VALUE.exec(this.#text)
    if (usual !== null) {
      this.#at = USUAL_VALUE.lastIndex
      return usual[0]
    }
    const start = this.#at
    let end = start
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at] as string
      if (char === ';') break
      if (char === '(' && this.#at > start && isBlank(this.#text[this.#at - 1])) break
      if (isBlank(char)) {
        if (this.#isAtAttribute()) break
        while (isBlank(this.#text[this.#at])) this.#at++
      } else {
        end = ++this.#at
      }
    }
    const value = this.#text.slice(start, end)
    if (/[ \t]/.test(value)) this.#tags.add('parameter-unquoted-space')
    return value.replace(/[\r\n]+/g, '')
  }

  /** What stands before the first semicolon. */
  #mainValue(): string {
    MAIN_VALUE.lastIndex = 0
    const usual = MAIN_VALUE.exec(this.#text)
    if (usual !== null) {
      this.#at = MAIN_VALUE.lastIndex
      return usual[1] as string
    }
    let out = ''
    while (this.#at < this.#text.length && this.#text[this.#at] !== ';') {
      if (this.#text[this.#at] === '(') this.#at = commentEnd(this.#text, this.#at)
      else if (isBlank(this.#text[this.#at]) && out !== '' && this.#isAtAttribute()) return out
      else if (isBlank(this.#text[this.#at])) this.#skipSpace()
      else out += this.#text[this.#at++]
    }
    this.#at++
    return out
  }

  /** Whether a new parameter begins here though no semicolon came. */
  #isAtAttribute(): boolean {
    ATTRIBUTE.lastIndex = this.#at
    if (!ATTRIBUTE.test(this.#text)) return false
    this.#tags.add('parameter-without-semicolon')
    return true
  }

  #skipSpace(): void {
    for (;;) {
      while (isBlank(this.#text[this.#at])) this.#at++
      if (this.#text[this.#at] !== '(') return
      this.#at = commentEnd(this.#text, this.#at)
    }
  }

  #nextSemicolon(): number {
    const at = this.#text.indexOf(';', this.#at)
    return at < 0 ? this.#text.length : at
  }

  #take(end: number): string {
    const taken = this.#text.slice(this.#at, end)
    this.#at = end
    return taken
  }
}

function isBlank(char: string | undefined): boolean {
  return char === ' ' || char === '\t' || char === '\r' || char === '\n'
}
