import type { ImapAnswer } from '../../../protocol/imap/types.ts'
import { done, type ImapContext } from '../context.ts'

/** rfc3691 §2: CLOSE without expunging. */
export function unselect(context: ImapContext): ImapAnswer {
  context.unselect()
  return done('OK', 'UNSELECT completed')
}
