/**
 * A message's flags as one integer of 53 bits: the system flags' bits of mail/flags, then the mailbox's
 * keywords from bit 5 on. JavaScript's own operators know 32 bits only, so words are taken apart here.
 */
export const FIRST_KEYWORD_BIT = 5

const WORD = 2 ** 32
const high = (bits: number): number => Math.floor(bits / WORD)

export function unionBits(a: number, b: number): number {
  return ((high(a) | high(b)) >>> 0) * WORD + ((a | b) >>> 0)
}

/** The bits of `a` that are not in `b`. */
export function withoutBits(a: number, b: number): number {
  return ((high(a) & ~high(b)) >>> 0) * WORD + ((a & ~b) >>> 0)
}

/** What STORE does to a message's flags (rfc3501 §6.4.6). */
export interface FlagAction {
  readonly action: 'add' | 'remove' | 'replace'
  readonly bits: number
}

export function changedFlags({ action, bits }: FlagAction, before: number): number {
  if (action === 'replace') return bits
  return action === 'add' ? unionBits(before, bits) : withoutBits(before, bits)
}

export function hasBit(bits: number, bit: number): boolean {
  return Math.floor(bits / 2 ** bit) % 2 === 1
}

export function keywordBit(index: number): number {
  return 2 ** (FIRST_KEYWORD_BIT + index)
}

/** Names of the keywords in `bits`; `keywords` in the order of their bits. */
export function keywordsOf(bits: number, keywords: readonly string[]): string[] {
  return bits < 2 ** FIRST_KEYWORD_BIT
    ? []
    : keywords.filter((_, index) => hasBit(bits, FIRST_KEYWORD_BIT + index))
}
