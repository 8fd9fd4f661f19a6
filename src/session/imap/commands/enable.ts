import type { ImapAnswer } from '../../../protocol/imap/types.ts'
import { done, type ImapContext } from '../context.ts'

/** rfc5161 §3.1: no extension that we have needs enabling, so none is enabled. */
export function enable(context: ImapContext): ImapAnswer {
  context.machine.send({ kind: 'enabled', capabilities: [] })
  return done('OK', 'ENABLE completed')
}
