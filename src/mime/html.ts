/**
 * HTML to plain text for people who read mail in a terminal and for SEARCH. Tags go, blocks become lines,
 * scripts, styles and comments go with what they hold, entities are resolved. One pass, no tree, no regular
 * expression that can look at an octet twice: hostile HTML costs what its size costs.
 */

const BLOCKS = new Set(
  'address article aside blockquote br caption center dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table tbody tfoot thead title tr ul'.split(
    ' ',
  ),
)
const CELLS = new Set(['td', 'th'])
/** Elements whose content is no text (HTML Standard, raw text and metadata elements). */
const HIDDEN = new Set([
  'script',
  'style',
  'noscript',
  'template',
  'object',
  'svg',
  'math',
  'select',
  'textarea',
])

// The names of U+00A0..U+00FF in their order.
const LATIN_1 =
  'nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml'
const OTHERS: readonly (readonly [string, string])[] = [
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
  ['OElig', 'Œ'],
  ['oelig', 'œ'],
  ['Scaron', 'Š'],
  ['scaron', 'š'],
  ['ensp', '\u2002'],
  ['emsp', '\u2003'],
  ['thinsp', '\u2009'],
  ['zwnj', '\u200c'],
  ['zwj', '\u200d'],
  ['ndash', '–'],
  ['mdash', '—'],
  ['lsquo', '‘'],
  ['rsquo', '’'],
  ['sbquo', '‚'],
  ['ldquo', '“'],
  ['rdquo', '”'],
  ['bdquo', '„'],
  ['dagger', '†'],
  ['bull', '•'],
  ['hellip', '…'],
  ['permil', '‰'],
  ['prime', '′'],
  ['lsaquo', '‹'],
  ['rsaquo', '›'],
  ['euro', '€'],
  ['trade', '™'],
  ['larr', '←'],
  ['uarr', '↑'],
  ['rarr', '→'],
  ['darr', '↓'],
  ['minus', '−'],
  ['infin', '∞'],
  ['ne', '≠'],
  ['le', '≤'],
  ['ge', '≥'],
]
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ...LATIN_1.split(' ').map((name, index) => [name, String.fromCharCode(0xa0 + index)] as const),
  ...OTHERS,
])
const ENTITY = /&(?:#(\d{1,7})|#[xX]([0-9A-Fa-f]{1,6})|([A-Za-z][A-Za-z0-9]{1,30}));?/g

/** The readable text of an HTML document or fragment. Linear, never fails. */
export function htmlToText(html: string): string {
  return new HtmlReader(html).read()
}

class HtmlReader {
  readonly #html: string
  readonly #pieces: string[] = []
  #at = 0
  #isPre = false
  /** What separates the next text from the last: nothing, a space, a line end. */
  #gap: '' | ' ' | '\n' | '\n\n' = ''

  constructor(html: string) {
    this.#html = html
  }

  read(): string {
    while (this.#at < this.#html.length) {
      const open = this.#html.indexOf('<', this.#at)
      const end = open < 0 ? this.#html.length : open
      this.#text(this.#html.slice(this.#at, end))
      this.#at = end
      if (open >= 0) this.#markup()
    }
    return this.#pieces.join('').trim()
  }

  #markup(): void {
    const next = this.#html.charCodeAt(this.#at + 1)
    if (this.#html.startsWith('<!--', this.#at)) this.#skipPast('-->')
    else if (isLetter(next) || next === 0x2f || next === 0x21 || next === 0x3f) this.#tag()
    else {
      // A lone `<`, as in `a < b`.
      this.#text('<')
      this.#at++
    }
  }

  #tag(): void {
    const start = this.#at
    this.#skipPast('>')
    const isEnd = this.#html[start + 1] === '/'
    const name = /^[A-Za-z][A-Za-z0-9]{0,20}/.exec(this.#html.slice(start + (isEnd ? 2 : 1), start + 24))
    const tag = (name?.[0] ?? '').toLowerCase()
    if (!isEnd && HIDDEN.has(tag)) this.#skipElement(tag)
    else if (tag === 'pre') this.#isPre = !isEnd
    if (BLOCKS.has(tag)) this.#break(tag === 'p' && !isEnd ? '\n\n' : '\n')
    else if (CELLS.has(tag)) this.#break(' ')
  }

  /** To the element's end tag; one that is not closed hides the rest, as it does in a browser. */
  #skipElement(tag: string): void {
    const closing = new RegExp(`</${tag}`, 'gi')
    closing.lastIndex = this.#at
    const found = closing.exec(this.#html)
    this.#at = found === null ? this.#html.length : found.index
  }

  #skipPast(what: string): void {
    const at = this.#html.indexOf(what, this.#at)
    this.#at = at < 0 ? this.#html.length : at + what.length
  }

  #break(gap: ' ' | '\n' | '\n\n'): void {
    if (gap.length > this.#gap.length || (gap !== ' ' && this.#gap === ' ')) this.#gap = gap
    else if (gap === '\n' && this.#gap === '\n') this.#gap = '\n\n'
  }

  #text(raw: string): void {
    if (raw === '') return
    if (this.#isPre) {
      this.#pieces.push(this.#gap, decodeEntities(raw))
      this.#gap = ''
      return
    }
    const collapsed = raw.replace(/[ \t\r\n\f]+/g, ' ')
    const words = collapsed.trim()
    if (collapsed.startsWith(' ')) this.#break(' ')
    if (words === '') return
    this.#pieces.push(this.#pieces.length === 0 ? '' : this.#gap, decodeEntities(words))
    this.#gap = collapsed.endsWith(' ') ? ' ' : ''
  }
}

function decodeEntities(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(ENTITY, (all, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return ENTITIES.get(name) ?? all
    const code = decimal === undefined ? Number.parseInt(hex as string, 16) : Number(decimal)
    const valid = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)
    return valid ? String.fromCodePoint(code) : '\ufffd'
  })
}

function isLetter(code: number): boolean {
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x7a
}
