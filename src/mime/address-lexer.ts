import { commentEnd, quotedEnd, unquote } from './comments.ts'

/**
 * A token of an address field (rfc5322 §3.4). Dots stay within atoms, so that `a..b` and `x.` of old phones
 * need no rule of their own; an encoded word is one atom even where it holds a comma it should not.
 */
export interface AddressToken {
  readonly kind: 'atom' | 'quoted' | 'comment' | 'literal' | 'special'
  /** Without its delimiters, quoted pairs resolved; octets as U+0000..U+00FF. */
  readonly text: string
  /** Whether white space or a comment stands before it. */
  readonly spaced: boolean
}

const ENCODED_WORD = /=\?[^?\s]{1,60}\?[bBqQ]\?[^?\s]{0,2000}\?=/y
const EQUALS = 0x3d

// One class for each octet: a table is several times as fast as searching strings.
const SPACE = 1
const SPECIAL = 2
const OPENS = 3
const CLASSES = classTable()

/** Reads tokens one after another; what is not closed is taken for text where only that keeps later addresses. */
export class AddressLexer {
  readonly #text: string
  readonly #tags: Set<string>
  #at = 0
  #spaced = false
  #quotesClose = true

  constructor(text: string, tags: Set<string>) {
    this.#text = text
    this.#tags = tags
  }

  next(): AddressToken | undefined {
    this.#skipSpace()
    const spaced = this.#spaced
    this.#spaced = false
    if (this.#at >= this.#text.length) return undefined
    const char = this.#text[this.#at] as string
    if (this.#classAt(this.#at) === SPECIAL) {
      this.#at++
      return { kind: 'special', text: char, spaced }
    }
    if (char === '(') return { kind: 'comment', text: this.#comment(), spaced }
    if (char === '"') return { kind: 'quoted', text: this.#quoted(), spaced }
    if (char === '[') return { kind: 'literal', text: this.#literal(), spaced }
    return { kind: 'atom', text: this.#atom(), spaced }
  }

  #skipSpace(): void {
    while (this.#classAt(this.#at) === SPACE) {
      this.#at++
      this.#spaced = true
    }
  }

  /** 0 beyond the end, too. */
  #classAt(at: number): number {
    return at < this.#text.length ? (CLASSES[this.#text.charCodeAt(at) & 0xff] as number) : 0
  }

  #comment(): string {
    const start = this.#at
    const end = commentEnd(this.#text, start)
    const closed = this.#text[end - 1] === ')' && end - start > 1
    if (!closed) this.#tags.add('comment-unclosed')
    this.#at = end
    this.#spaced = true
    return unquote(this.#text.slice(start + 1, closed ? end - 1 : end).replace(/[\r\n]+/g, ''))
  }

  #quoted(): string {
    const start = this.#at
    const end = this.#quotesClose ? quotedEnd(this.#text, start) : -1
    if (end < 0) {
      // Whatever follows is read as if the quote were not there: later addresses must not vanish.
      this.#quotesClose = false
      this.#tags.add('quote-unclosed')
      this.#at++
      return ''
    }
    this.#at = end
    return unquote(this.#text.slice(start + 1, end - 1).replace(/[\r\n]+/g, ''))
  }

  #literal(): string {
    const start = this.#at++
    while (this.#at < this.#text.length && !'[]<>,;'.includes(this.#text[this.#at] as string)) this.#at++
    if (this.#text[this.#at] === ']') this.#at++
    else this.#tags.add('domain-literal-unclosed')
    return this.#text.slice(start, this.#at).replace(/[\s\\]+/g, '')
  }

  #atom(): string {
    if (this.#text.charCodeAt(this.#at) === EQUALS) {
      ENCODED_WORD.lastIndex = this.#at
      const word = ENCODED_WORD.exec(this.#text)
      if (word !== null) {
        this.#at = ENCODED_WORD.lastIndex
        return word[0]
      }
    }
    const start = this.#at++
    while (this.#at < this.#text.length && this.#classAt(this.#at) === 0) this.#at++
    const atom = this.#text.slice(start, this.#at)
    return atom.startsWith('\\') ? atom.slice(1) : atom
  }
}

function classTable(): Uint8Array {
  const table = new Uint8Array(256)
  for (const char of ' \t\r\n') table[char.charCodeAt(0)] = SPACE
  for (const char of '<>,;:@') table[char.charCodeAt(0)] = SPECIAL
  for (const char of '"([\\') table[char.charCodeAt(0)] = OPENS
  return table
}
