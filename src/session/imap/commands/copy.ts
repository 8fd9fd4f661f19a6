import { uidSetOf } from '../../../mail/uid-set.ts'
import type { CopyResult } from '../../../ports/mailboxes.ts'
import type { CopyCommand } from '../../../protocol/imap/commands/copy.ts'
import type { ResponseCode } from '../../../protocol/imap/responses/code.ts'
import type { ImapAnswer } from '../../../protocol/imap/types.ts'
import { done, type ImapContext } from '../context.ts'
import { targetRefusal } from '../errors.ts'
import { sequencesOf, uidsOf } from '../sequences.ts'

/** rfc3501 §6.4.7; all or nothing, COPYUID as rfc4315 §3. */
export async function copy(context: ImapContext, command: CopyCommand): Promise<ImapAnswer> {
  const { view } = context.selected
  const sequences = sequencesOf(view, command.set, command.uid)
  if (sequences === undefined) return done('BAD', 'There is no message with this number')
  if (sequences.length === 0) return done('OK', 'There was nothing to copy')
  const copied = await context.deps.mailboxes.copy(
    context.access,
    view,
    uidsOf(view, sequences),
    command.mailbox,
  )
  return copied.ok
    ? done('OK', 'COPY completed', copyUid(copied.value))
    : targetRefusal(context, copied.error)
}

/** undefined where every message was gone: the code cannot hold an empty set. */
export function copyUid(result: CopyResult): ResponseCode | undefined {
  if (result.sourceUids.length === 0) return undefined
  return {
    kind: 'copyuid',
    uidValidity: result.uidValidity,
    source: uidSetOf(result.sourceUids),
    target: uidSetOf(result.targetUids),
  }
}
