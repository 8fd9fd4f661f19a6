import type { ImapAnswer } from '../../../protocol/imap/types.ts'
import { done, type ImapContext } from '../context.ts'
import { refusal } from '../errors.ts'

/** rfc3501 §6.4.2: expunges without telling, unless the mailbox was only examined. */
export async function close(context: ImapContext): Promise<ImapAnswer> {
  const { view } = context.selected
  if (!view.readOnly) {
    const expunged = await context.deps.mailboxes.expunge(context.access, view)
    if (!expunged.ok) return refusal(context, expunged.error)
  }
  context.unselect()
  return done('OK', 'CLOSE completed')
}
