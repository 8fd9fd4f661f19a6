import type { MailboxError } from '../../ports/mailboxes.ts'
import type { ImapAnswer } from '../../protocol/imap/types.ts'
import { done, type ImapContext } from './context.ts'

/** The tagged NO for what the store said, with the codes of rfc5530 §3. */
export function refusal(context: ImapContext, error: MailboxError): ImapAnswer {
  switch (error.kind) {
    case 'no-such-mailbox':
      return done('NO', 'There is no such mailbox', 'NONEXISTENT')
    case 'exists':
      return done('NO', 'A mailbox of this name is there already', 'ALREADYEXISTS')
    case 'has-children':
      return done('NO', 'The mailbox has mailboxes below it', 'HASCHILDREN')
    case 'not-selectable':
      return done('NO', 'The name only holds other mailboxes', 'NONEXISTENT')
    case 'invalid-name':
      return done('NO', 'A mailbox cannot have this name', 'CANNOT')
    case 'is-inbox':
      return done('NO', 'INBOX cannot be treated so', 'CANNOT')
    case 'limit':
      return done('NO', `Too many: ${error.what}`, 'LIMIT')
    case 'over-quota':
      return done('NO', 'The account has no room left', 'OVERQUOTA')
    case 'too-big':
      return done('NO', 'The message is too big', 'TOOBIG')
    case 'no-such-account':
      return done('NO', 'The account is gone', 'NONEXISTENT')
    case 'full':
      return fault(context, 'The disk is full here; nothing was changed', error.cause)
    case 'io':
    case 'closed':
      return fault(
        context,
        'The mail store cannot be reached at the moment; nothing was changed',
        error.cause,
      )
  }
}

/** For a target that a client may make and try again (rfc3501 §7.1, TRYCREATE). */
export function targetRefusal(context: ImapContext, error: MailboxError): ImapAnswer {
  return error.kind === 'no-such-mailbox'
    ? done('NO', 'There is no such mailbox', 'TRYCREATE')
    : refusal(context, error)
}

function fault(context: ImapContext, text: string, cause: string): ImapAnswer {
  context.deps.log.event('store.fault', { login: context.login?.login, cause })
  return done('NO', text, 'UNAVAILABLE')
}
