import { flagNames } from '../../../mail/flags.ts'
import type { StoreCommand } from '../../../protocol/imap/commands/store.ts'
import type { ImapAnswer } from '../../../protocol/imap/types.ts'
import { flagsItem } from '../changes.ts'
import { done, type ImapContext } from '../context.ts'
import { refusal } from '../errors.ts'
import { sequencesOf, uidsOf } from '../sequences.ts'

/** rfc3501 §6.4.6. The new flags of every message named are told (unless .SILENT), also where nothing changed. */
export async function store(context: ImapContext, command: StoreCommand): Promise<ImapAnswer> {
  const { selected } = context
  const { view } = selected
  if (view.readOnly) return done('NO', 'The mailbox was opened read-only')
  const sequences = sequencesOf(view, command.set, command.uid)
  if (sequences === undefined) return done('BAD', 'There is no message with this number')
  const uids = uidsOf(view, sequences)
  const stored = await context.deps.mailboxes.storeFlags(context.access, view, {
    uids,
    action: command.action,
    flags: flagNames(command.flags),
    silent: true,
  })
  if (!stored.ok) return refusal(context, stored.error)
  if (!command.silent) {
    for (const sequence of sequences) {
      const flags = flagsItem(selected, sequence)
      const items = command.uid ? [{ kind: 'uid', uid: view.uid(sequence) } as const, flags] : [flags]
      context.machine.send({ kind: 'fetch', sequence, items })
      const room = context.hasRoom()
      if (room !== true && !(await room)) return done('NO', 'The connection is gone')
    }
  }
  return done('OK', 'STORE completed')
}
