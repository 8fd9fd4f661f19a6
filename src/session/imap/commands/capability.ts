import type { ImapAnswer } from '../../../protocol/imap/types.ts'
import { capabilities } from '../capabilities.ts'
import { done, type ImapContext } from '../context.ts'

/** rfc3501 §6.1.1. */
export function capability(context: ImapContext): ImapAnswer {
  context.machine.send({ kind: 'capability', capabilities: capabilities(context) })
  return done('OK', 'CAPABILITY completed')
}
