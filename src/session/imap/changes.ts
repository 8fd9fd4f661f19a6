import { SYSTEM_FLAGS } from '../../mail/flags.ts'
import type { ViewChange } from '../../ports/mailboxes.ts'
import type { FetchData } from '../../protocol/imap/responses/fetch.ts'
import type { ImapUpdate } from '../../protocol/imap/types.ts'
import type { ImapContext, Selected } from './context.ts'

/** The flags that a mailbox has now: FLAGS (rfc3501 §7.2.6). */
export function flagsInUse(selected: Selected): readonly string[] {
  return [...SYSTEM_FLAGS.map(([name]) => name), ...selected.view.keywords]
}

/** The FLAGS item of one message. */
export function flagsItem(selected: Selected, sequence: number): FetchData {
  const { view, flagLists } = selected
  return {
    kind: 'flags',
    flags: flagLists.render(view.flagBits(sequence), view.isRecent(sequence), () => view.flags(sequence)),
  }
}

/**
 * Brings the client up to date with the selected mailbox, at the end of a command or in IDLE.
 * @param how.withUid adds the UID to flag changes: the answers of UID commands must have it (rfc3501 §6.4.8).
 */
export function tellChanges(
  context: ImapContext,
  how: { readonly expunges: boolean; readonly withUid: boolean; readonly push: boolean },
): void {
  const selected = context.selectedOrNone
  if (selected === undefined) return
  for (const change of selected.view.sync({ expunges: how.expunges })) {
    if (change.kind === 'gone') {
      closeGone(context, change.why)
      return
    }
    const update = updateOf(selected, change, how.withUid)
    if (how.push) context.machine.post(update)
    else context.machine.send(update)
  }
}

function updateOf(
  selected: Selected,
  change: Exclude<ViewChange, { kind: 'gone' }>,
  withUid: boolean,
): ImapUpdate {
  switch (change.kind) {
    case 'exists':
    case 'recent':
      return { kind: change.kind, count: change.count }
    case 'expunge':
      return { kind: 'expunge', sequence: change.seq }
    case 'keywords':
      return { kind: 'flags', flags: flagsInUse(selected) }
    case 'flags':
      return {
        kind: 'fetch',
        sequence: change.seq,
        items: [
          ...(withUid ? [{ kind: 'uid', uid: change.uid } as const] : []),
          flagsItem(selected, change.seq),
        ],
      }
  }
}

function closeGone(context: ImapContext, why: string): void {
  context.unselect()
  context.machine.shutdown({ text: why })
}
