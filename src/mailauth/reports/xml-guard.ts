import { REPORT_LIMITS } from './limits.ts'

const NAME = /^[A-Za-z_][A-Za-z0-9_.-]*(?::[A-Za-z_][A-Za-z0-9_.-]*)?$/
/** Names that mean something to every object: no element of a report is called so. */
const DANGEROUS: ReadonlySet<string> = new Set([
  '__proto__',
  'constructor',
  'prototype',
  'hasownproperty',
  'tostring',
])
/** The five entities of XML itself and numbers (XML 1.0 §4.1); all others would have to be declared. */
const REFERENCE = /&(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});/y

/** A child of the root: where it stands, from its `<` to behind its `>`. */
export interface XmlChild {
  /** Lower case, without a namespace's prefix. */
  readonly name: string
  readonly start: number
  readonly end: number
}

export type GuardedXml =
  | { readonly ok: true; readonly root: string; readonly children: readonly XmlChild[] }
  | { readonly ok: false; readonly why: string }

/**
 * Looks a document through in one pass before a parser makes values of it: well nested, no document type (which alone
 * declares entities), within the limits. What passes cannot make the parser slow or large, child by child.
 */
export function guardXml(text: string): GuardedXml {
  const walk = new Walk(text)
  const why = walk.run()
  return why === undefined ? { ok: true, root: walk.root, children: walk.children } : { ok: false, why }
}

class Walk {
  readonly children: XmlChild[] = []
  root = ''
  readonly #text: string
  readonly #open: string[] = []
  #elements = 0
  /** Where the child of the root that is open began. */
  #childAt = 0

  constructor(text: string) {
    this.#text = text
  }

  /** @returns why it is refused. */
  run(): string | undefined {
    const text = this.#text
    for (let at = 0; at < text.length; ) {
      const lt = text.indexOf('<', at)
      const wrong = wrongText(text, at, lt < 0 ? text.length : lt, this.#open.length)
      if (wrong !== undefined) return wrong
      if (lt < 0) break
      const tag = tagAt(text, lt)
      if (typeof tag === 'string') return tag
      const refused =
        tag.kind === 'open' ? this.#enter(tag, lt) : tag.kind === 'close' ? this.#leave(tag) : undefined
      if (refused !== undefined) return refused
      at = tag.next
    }
    if (this.#elements === 0) return 'it has no element'
    return this.#open.length > 0 ? `it ends within ${this.#open.at(-1)}` : undefined
  }

  #enter(tag: Extract<Tag, { kind: 'open' }>, lt: number): string | undefined {
    const { xmlDepth, xmlElements } = REPORT_LIMITS
    if (this.#open.length === 0 && this.#elements > 0) return 'it has more than one root element'
    if (++this.#elements > xmlElements) return `it has more than ${xmlElements} elements`
    if (this.#open.length === 0) this.root = plainName(tag.name)
    if (this.#open.length === 1) this.#childAt = lt
    this.#open.push(tag.name)
    if (this.#open.length > xmlDepth) return `its elements nest deeper than ${xmlDepth}`
    return tag.isEmpty ? this.#leave(tag) : undefined
  }

  #leave(tag: { readonly name: string; readonly next: number }): string | undefined {
    if (this.#open.pop() !== tag.name) return 'an element ends that is not open'
    if (this.#open.length === 1)
      this.children.push({ name: plainName(tag.name), start: this.#childAt, end: tag.next })
    return undefined
  }
}

const plainName = (name: string): string => name.slice(name.indexOf(':') + 1).toLowerCase()

type Tag =
  | { readonly kind: 'open'; readonly name: string; readonly isEmpty: boolean; readonly next: number }
  | { readonly kind: 'close'; readonly name: string; readonly next: number }
  | { readonly kind: 'other'; readonly next: number }

/** What begins with the `<` at `lt`; a text says why it is refused. */
function tagAt(text: string, lt: number): Tag | string {
  if (text.startsWith('<!--', lt)) return skipped(text, lt, '-->')
  if (text.startsWith('<![CDATA[', lt)) return skipped(text, lt, ']]>')
  if (text.startsWith('<?', lt)) return skipped(text, lt, '?>')
  if (text.startsWith('<!', lt)) return 'it has a document type, which no report needs and attacks do'
  const gt = tagEnd(text, lt)
  if (gt === undefined) return `a tag is longer than ${REPORT_LIMITS.xmlTagChars} characters or does not end`
  const isClose = text[lt + 1] === '/'
  const isEmpty = text[gt - 1] === '/'
  const inner = text.slice(lt + (isClose ? 2 : 1), isEmpty && !isClose ? gt - 1 : gt)
  const name = /^[^\s/]*/.exec(inner)?.[0] ?? ''
  if (!NAME.test(name) || DANGEROUS.has(name.slice(name.indexOf(':') + 1).toLowerCase()))
    return 'it has an element with an odd name'
  return isClose ? { kind: 'close', name, next: gt + 1 } : { kind: 'open', name, isEmpty, next: gt + 1 }
}

/** A comment, a CDATA section or an instruction: bounded as a text is. */
function skipped(text: string, from: number, mark: string): Tag | string {
  const end = text.indexOf(mark, from)
  if (end < 0) return 'a comment, section or instruction does not end'
  return end - from > REPORT_LIMITS.xmlTextChars
    ? `a comment, section or instruction is longer than ${REPORT_LIMITS.xmlTextChars} characters`
    : { kind: 'other', next: end + mark.length }
}

/** The `>` that ends a tag: one in quotes does not. */
function tagEnd(text: string, from: number): number | undefined {
  let quote = ''
  const last = Math.min(text.length, from + REPORT_LIMITS.xmlTagChars)
  for (let at = from + 1; at < last; at++) {
    const char = text[at] as string
    if (quote !== '') {
      if (char === quote) quote = ''
    } else if (char === '"' || char === "'") quote = char
    else if (char === '>') return at
    else if (char === '<') return undefined
  }
  return undefined
}

function wrongText(text: string, start: number, end: number, depth: number): string | undefined {
  if (end === start) return undefined
  // Of the piece alone: a search in the whole would go through all of the rest, for each element.
  const piece = text.slice(start, end)
  if (piece.length > REPORT_LIMITS.xmlTextChars && piece.trim().length > REPORT_LIMITS.xmlTextChars)
    return `a text is longer than ${REPORT_LIMITS.xmlTextChars} characters`
  if (depth === 0) return /\S/.test(piece) ? 'there is text outside of its elements' : undefined
  for (let amp = piece.indexOf('&'); amp >= 0; amp = piece.indexOf('&', amp + 1)) {
    REFERENCE.lastIndex = amp
    if (!REFERENCE.test(piece)) return 'it uses an entity that XML itself does not know'
  }
  return undefined
}
