import { AddressLexer, type AddressToken } from './address-lexer.ts'
import { MAX_ADDRESS_FIELD_BYTES, MAX_ADDRESSES } from './limits.ts'

/** What an address field lists, undecoded: octets as U+0000..U+00FF, quoting resolved. Groups do not nest. */
export type AddressEntry = MailboxEntry | { readonly kind: 'group-start'; readonly phrase: string } | GroupEnd

export interface MailboxEntry {
  readonly kind: 'mailbox'
  /** The display name, or the comment that old programs put behind the address. */
  readonly phrase: string | undefined
  /** rfc5322 §4.4: `@a,@b`. */
  readonly route: string | undefined
  readonly local: string
  /** Empty where none was given. */
  readonly domain: string
}

interface GroupEnd {
  readonly kind: 'group-end'
}

export interface AddressEntries {
  readonly entries: readonly AddressEntry[]
  readonly leniencies: readonly string[]
}

/** Reads an address field (rfc5322 §3.4, §4.4), forgiving; every entry keeps its place. Linear, never fails. */
export function readAddressList(raw: string): AddressEntries {
  const tags = new Set<string>()
  if (raw.length > MAX_ADDRESS_FIELD_BYTES) tags.add('address-list-cut')
  return new ListReader(raw.slice(0, MAX_ADDRESS_FIELD_BYTES), tags).read()
}

interface Spec {
  readonly route: string | undefined
  readonly local: string
  readonly domain: string
}

class ListReader {
  readonly #lexer: AddressLexer
  readonly #tags: Set<string>
  readonly #entries: AddressEntry[] = []
  #words: AddressToken[] = []
  #comment: string | undefined
  #angle: Spec | undefined
  #inGroup = false
  /** Words follow a complete `<…>` without a comma. */
  #afterAngle = false

  constructor(text: string, tags: Set<string>) {
    this.#lexer = new AddressLexer(text, tags)
    this.#tags = tags
  }

  read(): AddressEntries {
    for (let token = this.#lexer.next(); token !== undefined; token = this.#lexer.next()) {
      if (this.#entries.length >= MAX_ADDRESSES) {
        this.#tags.add('address-list-cut')
        break
      }
      if (token.kind === 'special') this.#special(token)
      else if (token.kind === 'comment') this.#comment = token.text
      else this.#word(token)
    }
    this.#flush()
    if (this.#inGroup) {
      this.#tags.add('group-unclosed')
      this.#entries.push({ kind: 'group-end' })
    }
    return { entries: this.#entries, leniencies: [...this.#tags] }
  }

  #special(token: AddressToken): void {
    if (token.text === ',') this.#flush()
    else if (token.text === ';') this.#semicolon()
    else if (token.text === ':') this.#colon(token)
    else if (token.text === '<') this.#openAngle()
    else if (token.text === '@') this.#word(token)
    else this.#tags.add('address-stray-bracket')
  }

