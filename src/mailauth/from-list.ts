import { fromLatin1 } from '../bytes/ascii.ts'
import { canonicalDomain } from '../mail/domain.ts'
import { commentEnd, quotedEnd, unquote } from '../mime/comments.ts'

/** Why a From field could mean one thing to one reader and another to the next. */
export class UnreadableFrom extends Error {}

interface Token {
  readonly kind: 'atom' | 'quoted' | 'literal' | 'word' | 'special' | 'end'
  readonly text: string
  /** White space or a comment stands before it. */
  readonly spaced: boolean
}

export interface FromAddress {
  readonly local: string
  /** Canonical, or a literal. */
  readonly domain: string
}

/** One atom in a display name, even where it holds a comma or a parenthesis that rfc2047 §5 forbids; but no brackets. */
const ENCODED_WORD = /=\?[^?\s<>]{1,60}\?[bBqQ]\?[^?\s<>]{0,1000}\?=/y
const ATOM = /[^\s()<>[\]:;@\\,"]+/y
const SPACES = /[ \t]+/y
const MAX_AUTHORS = 100

/**
 * A From field by the letter: rfc5322 §3.4 with groups (rfc6854 §2), without what §4.4 keeps for old mail (routes, space or
 * comments within an address), which mail programs read in different ways. Forgiven is what no reader is misled by:
 * empty list elements, dots where no atom is, raw 8-bit names, an address as a name in front of the same domain.
 */
export class FromList {
  readonly #text: string
  #at = 0
  #spaced = false
  #token: Token = { kind: 'end', text: '', spaced: false }
  readonly #found: FromAddress[] = []

  constructor(raw: string) {
    const text = raw.replace(/\r?\n(?=[ \t])/g, '').replace(/\r?\n$/, '')
    if (/[\x00-\x08\x0a-\x1f\x7f]/.test(text)) throw new UnreadableFrom('it holds a control character')
    this.#text = text
  }

  read(): readonly FromAddress[] {
    this.#next()
    while (!this.#isEnd()) {
      if (!this.#isSpecial(',')) this.#address(true)
      if (!this.#isEnd()) this.#expect(',')
    }
    return this.#found
  }

  /** A mailbox, or a group where one may stand. */
  #address(groupAllowed: boolean): void {
    const words: Token[] = []
    while (this.#isWord() || this.#isSpecial('@')) {
      words.push(this.#token)
      this.#next()
    }
    if (this.#isSpecial('<')) {
      const address = this.#angle()
      if (address !== undefined) this.#add(address, words)
      else if (words.length > 0) throw new UnreadableFrom('a name has no address')
    } else if (this.#isSpecial(':') && groupAllowed && words.length > 0 && !words.some(isAt)) this.#group()
    else if (words.length > 0) this.#add(addressOf(withoutName(words)), [])
    else throw this.#unexpected()
  }

  #group(): void {
    this.#next()
    while (!this.#isSpecial(';')) {
      if (!this.#isSpecial(',')) this.#address(false)
      if (!this.#isSpecial(';')) this.#expect(',')
    }
    this.#next()
  }

  /** @returns undefined for `<>`. */
  #angle(): FromAddress | undefined {
    this.#next({ inAddress: true })
    const words: Token[] = []
    while (this.#isWord() || this.#isSpecial('@')) {
      words.push(this.#token)
      this.#next({ inAddress: true })
    }
    if (!this.#isSpecial('>')) throw this.#unexpected()
    this.#next()
    return words.length === 0 ? undefined : addressOf(words)
  }

  #add(address: FromAddress, name: readonly Token[]): void {
    for (const [i, token] of name.entries()) {
      if (!isAt(token)) continue
      const domain = name[i + 1]?.kind === 'atom' ? canonicalAtom(name[i + 1]?.text ?? '') : undefined
      if (domain !== address.domain) throw new UnreadableFrom('its name holds another address without quotes')
    }
    if (this.#found.length >= MAX_AUTHORS)
      throw new UnreadableFrom(`it names more than ${MAX_AUTHORS} authors`)
    this.#found.push(address)
  }

  #isSpecial(char: string): boolean {
    return this.#token.kind === 'special' && this.#token.text === char
  }

  #isEnd(): boolean {
    return this.#token.kind === 'end'
  }

  #isWord(): boolean {
    return this.#token.kind !== 'special' && this.#token.kind !== 'end'
  }

  #expect(char: string): void {
    if (!this.#isSpecial(char)) throw this.#unexpected()
    this.#next()
  }

  #unexpected(): UnreadableFrom {
    if (this.#token.kind === 'end') return new UnreadableFrom('it ends too early')
    return new UnreadableFrom(`there is ${this.#token.text || 'a text'} where rfc5322 allows none`)
  }

  #next(where: { readonly inAddress?: boolean } = {}): void {
    this.#spaced = false
    const text = this.#text
    for (;;) {
      const spaces = matchAt(SPACES, text, this.#at)
      if (spaces === undefined && text[this.#at] !== '(') break
      this.#spaced = true
      if (spaces !== undefined) this.#at += spaces.length
      else if (where.inAddress === true) throw new UnreadableFrom('a comment stands within an address')
      else this.#comment()
    }
    this.#token = this.#at >= text.length ? { kind: 'end', text: '', spaced: this.#spaced } : this.#read()
  }

  #comment(): void {
    const start = this.#at
    this.#at = commentEnd(this.#text, start)
    const isClosed = this.#at - start > 1 && this.#text[this.#at - 1] === ')'
    if (!isClosed) throw new UnreadableFrom('a comment has no end')
    if (/[@<>]/.test(this.#text.slice(start, this.#at)))
      throw new UnreadableFrom('a comment holds an address')
  }

  #read(): Token {
    const spaced = this.#spaced
    const text = this.#text
    const char = text[this.#at] as string
    const word = matchAt(ENCODED_WORD, text, this.#at)
    if (word !== undefined) return this.#take('word', word, spaced)
    const atom = matchAt(ATOM, text, this.#at)
    if (atom !== undefined) return this.#take('atom', atom, spaced)
    if (char === '"') return this.#quoted(spaced)
    if (char === '[') {
      const end = text.indexOf(']', this.#at)
      if (end < 0) throw new UnreadableFrom('a bracket has no end')
      return this.#take('literal', text.slice(this.#at, end + 1), spaced)
    }
    if (!'<>:;@,'.includes(char)) throw new UnreadableFrom(`there is ${char} outside quotes`)
    return this.#take('special', char, spaced)
  }

  #quoted(spaced: boolean): Token {
    const start = this.#at
    const end = quotedEnd(this.#text, start)
    if (end < 0) throw new UnreadableFrom('a quote has no end')
    this.#at = end
    return { kind: 'quoted', text: unquote(this.#text.slice(start + 1, end - 1)), spaced }
  }

  #take(kind: Token['kind'], text: string, spaced: boolean): Token {
    this.#at += text.length
    return { kind, text, spaced }
  }
}

/** `Ann Clark ann@sender.example`: wrong (rfc5322 §3.4), but with one `@` no reader finds another address in it. */
function withoutName(words: readonly Token[]): readonly Token[] {
  return words.filter(isAt).length === 1 && isAt(words.at(-2)) ? words.slice(-3) : words
}

/** `local@domain` and nothing else (rfc5322 §3.4.1). */
function addressOf(words: readonly Token[]): FromAddress {
  const [local, at, domain] = words
  if (!words.some(isAt)) throw new UnreadableFrom('an address has no domain')
  if (local === undefined || !isAt(at) || domain === undefined || words.length > 3) {
    throw new UnreadableFrom('an address has more than a local part and a domain')
  }
  if (at?.spaced === true || domain.spaced) throw new UnreadableFrom('there is a space within an address')
  if (local.kind !== 'atom' && local.kind !== 'quoted')
    throw new UnreadableFrom('an address has an odd local part')
  // Some programs decode first and read then, or split at the first `@`.
  if (local.text.includes('=?') || /[@<>,;:"\\()[\]]/.test(local.text)) {
    throw new UnreadableFrom('a local part holds what looks like another address')
  }
  const canonical =
    domain.kind === 'literal'
      ? domainOrLiteral(domain.text)
      : domain.kind === 'atom'
        ? canonicalAtom(domain.text)
        : undefined
  const name = utf8Octets(local.text) ?? local.text
  if (canonical === undefined) throw new UnreadableFrom('an address has a domain that is none')
  return { local: name, domain: canonical }
}

function canonicalAtom(octets: string): string | undefined {
  const text = utf8Octets(octets)
  return text === undefined ? undefined : domainOrLiteral(text)
}

function isAt(token: Token | undefined): boolean {
  return token?.kind === 'special' && token.text === '@'
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

/** @param text decoded; a literal stays as it is (rfc5322 §3.4.1). */
export function domainOrLiteral(text: string): string | undefined {
  return /^\[[\x21-\x5a\x5e-\x7e]{1,64}\]$/.test(text) ? text.toLowerCase() : canonicalDomain(text)
}

/** Octets as UTF-8 (rfc6532 §3.2). */
function utf8Octets(octets: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(fromLatin1(octets))
  } catch {
    return undefined
  }
}
