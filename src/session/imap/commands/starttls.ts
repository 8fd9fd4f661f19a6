import type { ImapAnswer } from '../../../protocol/imap/types.ts'
import { done, type ImapContext } from '../context.ts'

/** rfc3501 §6.2.1: OK makes the core start TLS. */
export function starttls(context: ImapContext): ImapAnswer {
  if (context.link.tls !== undefined) return done('BAD', 'TLS stands already')
  return context.deps.tlsReady
    ? done('OK', 'Begin TLS now')
    : done('NO', 'This port has no certificate', 'UNAVAILABLE')
}
