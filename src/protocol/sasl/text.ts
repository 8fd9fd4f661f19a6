/** Text as SASL has it: UTF-8 that is valid, without control characters where it names somebody. */

const CONTROL = /[\u0000-\u001f\u007f]/

/** @returns undefined where the octets are no valid UTF-8 (rfc3629 §3: overlong forms and surrogates are not). */
export function strictUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}

/** Names go into logs, lookups and headers: none is empty, too long or holds a control character. */
export function isName(text: string, maxOctets: number): boolean {
  return text !== '' && Buffer.byteLength(text) <= maxOctets && !CONTROL.test(text)
}
