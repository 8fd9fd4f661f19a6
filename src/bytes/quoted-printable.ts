import { CR, LF, SP, TAB } from './ascii.ts'

const EQUALS = 0x3d
/** rfc2045 §6.7 rule 5: encoded lines have at most 76 characters, the soft line break's `=` included. */
const LINE_CHARS = 76

/**
 * Decodes a quoted-printable body (rfc2045 §6.7). White space before a line end is transport padding and goes;
 * an `=` that begins no valid escape stays as it is, as the RFC's note proposes. Never fails, linear.
 */
export function decodeQuotedPrintable(encoded: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(encoded.length)
  let length = 0
  // What stands in `out` up to the last octet that is no trailing white space of the current line.
  let solid = 0
  for (let i = 0; i < encoded.length; i++) {
    const octet = encoded[i] as number
    if (octet === EQUALS) {
      const high = hexValue(encoded[i + 1])
      const low = hexValue(encoded[i + 2])
      if (high >= 0 && low >= 0) {
        out[length++] = high * 16 + low
        i += 2
      } else {
        const next = softBreakEnd(encoded, i + 1)
        if (next < 0) out[length++] = octet
        else i = next - 1
      }
      solid = length
    } else if (octet === SP || octet === TAB) {
      out[length++] = octet
    } else {
      if (octet === LF || (octet === CR && encoded[i + 1] === LF)) length = solid
      out[length++] = octet
      solid = length
    }
  }
  // The encoding's end is a line end too.
  return out.subarray(0, solid)
}

/**
 * Encodes text for a body: its line ends (CRLF or LF) become CRLF and stay line ends, all else that is not
 * safe ASCII is escaped, long lines get soft breaks.
 */
export function encodeQuotedPrintable(bytes: Uint8Array): string {
  let out = ''
  let line = ''
  const add = (piece: string): void => {
    if (line.length + piece.length >= LINE_CHARS) {
      out += `${line}=\r\n`
      line = ''
    }
    line += piece
  }
  for (let i = 0; i < bytes.length; i++) {
    const octet = bytes[i] as number
    if (octet === LF || (octet === CR && bytes[i + 1] === LF)) {
      if (octet === CR) i++
      out += `${line}\r\n`
      line = ''
    } else if (isSafe(octet) || ((octet === SP || octet === TAB) && !endsLine(bytes, i + 1))) {
      add(String.fromCharCode(octet))
    } else {
      add(escaped(octet))
    }
  }
  return out + line
}

function escaped(octet: number): string {
  return `=${octet.toString(16).toUpperCase().padStart(2, '0')}`
}

function isSafe(octet: number): boolean {
  return octet > SP && octet < 0x7f && octet !== EQUALS
}

function endsLine(bytes: Uint8Array, at: number): boolean {
  return at >= bytes.length || bytes[at] === CR || bytes[at] === LF
}

/** Where the line after a soft line break begins; -1 where `=` is followed by anything but its line end. */
function softBreakEnd(encoded: Uint8Array, from: number): number {
  let at = from
  while (encoded[at] === SP || encoded[at] === TAB) at++
  if (at >= encoded.length) return at
  if (encoded[at] === CR && encoded[at + 1] === LF) return at + 2
  return encoded[at] === LF ? at + 1 : -1
}

/** The value of a hexadecimal digit of either case (rfc2045 §6.7 asks decoders to accept both), or -1. */
export function hexValue(octet: number | undefined): number {
  if (octet === undefined) return -1
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30
  const lower = octet | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
