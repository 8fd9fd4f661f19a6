import type { MailboxName } from '../../../mail/mailbox-name.ts'
import type { UidSet } from '../../../mail/uid-set.ts'
import type { WireReader } from '../reader.ts'
import { mailboxArgument, setArgument } from './arguments.ts'

export interface MoveCommand {
  readonly kind: 'move'
  /** Whether `set` holds UIDs. */
  readonly uid: boolean
  readonly set: UidSet
  readonly mailbox: MailboxName
}

/** rfc6851 §3. */
export function parseMove(reader: WireReader, uid: boolean): MoveCommand {
  reader.space()
  const set = setArgument(reader)
  reader.space()
  return { kind: 'move', uid, set, mailbox: mailboxArgument(reader) }
}
