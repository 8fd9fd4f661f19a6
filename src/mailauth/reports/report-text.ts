import { asBuffer, isUtf8, latin1, utf8 } from '../../bytes/ascii.ts'

/**
 * The text of a report: UTF-16 where it says so by its first octets, UTF-8 where it is valid, else ISO 8859-1, whatever
 * the document declares. A byte order mark is taken off.
 */
export function decodeReportText(octets: Uint8Array): string {
  const bytes = asBuffer(octets)
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.subarray(2, bytes.length & ~1).toString('utf16le')
  if (bytes[0] === 0xfe && bytes[1] === 0xff)
    return Buffer.from(bytes.subarray(2, bytes.length & ~1))
      .swap16()
      .toString('utf16le')
  const text = isUtf8(bytes) ? utf8(bytes) : latin1(bytes)
  return text.replace(/^(?:\ufeff|\u00ef\u00bb\u00bf)/, '').trim()
}
