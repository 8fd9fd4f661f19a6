import { flagWord } from '../text.ts'

/** rfc3501 §7.2.6: the flags that can stand in this mailbox. */
export interface FlagsResponse {
  readonly kind: 'flags'
  readonly flags: readonly string[]
}

export function encodeFlags(response: FlagsResponse): string {
  return `* FLAGS (${response.flags.map(flagWord).join(' ')})\r\n`
}
