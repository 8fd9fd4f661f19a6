import type { UidSet } from '../../../mail/uid-set.ts'
import type { WireReader } from '../reader.ts'
import { setArgument } from './arguments.ts'

export interface ExpungeCommand {
  readonly kind: 'expunge'
  /** rfc4315 §2.1: present for UID EXPUNGE. */
  readonly uids?: UidSet | undefined
}

/** rfc3501 §6.4.3. */
export function parseExpunge(_reader: WireReader): ExpungeCommand {
  return { kind: 'expunge' }
}

/** rfc4315 §2.1. */
export function parseUidExpunge(reader: WireReader): ExpungeCommand {
  reader.space()
  return { kind: 'expunge', uids: setArgument(reader) }
}
