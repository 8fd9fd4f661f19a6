import { RESULTS_LIMITS } from './limits.ts'

// The words of rfc8601 §2.2, made so that whatever a peer put into a domain, a selector or a reason stays inside of
// its own word: for readers that follow the grammar, and for those that only search the line for `dmarc=pass`.

/** rfc2045 §5.1 `token`. */
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`{|}~-]+$/
/** rfc8601 §2.2 `[[local-part] "@"] domain-name` of the harmless sort: the one value that need not be quoted for its `@`. */
const ADDRESS = /^(?:[A-Za-z0-9!#$%&'*+.^_`{|}~-]+)?@[A-Za-z0-9._-]+$/

/** A host name or domain; what no such name has is written as `?`. Literals of addresses keep their brackets. */
export function domainWord(text: string): string {
  return word(text.replace(/[^A-Za-z0-9._:[\]-]/g, '?'))
}

/** An identity `[local]@domain`: printable ASCII but for what ends or begins something in any reader's eyes. */
export function identityWord(text: string): string {
  return word(text.replace(/[^\x21-\x7e]|[()"\\;=,<>]/g, '?'))
}

/** Characters of base64, without the padding: it tells nothing, and `dmarc=` might stand in it. */
export function base64Word(text: string): string {
  return word(text.replace(/=+$/, '').replace(/[^A-Za-z0-9+/]/g, '?'))
}

/** A name of an algorithm or a result: a token, or nothing. */
export function plainToken(text: string): string {
  return text.replace(/[^A-Za-z0-9-]/g, '').slice(0, RESULTS_LIMITS.valueChars)
}

/** `reason=…` (rfc8601 §2.2 `reasonspec`), always quoted, without what could look like another result. */
export function reasonWord(why: string): string {
  const clean = why
    .replace(/=/g, ' ')
    .replace(/;/g, ',')
    .replace(/["\\()<>]/g, "'")
    .replace(/[^\x20-\x7e]+/g, ' ')
    .replace(/ +/g, ' ')
    .trim()
  return `reason="${clean.slice(0, RESULTS_LIMITS.reasonChars).trimEnd()}"`
}

function word(clean: string): string {
  const text = clean.slice(0, RESULTS_LIMITS.valueChars)
  return TOKEN.test(text) || ADDRESS.test(text) ? text : `"${text}"`
}
