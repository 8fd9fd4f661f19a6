import type { ImapAnswer } from '../../../protocol/imap/types.ts'
import { done } from '../context.ts'

/** rfc3501 §6.1.2: what is new is told at the end of each command anyway. */
export function noop(): ImapAnswer {
  return done('OK', 'NOOP completed')
}
