import type { Evidence } from '../mail/authentication.ts'
import { Bug } from '../mail/assert.ts'

/** What one Authentication-Results field of ours says. */
export interface ResultsToSay {
  readonly authservId: string
  readonly evidence: Evidence
  /** What became of the message under DMARC, for the comment behind its result. */
  readonly disposition?: 'none' | 'quarantine' | 'reject' | undefined
  /** The client that handed the message over: `smtp.remote-ip` of the ARC result (rfc8617 §6). Canonical. */
  readonly client?: string | undefined
}

/** The value of the field without its name: what ARC-Authentication-Results carries behind its instance (rfc8617 §4.1.1). */
export function formatResults(_results: ResultsToSay): string {
  throw new Bug('not there yet')
}

/** The whole field (rfc8601 §2.2), folded, CRLF-ended. */
export function formatAuthenticationResults(_results: ResultsToSay): string {
  throw new Bug('not there yet')
}