  #word(token: AddressToken): void {
    if (this.#angle !== undefined) {
      this.#flush()
      this.#afterAngle = true
    }
    this.#words.push(token)
  }

  #semicolon(): void {
    this.#flush()
    if (this.#inGroup) this.#entries.push({ kind: 'group-end' })
    else this.#tags.add('address-semicolon')
    this.#inGroup = false
  }

  #colon(token: AddressToken): void {
    const isName = this.#words.length > 0 && this.#angle === undefined && !this.#words.some(isAt)
    if (!isName) {
      this.#word(token)
      return
    }
    if (this.#inGroup) {
      this.#tags.add('group-nested')
      this.#entries.push({ kind: 'group-end' })
    }
    this.#entries.push({ kind: 'group-start', phrase: joined(this.#words) })
    this.#inGroup = true
    this.#clear()
  }

  #openAngle(): void {
    if (this.#angle !== undefined) {
      this.#tags.add('address-comma-missing')
      this.#flush()
    }
    if (this.#afterAngle) this.#tags.add('address-comma-missing')
    this.#afterAngle = false
    const tokens: AddressToken[] = []
    let isRoute = false
    for (let token = this.#lexer.next(); token !== undefined; token = this.#lexer.next()) {
      if (token.kind === 'comment') {
        this.#comment ??= token.text
        continue
      }
      if (token.kind !== 'special' || token.text === '@') {
        isRoute ||= tokens.length === 0 && token.text === '@'
        tokens.push(token)
      } else if (token.text === '>') {
        this.#angle = this.#angleSpec(tokens)
        return
      } else if (token.text === ':' || (token.text === ',' && isRoute)) {
        isRoute &&= token.text === ','
        tokens.push(token)
      } else if (token.text === '<') {
        this.#tags.add('address-stray-bracket')
      } else {
        this.#closeAngleAt(token, tokens)
        return
      }
    }
    this.#tags.add('bracket-unclosed')
    this.#angle = this.#angleSpec(tokens)
  }

  /** A comma or semicolon within brackets: the closing bracket was forgotten. */
  #closeAngleAt(token: AddressToken, tokens: readonly AddressToken[]): void {
    this.#tags.add('bracket-unclosed')
    this.#angle = this.#angleSpec(tokens)
    this.#special(token)
  }

  #angleSpec(tokens: readonly AddressToken[]): Spec {
    const colon =
      tokens[0]?.text === '@' ? tokens.findIndex((t) => t.kind === 'special' && t.text === ':') : -1
    const route = colon < 0 ? undefined : joined(tokens.slice(0, colon), '')
    if (route !== undefined) this.#tags.add('address-route')
    const spec = tokens.slice(colon + 1)
    const at = spec.findLastIndex(isAt)
    if (at < 0) return { route, local: joined(spec), domain: '' }
    return { route, local: joined(spec.slice(0, at)), domain: joined(spec.slice(at + 1), '') }
  }

  #flush(): void {
    if (this.#angle !== undefined) this.#flushAngle(this.#angle)
    else if (this.#words.length > 0) this.#flushBare()
    this.#clear()
  }

  #flushAngle(spec: Spec): void {
    const phrase = this.#words.length > 0 ? joined(this.#words) : this.#comment
    if (this.#words.some(isAt)) this.#tags.add('address-in-name')
    if (spec.domain === '') {
      this.#tags.add('address-without-domain')
      if (spec.local === '' && phrase === undefined) return
    }
    this.#entries.push({ kind: 'mailbox', phrase, ...spec })
  }

  /** Addresses without brackets: `a@b`, and as a leniency `Name a@b` and `a@b c@d`. */
  #flushBare(): void {
    const words = this.#words
    let from = 0
    let at = words.findIndex(isAt)
    while (at >= 0) {
      let next = at + 1
      // `a@b@c`: all but the last `@` belong to the local part.
      while (next < words.length && isGlued(words, next)) {
        if (isAt(words[next])) at = next
        next++
      }
      let start = at
      while (start > from && isGlued(words, start)) start--
      const before = words.slice(from, start)
      if (before.length > 0) this.#tags.add('address-without-brackets')
      this.#entries.push({
        kind: 'mailbox',
        phrase: before.length > 0 ? joined(before) : this.#comment,
        route: undefined,
        local: joined(words.slice(start, at), ''),
        domain: joined(words.slice(at + 1, next), ''),
      })
      from = next
      at = nextAt(words, next)
      if (at >= 0) this.#tags.add('address-comma-missing')
    }
    if (from < words.length) this.#flushWords(words.slice(from), from > 0)
  }

  #flushWords(words: readonly AddressToken[], followsAddress: boolean): void {
    if (this.#afterAngle || followsAddress) {
      this.#tags.add('text-after-address')
      return
    }
    this.#tags.add('address-without-domain')
    const isLocal = words.length === 1
    this.#entries.push({
      kind: 'mailbox',
      phrase: isLocal ? this.#comment : joined(words),
      route: undefined,
      local: isLocal ? (words[0] as AddressToken).text : '',
      domain: '',
    })
  }

  #clear(): void {
    this.#words = []
    this.#comment = undefined
    this.#angle = undefined
    this.#afterAngle = false
  }
}

function nextAt(words: readonly AddressToken[], from: number): number {
  for (let index = from; index < words.length; index++) if (isAt(words[index])) return index
  return -1
}

function isAt(token: AddressToken | undefined): boolean {
  return token !== undefined && token.kind === 'special' && token.text === '@'
}

/** Whether a token belongs to the one before it: no space between, or a dot or `@` on one side (rfc5322 §4.4). */
function isGlued(words: readonly AddressToken[], index: number): boolean {
  const token = words[index] as AddressToken
  const before = words[index - 1]
  if (before === undefined) return false
  if (!token.spaced || isAt(token) || isAt(before)) return true
  return (
    (token.kind === 'atom' && token.text.startsWith('.')) ||
    (before.kind === 'atom' && before.text.endsWith('.'))
  )
}

function joined(tokens: readonly AddressToken[], space = ' '): string {
  let out = ''
  for (const [index, token] of tokens.entries()) {
    out += index > 0 && token.spaced ? space + token.text : token.text
  }
  return out
}
