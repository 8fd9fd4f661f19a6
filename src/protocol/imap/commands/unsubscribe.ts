import type { MailboxName } from '../../../mail/mailbox-name.ts'
import type { WireReader } from '../reader.ts'
import { mailboxArgument } from './arguments.ts'

export interface UnsubscribeCommand {
  readonly kind: 'unsubscribe'
  readonly mailbox: MailboxName
}

/** rfc3501 §6.3.7. */
export function parseUnsubscribe(reader: WireReader): UnsubscribeCommand {
  reader.space()
  return { kind: 'unsubscribe', mailbox: mailboxArgument(reader) }
}
