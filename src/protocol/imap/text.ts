import { encodeMutf7 } from '../../bytes/mutf7.ts'
import { assert } from '../../mail/assert.ts'

/**
 * Strings on the wire (rfc3501 §4.3). What goes out is held as characters U+0000 to U+00FF, one an octet.
 */

/** rfc3501 §9, ASTRING-CHAR: atom characters and `]`. */
const ASTRING = /^[!#$&'+,\-./0-9:;<=>?@A-Z[\]^_`a-z|}~]+$/
const ATOM = /^[!#$&'+,\-./0-9:;<=>?@A-Z[^_`a-z|}~]+$/
/** Quoted strings hold 7-bit characters but NUL, CR and LF. */
const QUOTABLE = /^[\x01-\x09\x0b\x0c\x0e-\x7f]*$/
/** Above this a literal is as good: some clients have small buffers for quoted strings. */
const MAX_QUOTED = 1000

/** Octets as a quoted string where they can be one, else as a literal. */
export function imapString(octets: string): string {
  if (octets.length <= MAX_QUOTED && QUOTABLE.test(octets)) return `"${octets.replace(/["\\]/g, '\\$&')}"`
  return `{${octets.length}}\r\n${octets}`
}

export function astring(octets: string): string {
  return ASTRING.test(octets) && octets.toUpperCase() !== 'NIL' ? octets : imapString(octets)
}

export function nstring(octets: string | null): string {
  return octets === null ? 'NIL' : imapString(octets)
}

/** A mailbox name for the wire (rfc3501 §5.1.3). */
export function mailboxString(name: string): string {
  const wire = encodeMutf7(name)
  return ATOM.test(wire) && wire.toUpperCase() !== 'NIL' ? wire : imapString(wire)
}

export function utf8Octets(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

export function capabilityWord(word: string): string {
  assert(ATOM.test(word), `not a capability: ${word}`)
  return word
}

export function flagWord(flag: string): string {
  assert(ATOM.test(flag.startsWith('\\') ? flag.slice(1) : flag), `not a flag: ${flag}`)
  return flag
}

/**
 * Text for people at the end of a response: one line of ASCII, never empty, and never starting like a code
 * (rfc3501 §9, resp-text). It may quote what a peer sent, so nothing at its end may look like a literal either.
 */
export function responseText(text: string): string {
  const line = text
    .replace(/[^\x20-\x7e]+/g, (run) => (/[\r\n]/.test(run) ? ' ' : '?'))
    .slice(0, MAX_QUOTED)
    .replace(/\}$/, ')')
  return line === '' ? 'done' : line.replace(/^ *\[/, '(')
}
