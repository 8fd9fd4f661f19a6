import type { Random } from '../ports/random.ts'

/** Longest request that getRandomValues takes at once (Web Crypto's own limit). */
const CHUNK_BYTES = 65_536
/** Small requests are cut from a pool of this size: each call into the system costs more than a trace id needs. */
const POOL_BYTES = 4_096

/** The system's generator. The global Web Crypto object is used: this room does no cryptography of its own. */
export function systemRandom(): Random {
  const pool = new Uint8Array(POOL_BYTES)
  let used = POOL_BYTES
  return {
    bytes(count) {
      const bytes = new Uint8Array(count)
      if (count > POOL_BYTES / 16) {
        for (let at = 0; at < count; at += CHUNK_BYTES)
          crypto.getRandomValues(bytes.subarray(at, Math.min(count, at + CHUNK_BYTES)))
        return bytes
      }
      if (used + count > POOL_BYTES) {
        crypto.getRandomValues(pool)
        used = 0
      }
      bytes.set(pool.subarray(used, used + count))
      // What was given out is not kept: a nonce or a salt must not be read from here later.
      pool.fill(0, used, used + count)
      used += count
      return bytes
    },
  }
}
