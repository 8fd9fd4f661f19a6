/*
 * xtext (rfc3461 §4): printable ASCII stands for itself, `+` and two hexadecimal digits for any octet.
 */

/** The octets as characters U+0000..U+00FF joined to UTF-8 text, or undefined where it is no xtext. */
export function decodeXtext(text: string): string | undefined {
  if (!/^(?:[!-*,-<>-~\u0080-\u{10ffff}]|\+[0-9A-Fa-f]{2})*$/u.test(text)) return undefined
  if (!text.includes('+')) return text
  const parts = text.match(/\+[0-9A-Fa-f]{2}|[^+]+/gu) ?? []
  const bytes = Buffer.concat(
    parts.map((part) =>
      part.startsWith('+') ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part, 'utf8'),
    ),
  )
  const decoded = bytes.toString('utf8')
  return decoded.includes('\ufffd') ? bytes.toString('latin1') : decoded
}

/** Any text as xtext, octets of its UTF-8 form. */
export function encodeXtext(text: string): string {
  let out = ''
  for (const octet of Buffer.from(text, 'utf8')) {
    const plain = octet >= 0x21 && octet <= 0x7e && octet !== 0x2b && octet !== 0x3d
    out += plain ? String.fromCharCode(octet) : `+${octet.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return out
}
