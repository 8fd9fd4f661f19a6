import type { MoveCommand } from '../../../protocol/imap/commands/move.ts'
import type { ImapAnswer } from '../../../protocol/imap/types.ts'
import { done, type ImapContext } from '../context.ts'
import { targetRefusal } from '../errors.ts'
import { sequencesOf, uidsOf } from '../sequences.ts'
import { copyUid } from './copy.ts'

/** rfc6851 §3.3, §4.3: COPYUID comes untagged before the EXPUNGEs, which follow with the other changes. */
export async function move(context: ImapContext, command: MoveCommand): Promise<ImapAnswer> {
  const { view } = context.selected
  if (view.readOnly) return done('NO', 'The mailbox was opened read-only')
  const sequences = sequencesOf(view, command.set, command.uid)
  if (sequences === undefined) return done('BAD', 'There is no message with this number')
  if (sequences.length === 0) return done('OK', 'There was nothing to move')
  const moved = await context.deps.mailboxes.move(
    context.access,
    view,
    uidsOf(view, sequences),
    command.mailbox,
  )
  if (!moved.ok) return targetRefusal(context, moved.error)
  const code = copyUid(moved.value)
  if (code !== undefined) context.machine.send({ kind: 'condition', status: 'OK', code, text: 'Moved' })
  // Some were moved before the store failed: the client is told which, and that the rest stayed.
  if (moved.value.unfinished !== undefined) return targetRefusal(context, moved.value.unfinished)
  return done('OK', 'MOVE completed')
}
