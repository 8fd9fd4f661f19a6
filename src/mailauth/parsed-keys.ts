import { createPublicKey, type KeyObject } from 'node:crypto'
import type { KeyFound, KeyLookup } from 'mailauth/lib/dkim/dkim-verifier.js'
import type { AskRecords } from './dns.ts'
import { EVALUATION_LIMITS as LIMITS } from './limits.ts'

/**
 * Keys that were parsed before, by the text of their record: the same text always gives the same key, so nothing here
 * can be out of date. A domain that sends much mail uses few keys, and parsing one costs more than verifying with it.
 */
export class ParsedKeys {
  /** In the order of their last use. */
  readonly #kept = new Map<string, KeyFound>()

  get size(): number {
    return this.#kept.size
  }

  /** mailauth's lookup with these keys in front. The DNS is asked each time: what is kept is no answer of it. */
  inFrontOf(lookup: KeyLookup, ask: AskRecords): KeyLookup {
    return {
      resolver: lookup.resolver,
      get: async (type, name, minBits, options) => {
        const record = await recordAt(name, ask)
        if (record === undefined) return lookup.get(type, name, minBits, options)
        const id = JSON.stringify([type, minBits, options, record])
        const kept = this.#kept.get(id)
        if (kept !== undefined) {
          this.#kept.delete(id)
          this.#kept.set(id, kept)
          return kept
        }
        const found = await lookup.get(type, name, minBits, options)
        const parsed = { ...found, publicKey: asKey(found.publicKey) }
        this.#keep(id, parsed)
        return parsed
      },
    }
  }

  #keep(id: string, found: KeyFound): void {
    this.#kept.set(id, found)
    if (this.#kept.size <= LIMITS.keysKept) return
    const [oldest] = this.#kept.keys()
    if (oldest !== undefined) this.#kept.delete(oldest)
  }
}

/** The one that mailauth reads; undefined where it has to say itself what is wrong. */
async function recordAt(name: string, ask: AskRecords): Promise<string | undefined> {
  // It asks for the A-labels of other names (rfc8616 §3).
  if (!/^[\x21-\x7e]+$/.test(name)) return undefined
  try {
    const [record] = await ask(name, 'TXT')
    return record?.join('')
  } catch (error) {
    // An answer without records; asked again it is the same one, and mailauth words it.
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}

function asKey(key: string | Uint8Array | KeyObject): KeyObject {
  return typeof key === 'string' || key instanceof Uint8Array
    ? createPublicKey({ key: Buffer.from(key), format: 'pem' })
    : key
}
