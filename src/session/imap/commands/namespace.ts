import { SEPARATOR } from '../../../mail/mailbox-name.ts'
import type { ImapAnswer } from '../../../protocol/imap/types.ts'
import { done, type ImapContext } from '../context.ts'

/** rfc2342 §5: one personal namespace without a prefix, nobody else's. */
export function namespace(context: ImapContext): ImapAnswer {
  context.machine.send({
    kind: 'namespace',
    personal: [{ prefix: '', separator: SEPARATOR }],
    others: [],
    shared: [],
  })
  return done('OK', 'NAMESPACE completed')
}
