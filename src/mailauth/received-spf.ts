import type { SpfFinding } from '../mail/authentication.ts'
import { Bug } from '../mail/assert.ts'

export interface SpfToSay {
  readonly spf: SpfFinding
  /** Who checked: our authserv-id. */
  readonly receiver: string
  /** Canonical address of the client. */
  readonly client: string
  readonly helo: string
  /** The reverse-path as text, empty where it was null. */
  readonly envelopeFrom: string
}

/** A Received-SPF field (rfc7208 §9.1), folded, CRLF-ended. */
export function formatReceivedSpf(_said: SpfToSay): string {
  throw new Bug('not there yet')
}
