import { SYSTEM_FLAGS } from '../../../mail/flags.ts'
import type { MailboxName } from '../../../mail/mailbox-name.ts'
import type { MailboxView } from '../../../ports/mailboxes.ts'
import type { ImapAnswer } from '../../../protocol/imap/types.ts'
import { flagsInUse, pushChanges } from '../changes.ts'
import { done, type ImapContext } from '../context.ts'
import { refusal } from '../errors.ts'

/** SELECT and EXAMINE (rfc3501 §6.3.1, §6.3.2). A failure leaves no mailbox selected. */
export async function select(
  context: ImapContext,
  mailbox: MailboxName,
  readOnly: boolean,
): Promise<ImapAnswer> {
  context.unselect()
  const opened = await context.deps.mailboxes.open(context.access, mailbox, { readOnly })
  if (!opened.ok) return refusal(context, opened.error)
  const view = opened.value
  if (context.link.gone) {
    // Whoever closed the connection has found nothing to close: the view is ours to give back.
    view.close()
    return done('NO', 'The connection is gone')
  }
  const selected = context.select(view)
  const { machine } = context
  machine.send({ kind: 'flags', flags: flagsInUse(selected) })
  machine.send({ kind: 'exists', count: view.exists })
  machine.send({ kind: 'recent', count: view.recent })
  for (const condition of conditions(view, readOnly))
    machine.send({ kind: 'condition', status: 'OK', ...condition })
  // Outside IDLE a client hears the news at the end of its next command.
  view.onChange(() => pushChanges(context))
  context.deps.log.event('imap.select', {
    login: context.login?.login,
    mailbox,
    readOnly,
    messages: view.exists,
  })
  return readOnly
    ? done('OK', 'EXAMINE completed', 'READ-ONLY')
    : done('OK', 'SELECT completed', 'READ-WRITE')
}

function conditions(view: MailboxView, readOnly: boolean) {
  const unseen = view.firstUnseen()
  const permanent = readOnly ? [] : [...SYSTEM_FLAGS.map(([name]) => name), ...view.keywords]
  return [
    ...(unseen === 0
      ? []
      : [{ code: { kind: 'unseen', value: unseen } as const, text: 'First unseen message' }]),
    {
      code: { kind: 'permanentflags', flags: permanent, any: !readOnly } as const,
      text: readOnly ? 'No flag can be changed' : 'Flags that stay',
    },
    { code: { kind: 'uidnext', value: view.uidNext } as const, text: 'Next UID' },
    { code: { kind: 'uidvalidity', value: view.uidValidity } as const, text: 'UIDs are valid' },
  ]
}
