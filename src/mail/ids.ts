/**
 * Ids. The numbers are the store's own and never reach a peer; the texts may: `TraceId` is told in
 * `250 2.0.0 … id` replies and in Received, the others are rfc8474's object ids.
 */
export type AccountId = number & { readonly __id: 'account' }
export type MailboxId = number & { readonly __id: 'mailbox' }
/** A message of one account: what EMAILID names. Its body may be shared with other accounts. */
export type MessageId = number & { readonly __id: 'message' }
export type QueueId = number & { readonly __id: 'queue' }

/** 20 characters of Crockford's base32, lower case: 50 bits of milliseconds, 50 bits of chance. Sorts by time. */
export type TraceId = string & { readonly __id: 'trace' }

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/** @param random at least 10 octets of good randomness; one octet a character is used. */
export function makeTraceId(nowMs: number, random: Uint8Array): TraceId {
  let time = ''
  for (let i = 0, rest = nowMs; i < 10; i++, rest = Math.floor(rest / 32)) time = ALPHABET[rest % 32] + time
  let chance = ''
  for (let i = 0; i < 10; i++) chance += ALPHABET[(random[i] as number) % 32]
  return (time + chance) as TraceId
}

/** When it was made, ms since 1970. */
export function traceTimeMs(id: TraceId): number {
  let time = 0
  for (const letter of id.slice(0, 10)) time = time * 32 + ALPHABET.indexOf(letter)
  return time
}

export function isTraceId(text: string): text is TraceId {
  return /^[0-9a-hjkmnp-tv-z]{20}$/.test(text)
}
