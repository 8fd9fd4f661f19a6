import { resolveStar, type UidSet } from '../../mail/uid-set.ts'
import type { MailboxView } from '../../ports/mailboxes.ts'

/**
 * The sequence numbers that a command names, ascending. UIDs that are not there are passed over (rfc3501
 * §6.4.8); a sequence number beyond the mailbox is the client's fault: undefined.
 */
export function sequencesOf(view: MailboxView, set: UidSet, uid: boolean): number[] | undefined {
  return uid ? byUid(view, set) : bySequence(view, set)
}

function bySequence(view: MailboxView, set: UidSet): number[] | undefined {
  const { bounds } = resolveStar(set, view.exists)
  const sequences: number[] = []
  for (let i = 0; i < bounds.length; i += 2) {
    const last = bounds[i + 1] as number
    if (last > view.exists) return undefined
    for (let n = bounds[i] as number; n <= last; n++) sequences.push(n)
  }
  return sequences
}

function byUid(view: MailboxView, set: UidSet): number[] {
  const { bounds } = resolveStar(set, view.exists === 0 ? 0 : view.uid(view.exists))
  const sequences: number[] = []
  for (let i = 0; i < bounds.length; i += 2) {
    const last = bounds[i + 1] as number
    for (let n = view.seqAtOrAfterUid(bounds[i] as number); n <= view.exists && view.uid(n) <= last; n++)
      sequences.push(n)
  }
  return sequences
}

export function uidsOf(view: MailboxView, sequences: readonly number[]): number[] {
  return sequences.map((sequence) => view.uid(sequence))
}
