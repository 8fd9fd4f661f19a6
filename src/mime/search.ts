import { decodeText } from './charset.ts'
import { headerFields, unfold } from './header.ts'
import type { Part } from './parts.ts'
import { partText, type ReadRange, textParts } from './text.ts'
import { decodeWords } from './words.ts'

/**
 * IMAP SEARCH on text (rfc3501 §6.4.4): substrings, case ignored, found in decoded text. Both sides are
 * brought to NFKC and lower case, so that half-width and full-width letters and kana are one, as people who
 * type Japanese expect; accents are kept.
 */
export function searchForm(text: string): string {
  // ASCII needs no normalisation.
  const composed = /^[\x00-\x7f]*$/.test(text) ? text : withoutLongRuns(text).normalize('NFKC')
  return composed.toLowerCase().replaceAll('ς', 'σ')
}

/** Marks that combine with the letter before them, and the half-width ones that become such marks. */
const LONG_RUN = /[\p{M}\uff9e\uff9f]{30}(?=[\p{M}\uff9e\uff9f])/gu
/** The combining grapheme joiner: no sign, and marks are not put in order across it. */
const JOINER = '\u034f'

/**
 * Marks in a row are put in order by their class, one by one: a text of some millions of them would take days. No
 * language has more than a few, and the stream-safe format of Unicode (UAX 15) ends a run after 30.
 */
function withoutLongRuns(text: string): string {
  return text.replace(LONG_RUN, `$&${JOINER}`)
}

/** Above this the search of the JavaScript engine may take the product of both lengths, as for `baaa…` in `aaa…`. */
const NATIVE_CHARS = 32

/** Whether `form` holds `needle`, both in `searchForm`. Time grows with the sum of their lengths. */
export function formHolds(form: string, needle: string): boolean {
  return needle.length <= NATIVE_CHARS ? form.includes(needle) : holdsLong(form, needle)
}

/** The method of Knuth, Morris and Pratt: what was compared once is not compared again. */
function holdsLong(form: string, needle: string): boolean {
  if (form.length < needle.length) return false
  const back = new Uint32Array(needle.length)
  for (let at = 1, same = 0; at < needle.length; at++) {
    const unit = needle.charCodeAt(at)
    while (same > 0 && needle.charCodeAt(same) !== unit) same = back[same - 1] as number
    if (needle.charCodeAt(same) === unit) same++
    back[at] = same
  }
  for (let at = 0, same = 0; at < form.length; at++) {
    const unit = form.charCodeAt(at)
    while (same > 0 && needle.charCodeAt(same) !== unit) same = back[same - 1] as number
    if (needle.charCodeAt(same) === unit && ++same === needle.length) return true
  }
  return false
}

/** A header that is searched: its fields are read once, and each decoded once, however much is looked for. */
export class SearchedHeader {
  readonly #octets: Uint8Array
  readonly #fields: readonly { readonly key: string; readonly raw: string }[]
  readonly #forms: (readonly string[])[] = []
  #whole: string | undefined

  constructor(octets: Uint8Array) {
    this.#octets = octets
    this.#fields = headerFields(octets)
  }

  /**
   * HEADER: whether a field of this name holds the text, decoded or as written. Any field of the name will do
   * where the text is empty. FROM, TO, SUBJECT and their kin are the same with their name.
   */
  holds(name: string, text: string): boolean {
    const key = name.toLowerCase()
    const needle = searchForm(text)
    return this.#fields.some((field, index) => field.key === key && this.#fieldHolds(index, needle))
  }

  /** Whether any of it holds the text. @param needle in `searchForm`. */
  anyHolds(needle: string): boolean {
    this.#whole ??= searchForm(decodeText(this.#octets, undefined).text)
    if (formHolds(this.#whole, needle)) return true
    return this.#fields.some((_, index) => this.#fieldHolds(index, needle))
  }

  #fieldHolds(index: number, needle: string): boolean {
    if (needle === '') return true
    this.#forms[index] ??= formsOf(this.#fields[index]?.raw ?? '')
    return this.#forms[index].some((form) => formHolds(form, needle))
  }
}

function formsOf(raw: string): readonly string[] {
  const value = unfold(raw)
  return [searchForm(value), searchForm(decodeWords(value).text)]
}

/** BODY asks for the decoded text parts and the headers of messages within, TEXT for the header besides. */
export interface WantedText {
  readonly kind: 'body' | 'text'
  readonly text: string
}

/**
 * Which of the texts a message holds, in their order. Each part is decoded once, however many texts are looked for, and
 * let go before the next: a thousand texts would else decode a large message a thousand times.
 */
export function heldTexts(
  message: { readonly root: Part; readonly header: SearchedHeader; readonly read: ReadRange },
  wanted: readonly WantedText[],
): readonly boolean[] {
  const { root, header, read } = message
  const sought = wanted.map(({ kind, text }) => {
    const needle = searchForm(text)
    const isHeld = kind === 'text' ? header.anyHolds(needle) : needle === ''
    return { needle, isHeld }
  })
  const look = (holds: (needle: string) => boolean): void => {
    for (const one of sought) one.isHeld ||= holds(one.needle)
  }
  const isOver = (): boolean => sought.every(({ isHeld }) => isHeld)
  for (const part of messagesWithin(root)) {
    if (isOver()) break
    const inner = new SearchedHeader(read(part.headerStart, part.bodyStart))
    look((needle) => inner.anyHolds(needle))
  }
  for (const part of textParts(root)) {
    if (isOver()) break
    const form = searchForm(partText(part, read).text)
    look((needle) => formHolds(form, needle))
  }
  return sought.map(({ isHeld }) => isHeld)
}

function messagesWithin(part: Part): Part[] {
  if (part.message !== undefined) return [part.message, ...messagesWithin(part.message)]
  return part.children.flatMap(messagesWithin)
}
