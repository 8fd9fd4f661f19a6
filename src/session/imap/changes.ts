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

interface Telling {
  readonly expunges: boolean
  /** Adds the UID to flag changes: the answers of UID commands must have it (rfc3501 §6.4.8). */
  readonly withUid: boolean
  readonly push: boolean
}

/**
 * Brings the client up to date with the selected mailbox, at the end of a command or in IDLE. A promise where that
 * is more than it reads at once; nothing else may use the view until it is settled.
 */
export function tellChanges(context: ImapContext, how: Telling): void | Promise<void> {
  const selected = context.selectedOrNone
  if (selected === undefined) return
  return tellMore(
    context,
    selected,
    selected.view.changes({ expunges: how.expunges })[Symbol.iterator](),
    how,
  )
}

function tellMore(
  context: ImapContext,
  selected: Selected,
  changes: Iterator<ViewChange>,
  how: Telling,
): void | Promise<void> {
  for (let next = changes.next(); next.done !== true; next = changes.next()) {
    const change = next.value
    if (change.kind === 'gone') {
      closeGone(context, change.why)
      return
    }
    const update = updateOf(selected, change, how.withUid)
    if (how.push) context.machine.post(update)
    else context.machine.send(update)
    const room = context.hasRoom()
    if (room === true) continue
    return Promise.resolve(room).then((goOn) => {
      // A client that is gone is told nothing more, and its view is closed.
      if (goOn && context.selectedOrNone === selected) return tellMore(context, selected, changes, how)
    })
  }
}

/**
 * In IDLE: tells what is new, and goes on while there is more. A client that has not read what it was told before hears
 * the rest when it has; meanwhile its view lags, which costs nothing.
 */
export function pushChanges(context: ImapContext): void {
  const selected = context.selectedOrNone
  if (!context.idling || selected === undefined || context.telling !== undefined) return
  const told = tellChanges(context, { expunges: true, withUid: false, push: true })
  context.link.pump()
  if (told === undefined) return
  context.telling = told.then(() => {
    context.telling = undefined
    if (context.selectedOrNone !== selected) return
    context.link.pump()
    if (selected.view.behind) pushChanges(context)
  })
  context.telling.catch((error: unknown) => {
    context.telling = undefined
    context.link.cut(`telling changes failed: ${String(error)}`)
  })
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
