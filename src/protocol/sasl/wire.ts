import { decodeBase64Strict, encodeBase64 } from '../../bytes/base64.ts'
import { MAX_RESPONSE_BASE64_OCTETS } from './limits.ts'

/**
 * The line form that SMTP (rfc4954 §4) and IMAP (rfc3501 §6.2.2, rfc4959 §3) share: base64, `*` to cancel, `=`
 * for an initial response that is there and empty.
 */

export type ReadResponse =
  | { readonly kind: 'response'; readonly bytes: Uint8Array }
  | { readonly kind: 'cancelled' }
  /** No base64, or too much of it: `501 5.5.2`, `BAD`. */
  | { readonly kind: 'malformed' }

/** Reads the client's answer to a challenge, without its line end. */
export function readResponse(line: string): ReadResponse {
  if (line === '*') return { kind: 'cancelled' }
  const bytes = line.length <= MAX_RESPONSE_BASE64_OCTETS ? decodeBase64Strict(line) : undefined
  return bytes === undefined ? { kind: 'malformed' } : { kind: 'response', bytes }
}

/** Reads the initial response behind the mechanism's name. */
export function readInitialResponse(argument: string): ReadResponse {
  if (argument === '=') return { kind: 'response', bytes: Buffer.alloc(0) }
  // An empty argument is none at all; `*` is an answer, never an initial response.
  return argument === '' || argument === '*' ? { kind: 'malformed' } : readResponse(argument)
}

/** What stands behind `334 ` or `+ `; empty for an empty challenge. */
export const writeChallenge = (bytes: Uint8Array): string => encodeBase64(bytes)

/** Our client side's first octets behind the mechanism's name. */
export const writeInitialResponse = (bytes: Uint8Array): string =>
  bytes.length === 0 ? '=' : encodeBase64(bytes)
