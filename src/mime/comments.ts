import { MAX_COMMENT_DEPTH } from './limits.ts'

/**
 * Where a comment (rfc5322 §3.2.2) that opens at `start` ends, after its `)`; at the end of the text where it
 * is not closed. Parentheses below `MAX_COMMENT_DEPTH` count as text. Linear, no recursion.
 */
export function commentEnd(text: string, start: number): number {
  let depth = 0
  for (let i = start; i < text.length; i++) {
    const char = text[i]
    if (char === '\\') i++
    else if (char === '(' && depth < MAX_COMMENT_DEPTH) depth++
    else if (char === ')' && --depth === 0) return i + 1
  }
  return text.length
}

/** Where a quoted string (rfc5322 §3.2.4) that opens at `start` ends, after its quote; -1 where it does not. */
export function quotedEnd(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const char = text[i]
    if (char === '\\') i++
    else if (char === '"') return i + 1
  }
  return -1
}

/** What stands between the delimiters of a quoted string or comment, its quoted pairs resolved. */
export function unquote(inner: string): string {
  return inner.includes('\\') ? inner.replace(/\\([\s\S])/g, '$1') : inner
}

/** The text with each comment outside of quoted strings replaced by one space. */
export function withoutComments(text: string): string {
  if (!text.includes('(')) return text
  let out = ''
  let from = 0
  let i = 0
  while (i < text.length) {
    const char = text[i]
    if (char === '"') {
      const end = quotedEnd(text, i)
      // Unclosed: no later quote can close either.
      if (end < 0) break
      i = end
    } else if (char === '(') {
      out += `${text.slice(from, i)} `
      i = commentEnd(text, i)
      from = i
    } else {
      i += char === '\\' ? 2 : 1
    }
  }
  return out + text.slice(from)
}
