/**
 * IMAP's strings (rfc3501 §4.3), rendered as octets U+0000..U+00FF. Only what a quoted string can hold goes
 * into one; the rest is a literal. NUL, which neither can hold, is dropped.
 */

/** `nstring`: NIL where there is none. */
export function nstring(octets: string | undefined): string {
  return octets === undefined ? 'NIL' : wireString(octets)
}

export function wireString(octets: string): string {
  if (/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(octets)) return `"${octets}"`
  const clean = octets.includes('\0') ? octets.replaceAll('\0', '') : octets
  if (/^[^\r\n\x80-\xff]*$/.test(clean)) return `"${clean.replace(/["\\]/g, '\\$&')}"`
  return `{${clean.length}}\r\n${clean}`
}
