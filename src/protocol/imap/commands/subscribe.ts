import type { MailboxName } from '../../../mail/mailbox-name.ts'
import type { WireReader } from '../reader.ts'
import { mailboxArgument } from './arguments.ts'

export interface SubscribeCommand {
  readonly kind: 'subscribe'
  readonly mailbox: MailboxName
}

/** rfc3501 §6.3.6. */
export function parseSubscribe(reader: WireReader): SubscribeCommand {
  reader.space()
  return { kind: 'subscribe', mailbox: mailboxArgument(reader) }
}
