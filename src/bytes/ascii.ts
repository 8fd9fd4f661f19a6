/** Octets that protocols name. */
export const TAB = 0x09
export const LF = 0x0a
export const CR = 0x0d
export const SP = 0x20

/** A view of `bytes` with Buffer's fast searches; shares memory, copies nothing. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Octets as characters U+0000..U+00FF: never fails, loses nothing. */
export function latin1(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('latin1')
}

/** The octets of a string of characters up to U+00FF. */
export function fromLatin1(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

export function utf8(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('utf8')
}

export function fromUtf8(text: string): Buffer {
  return Buffer.from(text, 'utf8')
}

/** Whether the octets are valid UTF-8 without overlong forms and surrogates. */
export function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

/** Whether every octet is below 0x80. */
export function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] as number) > 0x7f) return false
  return true
}

/** For text on its way to a terminal or a log line: control characters (C0, DEL, C1) become visible escapes. */
export function visible(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f]/g,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}
