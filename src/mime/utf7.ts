/**
 * UTF-7 (rfc2152). Nothing is executed or interpreted after it, so decoding it is safe here; where text is
 * compared or shown it is the decoded text that is compared and shown.
 */

const SHIFTED = /\+([A-Za-z0-9+/]*)-?/g

/** Decodes; what is no valid shifted run becomes U+FFFD. Never fails, linear. */
export function decodeUtf7(text: string): string {
  return text.replace(SHIFTED, (_all, run: string) => {
    if (run === '') return '+'
    const octets = Buffer.from(run, 'base64')
    return octets
      .subarray(0, octets.length & ~1)
      .swap16()
      .toString('utf16le')
      .toWellFormed()
  })
}
