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

/** An address of type `utf-8` in ASCII (rfc6533 §3, utf-8-addr-xtext), which is xtext as it is. */
export function escapeUtf8Address(text: string): string {
  return text.replace(
    /[^\x21-\x7e]|[\\+=]/gu,
    (char) => `\\x{${(char.codePointAt(0) as number).toString(16).toUpperCase()}}`,
  )
}

/** Undoes `escapeUtf8Address`, on text that may hold UTF-8 as well; undefined where a code point is none. */
export function unescapeUtf8Address(text: string): string | undefined {
  const points = [...text.matchAll(/\\x\{([0-9A-Fa-f]{1,6})\}/g)].map(([, hex]) =>
    Number.parseInt(hex as string, 16),
  )
  if (points.some((point) => point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))) return undefined
  return text.replace(/\\x\{([0-9A-Fa-f]{1,6})\}/g, (_, hex: string) =>
    String.fromCodePoint(Number.parseInt(hex, 16)),
  )
}
