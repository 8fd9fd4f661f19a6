import { type Reply, reply } from '../mail/reply.ts'
import type { StoreFailure } from '../ports/store.ts'

/**
 * IMAP has no way to send a NUL (rfc3501 §9, CHAR8), and a server behind us that strips them would see other line
 * ends and dots than we did.
 */
export const NUL_REPLY = reply(
  554,
  '5.6.0',
  'The message holds NUL octets, which mail may not have (rfc5322 §2.2)',
)

/** rfc3463 §3.4: the system has no room now. A sender comes again, as after a full disk. */
export const TOO_MUCH_AT_ONCE = reply(
  452,
  '4.3.1',
  'Too much mail is coming in at once; try again later',
  'memory was short, and this client held the most',
)

/** No thread could be had to check it, or to sign it. Nothing is lost: the client comes again. */
export function authFailureReply(what: 'checked' | 'signed', cause: string): Reply {
  return reply(451, '4.3.0', `The message could not be ${what} here; try again later`, cause)
}

/** The client heard nothing or something else meanwhile: to store it now would make two of it when it comes again. */
export const GONE = reply(421, '4.4.2', 'The connection was lost while the message was checked')

/** What the peer hears when the store could not take its message. Only 'too-big' is the peer's to mend. */
export function storeFailureReply(failure: StoreFailure, maxMessageBytes: number): Reply {
  switch (failure.kind) {
    case 'too-big':
      return reply(552, '5.3.4', `A message may have at most ${maxMessageBytes} octets`, failure.cause)
    case 'full':
      return reply(452, '4.3.1', 'The disk is full here; nothing was stored, try again later', failure.cause)
    case 'over-quota':
      return reply(452, '4.2.2', 'A mailbox of this message has become full; try again later', failure.cause)
    case 'closed':
      return reply(421, '4.3.2', 'The server is stopping; try again later', failure.cause)
    case 'io':
    case 'no-such-mailbox':
    case 'no-such-account':
      return reply(451, '4.3.0', 'The message could not be stored; try again later', failure.cause)
  }
}
