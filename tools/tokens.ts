// Cuts TypeScript into tokens, no more: enough to find imports, comments, names and braces without being misled by
// what stands inside a string, a template, a comment or a regular expression. TypeScript 7 offers its own scanner only
// under `unstable/`, and a check that breaks with a patch release of the compiler is worse than these lines.

export interface Token {
  readonly kind: 'word' | 'number' | 'string' | 'template' | 'regex' | 'mark' | 'comment'
  /** As written; of a string, quotes included. A template is one token per piece of text between its `${ }`. */
  readonly text: string
  readonly offset: number
  /** Counted from 1. */
  readonly line: number
}

const word = /[\p{ID_Start}$_#@\\][\p{ID_Continue}$\\]*/uy
const number = /\.?\d(?:[\w.]|(?<=[eE])[+-])*/y
const space = /\s+/y
const comment = /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|^#![^\n]*/y
const string = /'(?:[^'\\\n]|\\[\s\S])*'?|"(?:[^"\\\n]|\\[\s\S])*"?/y
const templatePiece = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{|$)/y
const regex = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y
const mark = /=>|\.\.\.|\?\.(?!\d)|\?\?=?|[-+*/%&|^<>=!]=*|[\s\S]/y

// After these words a slash begins a regular expression, not a division.
const wordsBeforeValue = new Set(
  'return typeof case in of new delete void throw instanceof do else yield await'.split(' '),
)

/** The tokens of a source text in order, comments among them. Never fails: broken text gives odd tokens. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  // One entry for each open brace: whether its end brings back the text of a template.
  const braces: boolean[] = []
  let offset = 0
  let line = 1
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = offset
    return pattern.exec(text)?.[0] || undefined
  }
  const push = (kind: Token['kind'], piece: string): void => {
    tokens.push({ kind, text: piece, offset, line })
    advance(piece)
  }
  const advance = (piece: string): void => {
    offset += piece.length
    for (let at = piece.indexOf('\n'); at !== -1; at = piece.indexOf('\n', at + 1)) line += 1
  }
  const pushTemplate = (start: string): void => {
    offset += start.length
    const piece = take(templatePiece) ?? ''
    offset -= start.length
    push('template', start + piece)
    if (piece.endsWith('${')) braces.push(true)
  }
  while (offset < text.length) {
    const blank = take(space)
    if (blank !== undefined) {
      advance(blank)
      continue
    }
    const note = take(comment)
    if (note !== undefined) {
      push('comment', note)
      continue
    }
    const next = text[offset]
    if (next === '`' || (next === '}' && braces.at(-1))) {
      if (next === '}') braces.pop()
      pushTemplate(next)
      continue
    }
    if (next === '{') braces.push(false)
    if (next === '}') braces.pop()
    const [kind, piece] = takeToken(take, next === '/' && startsValue(lastCode(tokens)))
    push(kind, piece)
  }
  return tokens
}

function takeToken(
  take: (pattern: RegExp) => string | undefined,
  mayBeRegex: boolean,
): [kind: Token['kind'], piece: string] {
  const tries: [Token['kind'], RegExp][] = [
    ['word', word],
    ['number', number],
    ['string', string],
  ]
  if (mayBeRegex) tries.push(['regex', regex])
  for (const [kind, pattern] of tries) {
    const piece = take(pattern)
    if (piece !== undefined) return [kind, piece]
  }
  return ['mark', take(mark) ?? '']
}

function lastCode(tokens: readonly Token[]): Token | undefined {
  return tokens.findLast((token) => token.kind !== 'comment')
}

function startsValue(previous: Token | undefined): boolean {
  if (previous === undefined) return true
  if (previous.kind === 'word') return wordsBeforeValue.has(previous.text)
  if (previous.kind === 'template') return previous.text.endsWith('${')
  return previous.kind === 'mark' && !/^[)\]}]$/.test(previous.text)
}

/** The tokens that are not comments. */
export function codeOf(tokens: readonly Token[]): Token[] {
  return tokens.filter((token) => token.kind !== 'comment')
}

/** Where the bracket at `open` is closed, or the end. Templates count as one bracket per piece. */
export function closing(code: readonly Token[], open: number): number {
  let depth = 0
  for (let index = open; index < code.length; index += 1) {
    const token = code[index]
    if (token === undefined) break
    const isTemplate = token.kind === 'template'
    if (isTemplate ? token.text.startsWith('}') : token.kind === 'mark' && /^[)\]}]$/.test(token.text))
      depth -= 1
    if (isTemplate ? token.text.endsWith('${') : token.kind === 'mark' && /^[([{]$/.test(token.text))
      depth += 1
    if (depth <= 0) return index
  }
  return code.length - 1
}
