import type { SigningKey } from '../ports/mail-auth.ts'

export type DkimAlgorithm = SigningKey['algorithm']

/** One key of a generation. The private half is gone once it no longer signs. */
export interface DkimKey {
  readonly selector: string
  readonly algorithm: DkimAlgorithm
  /** The tag `p` of its record: base64 (rfc6376 §3.6.1, rfc8463 §4). */
  readonly publicKey: string
  /** PKCS #8 PEM. */
  readonly privateKeyPem?: string | undefined
}

/**
 *     (made) ─▶ signing ─▶ retired      the first of a domain
 *     (made) ─▶ waiting ─▶ signing ─▶ … one that a rotation made: it waits for its records to be seen in the DNS
 */
export type GenerationState = 'waiting' | 'signing' | 'retired'

/** The keys of a domain that were made together: one for each algorithm. */
export interface Generation {
  /** What its selectors begin with: `hk202611`, and `hk202611x02` for the second of a month. */
  readonly name: string
  readonly state: GenerationState
  readonly madeAtMs: number
  /** Since when a waiting one's records were seen in the DNS, at every look. */
  readonly seenAtMs?: number | undefined
  readonly signingSinceMs?: number | undefined
  readonly retiredAtMs?: number | undefined
  readonly keys: readonly DkimKey[]
}

/** The ends of selectors. The letter of a further generation (`x`) sorts behind both, so selectors sort by age. */
const ENDS: Readonly<Record<DkimAlgorithm, string>> = { 'rsa-sha256': 'r', 'ed25519-sha256': 'e' }
const NAME = /^hk(\d{6})(?:x(\d{2}))?$/
/** Generations of one domain in one month: two digits, more is a script that has run away. */
const MAX_OF_MONTH = 99

export const isGenerationName = (text: string): boolean => NAME.test(text)

export const selectorOf = (name: string, algorithm: DkimAlgorithm): string => name + ENDS[algorithm]

/**
 * A name that no generation had: a selector that is given twice would find the other key in receivers' caches.
 * @returns undefined where this month has no more.
 */
export function nextName(generations: readonly Generation[], atMs: number): string | undefined {
  const month = new Date(atMs).toISOString().slice(0, 7).replace('-', '')
  const numbers = generations.flatMap(({ name }) => {
    const match = NAME.exec(name)
    return match?.[1] === month ? [Number(match[2] ?? '1')] : []
  })
  const number = Math.max(0, ...numbers) + 1
  if (number > MAX_OF_MONTH) return undefined
  return number === 1 ? `hk${month}` : `hk${month}x${String(number).padStart(2, '0')}`
}
