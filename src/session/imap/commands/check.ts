import type { ImapAnswer } from '../../../protocol/imap/types.ts'
import { done } from '../context.ts'

/** rfc3501 §6.4.1: everything is on disk before it is acknowledged, so there is nothing to do. */
export function check(): ImapAnswer {
  return done('OK', 'CHECK completed')
}
