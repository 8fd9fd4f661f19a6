import { latin1 } from './ascii.ts'

const STRICT = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const FOREIGN = /[^A-Za-z0-9+/=]+/g

/** rfc2045 §6.8: encoded lines have at most 76 characters. */
const LINE_CHARS = 76

/**
 * Decodes what must be exact, such as a SASL response (rfc4648 §4): the alphabet only, padded, no white
 * space, and no bits set that the octets do not use.
 * @returns undefined where the text is anything else.
 */
export function decodeBase64Strict(text: string): Buffer | undefined {
  if (!STRICT.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64')
  // rfc4648 §3.5: two texts for the same octets would be two spellings of one secret.
  return bytes.toString('base64') === text ? bytes : undefined
}

/**
 * Decodes a base64 body (rfc2045 §6.8): octets outside the alphabet are ignored, missing padding is forgiven,
 * and padding in the middle ends one run and begins the next, as programs that join encoded files write it.
 */
export function decodeBase64(encoded: Uint8Array): Buffer {
  const text = latin1(encoded).replace(FOREIGN, '')
  const padding = text.indexOf('=')
  if (padding < 0 || text.length - padding <= 2) return Buffer.from(text, 'base64')
  return Buffer.concat(
    text
      .split('=')
      .filter((run) => run !== '')
      .map((run) => Buffer.from(run, 'base64')),
  )
}

export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/** For a body: lines of 76 characters, each with its CRLF. */
export function encodeBase64Lines(bytes: Uint8Array): string {
  const text = encodeBase64(bytes)
  let out = ''
  for (let at = 0; at < text.length; at += LINE_CHARS) out += `${text.slice(at, at + LINE_CHARS)}\r\n`
  return out
}
