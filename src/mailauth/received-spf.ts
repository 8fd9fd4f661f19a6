import type { SpfFinding } from '../mail/authentication.ts'
import { RESULTS_LIMITS } from './limits.ts'

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

/** rfc5322 §3.2.3. */
const DOT_ATOM = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/

/**
 * A Received-SPF field (rfc7208 §9.1), folded, CRLF-ended. It has no comment: what decided stands in the trace and in
 * Authentication-Results, and a comment is where peers' words would go.
 */
export function formatReceivedSpf({ spf, receiver, client, helo, envelopeFrom }: SpfToSay): string {
  const pairs = [
    ['receiver', receiver],
    ['identity', spf.identity],
    ['client-ip', client],
    ['helo', helo],
    ['envelope-from', envelopeFrom],
  ] as const
  const all = pairs.map(([key, value]) => `${key}=${valueWord(value)}`)
  return `Received-SPF: ${spf.result}\r\n ${all.join(';\r\n ')}\r\n`
}

/** `dot-atom / quoted-string`; what a name or an address never holds, or what looks like another pair, is `?`. */
function valueWord(value: string): string {
  const clean = value.replace(/[^\x21-\x7e]|["\\;=()]/g, '?').slice(0, RESULTS_LIMITS.valueChars)
  return DOT_ATOM.test(clean) ? clean : `"${clean}"`
}
