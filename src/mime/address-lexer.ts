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
const SPECIALS = '<>,;:@'
const ATOM_END = ' \t\r\n<>,;:@"([\\'

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
    const char = this.#text[this.#at]
    if (char === undefined) return undefined
    if (SPECIALS.includes(char)) {
      this.#at++
      return { kind: 'special', text: char, spaced }
    }
    if (char === '(') return { kind: 'comment', text: this.#comment(), spaced }
    if (char === '"') return { kind: 'quoted', text: this.#quoted(), spaced }
    if (char === '[') return { kind: 'literal', text: this.#literal(), spaced }
    return { kind: 'atom', text: this.#atom(), spaced }
  }

  #skipSpace(): void {
    while (isBlank(this.#text[this.#at])) {
      this.#at++
      this.#spaced = true
    }
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
    ENCODED_WORD.lastIndex = this.#at
    const word = ENCODED_WORD.exec(this.#text)
    if (word !== null) {
      this.#at = ENCODED_WORD.lastIndex
      return word[0]
    }
    const start = this.#at++
    while (this.#at < this.#text.length && !ATOM_END.includes(this.#text[this.#at] as string)) this.#at++
    const atom = this.#text.slice(start, this.#at)
    return atom.startsWith('\\') ? atom.slice(1) : atom
  }
}

function isBlank(char: string | undefined): boolean {
  return char === ' ' || char === '\t' || char === '\r' || char === '\n'
}
