import type { ExpungeCommand } from '../../../protocol/imap/commands/expunge.ts'
import type { ImapAnswer } from '../../../protocol/imap/types.ts'
import { done, type ImapContext } from '../context.ts'
import { refusal } from '../errors.ts'
import { sequencesOf, uidsOf } from '../sequences.ts'

/** EXPUNGE (rfc3501 §6.4.3) and UID EXPUNGE (rfc4315 §2.1); the numbers are told with the other changes. */
export async function expunge(context: ImapContext, command: ExpungeCommand): Promise<ImapAnswer> {
  const { view } = context.selected
  if (view.readOnly) return done('NO', 'The mailbox was opened read-only')
  const uids =
    command.uids === undefined ? undefined : uidsOf(view, sequencesOf(view, command.uids, true) ?? [])
  const expunged = await context.deps.mailboxes.expunge(context.access, view, uids)
  return expunged.ok ? done('OK', 'EXPUNGE completed') : refusal(context, expunged.error)
}
