import type { CommandFault } from './fault.ts'
import { MAX_NUMBER } from './limits.ts'

/** One stretch of a command or response: text between literals, or a literal. Octets as characters U+0000 to U+00FF. */
export type WirePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'literal'; readonly octets: string }
  /** A literal that has been announced and not yet been read: the message of APPEND. Always last. */
  | { readonly kind: 'announced'; readonly sizeBytes: number }

const ATOM_END = /[(){ %*"\\\]\x00-\x1f\x7f-\xff]/g
const ASTRING_END = /[(){ %*"\\\x00-\x1f\x7f-\xff]/g
/** list-char: ATOM-CHAR, the wildcards, `]`. */
const PATTERN_END = /[(){ "\\\x00-\x1f\x7f-\xff]/g
const SET_END = /[^0-9:*,]/g

/**
 * Reads a whole command or response piece by piece (rfc3501 §9). The first thing that does not fit is kept as `fault`;
 * from then on every read gives an empty value and every `try…` gives false, so that parsers need no checks
 * between reads and no exceptions, only one look at `fault` at the end.
 */
export class WireReader {
  readonly #parts: readonly WirePart[]
  #part = 0
  #at = 0
  #fault: CommandFault | undefined

  constructor(parts: readonly WirePart[]) {
    this.#parts = parts
  }

  get fault(): CommandFault | undefined {
    return this.#fault
  }

  get ok(): boolean {
    return this.#fault === undefined
  }

  /** Keeps the first fault; gives an empty string so that a read can end with it. */
  fail(text: string, more: Partial<CommandFault> = {}): '' {
    this.#fault ??= { status: 'BAD', text, ...more }
    return ''
  }

  /** The next character of text; empty before a literal, at the end and after a fault. */
  peek(): string {
    return this.ok ? (this.#text()[this.#at] ?? '') : ''
  }

  tryChar(char: string): boolean {
    if (this.peek() !== char) return false
    this.#at++
    return true
  }

  char(char: string): void {
    if (!this.tryChar(char)) this.fail(`expected ${char === ' ' ? 'a space' : char}`)
  }

  space(): void {
    this.char(' ')
  }

  end(): void {
    if (this.ok && !(this.#part >= this.#parts.length || this.#onlyTextLeft() === '')) this.fail('too much')
  }

  atom(what: string): string {
    return this.#run(ATOM_END) || this.fail(`expected ${what}`)
  }

  /** An atom in upper case: keywords of the grammar. */
  word(what: string): string {
    return this.atom(what).toUpperCase()
  }

  /** Takes `word` (upper case) if the atom here is it, whatever its case. */
  tryWord(word: string): boolean {
    const text = this.#text()
    if (!this.ok || text.slice(this.#at, this.#at + word.length).toUpperCase() !== word) return false
    ATOM_END.lastIndex = this.#at + word.length
    const end = ATOM_END.exec(text)
    if ((end?.index ?? text.length) !== this.#at + word.length) return false
    this.#at += word.length
    return true
  }

  /** The characters of an atom, here or nowhere: empty where none stands. */
  atomOrNothing(): string {
    return this.ok ? this.#run(ATOM_END) : ''
  }

  /** ASTRING-CHARs, which atoms have but for `]`; empty where none stands. */
  astringCharsOrNothing(): string {
    return this.#run(ASTRING_END)
  }

  number(what: string): number {
    const digits = /^\d{1,10}/.exec(this.#rest())?.[0] ?? ''
    const value = Number(digits)
    if (digits === '' || value > MAX_NUMBER) this.fail(`expected ${what}, 0 to ${MAX_NUMBER}`)
    this.#at += digits.length
    return this.ok ? value : 0
  }

  nonZero(what: string): number {
    const value = this.number(what)
    if (value === 0) this.fail(`expected ${what}, not 0`)
    return value
  }

  /** The characters of a sequence-set, not yet looked at. */
  setText(): string {
    return this.#run(SET_END) || this.fail('expected a set of numbers')
  }

  /** rfc3501 §9, astring. */
  astring(what: string): string {
    return this.#isString() ? this.string(what) : this.#run(ASTRING_END) || this.fail(`expected ${what}`)
  }

  /** rfc3501 §9, list-mailbox. */
  listPattern(what: string): string {
    return this.#isString() ? this.string(what) : this.#run(PATTERN_END) || this.fail(`expected ${what}`)
  }

  /** rfc3501 §9, string: quoted or literal. */
  string(what: string, allow: { readonly nul?: boolean } = {}): string {
    return this.peek() === '"' ? this.#quoted() : this.#literal(what, allow.nul === true)
  }

  /** `nul`: for messages, whose octets are whatever they are. */
  nstring(what: string, allow: { readonly nul?: boolean } = {}): string | null {
    return this.tryWord('NIL') ? null : this.string(what, allow)
  }

  /** A flag of any kind, with its backslash. */
  flag(): string {
    const slash = this.tryChar('\\') ? '\\' : ''
    return slash + this.atom('a flag')
  }

  /** `(a b c)` with single spaces, at least `least` and at most `most` of them. */
  list(
    bounds: { readonly least: 0 | 1; readonly most: number; readonly what: string },
    one: () => void,
  ): void {
    this.char('(')
    if (bounds.least === 0 && this.tryChar(')')) return
    let count = 0
    do {
      if (++count > bounds.most) this.fail(`too many ${bounds.what}`)
      if (this.ok) one()
    } while (this.tryChar(' '))
    this.char(')')
  }

  /** The size of a literal that is announced right here, at the end of all that is known. */
  announced(): number | undefined {
    const next = this.#parts[this.#part + 1]
    if (!this.ok || this.#rest() !== '' || next?.kind !== 'announced') return undefined
    return next.sizeBytes
  }

  /** All that is left of the text here. */
  rest(): string {
    const rest = this.ok ? this.#rest() : ''
    this.#at += rest.length
    return rest
  }

  /** One value of any shape as its wire octets: an atom, a string, or a list with all that is in it. */
  rawValue(): string {
    let raw = ''
    let depth = 0
    do {
      if (this.tryChar('(')) {
        depth++
        raw += '('
      } else if (depth > 0 && this.tryChar(')')) {
        depth--
        raw += ')'
      } else if (depth > 0 && this.tryChar(' ')) raw += ' '
      else raw += this.#rawAtom()
    } while (this.ok && depth > 0)
    return this.ok ? raw : ''
  }

  #rawAtom(): string {
    if (this.peek() !== '"' && !this.#isString()) return this.flag()
    const start = this.#at
    const quoted = this.peek() === '"'
    const text = this.#text()
    const value = this.string('a value')
    return quoted ? text.slice(start, this.#at) : `{${value.length}}\r\n${value}`
  }

  #isString(): boolean {
    return (
      this.peek() === '"' ||
      (this.ok && this.#rest() === '' && this.#parts[this.#part + 1]?.kind === 'literal')
    )
  }

  #quoted(): string {
    const text = this.#text()
    let value = ''
    let from = this.#at + 1
    for (;;) {
      const stop = /["\\\x00\r\n]/g
      stop.lastIndex = from
      const found = stop.exec(text)
      if (found === null || (found[0] !== '"' && found[0] !== '\\'))
        return this.fail('quoted string does not end')
      value += text.slice(from, found.index)
      if (found[0] === '"') {
        this.#at = found.index + 1
        return value
      }
      const escaped = text[found.index + 1]
      if (escaped !== '"' && escaped !== '\\')
        return this.fail('only " and \\ are escaped in a quoted string')
      value += escaped
      from = found.index + 2
    }
  }

  #literal(what: string, nul: boolean): string {
    const next = this.#parts[this.#part + 1]
    if (!this.ok || this.#rest() !== '' || next?.kind !== 'literal') return this.fail(`expected ${what}`)
    this.#part += 2
    this.#at = 0
    // rfc3501 §9, CHAR8: any octet but NUL.
    return !nul && next.octets.includes('\0') ? this.fail('NUL in a literal') : next.octets
  }

  #text(): string {
    const part = this.#parts[this.#part]
    return part?.kind === 'text' ? part.text : ''
  }

  #rest(): string {
    return this.#text().slice(this.#at)
  }

  #onlyTextLeft(): string {
    return this.#part === this.#parts.length - 1 ? this.#rest() : 'more'
  }

  #run(end: RegExp): string {
    if (!this.ok) return ''
    const text = this.#text()
    end.lastIndex = this.#at
    const found = end.exec(text)
    const run = text.slice(this.#at, found?.index ?? text.length)
    this.#at += run.length
    return run
  }
}
