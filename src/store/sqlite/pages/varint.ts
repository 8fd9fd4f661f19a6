/** An integer of SQLite's file format and the octet after it. */
export interface Varint {
  readonly value: number
  readonly next: number
}

/**
 * Reads a variable-length integer: seven bits an octet, the ninth octet has eight.
 * @returns undefined where the octets end within it, or it is too large for a number (which none of ours is).
 */
export function readVarint(bytes: Uint8Array, at: number): Varint | undefined {
  let value = 0
  for (let i = 0; i < 8; i++) {
    const octet = bytes[at + i]
    if (octet === undefined) return undefined
    value = value * 128 + (octet & 0x7f)
    if (octet < 0x80) return value <= Number.MAX_SAFE_INTEGER ? { value, next: at + i + 1 } : undefined
  }
  const last = bytes[at + 8]
  value = last === undefined ? Number.NaN : value * 256 + last
  return value <= Number.MAX_SAFE_INTEGER ? { value, next: at + 9 } : undefined
}
