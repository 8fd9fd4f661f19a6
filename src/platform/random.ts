import type { Random } from '../ports/random.ts'

/** Longest request that getRandomValues takes at once (Web Crypto's own limit). */
const CHUNK_BYTES = 65_536

/** The system's generator. The global Web Crypto object is used: this room does no cryptography of its own. */
export function systemRandom(): Random {
  return {
    bytes(count) {
      const bytes = new Uint8Array(count)
      for (let at = 0; at < count; at += CHUNK_BYTES)
        crypto.getRandomValues(bytes.subarray(at, Math.min(count, at + CHUNK_BYTES)))
      return bytes
    },
  }
}
