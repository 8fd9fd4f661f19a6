import { randomUUID } from 'node:crypto'
import { uidSetOf } from '../../mail/uid-set.ts'
import type { CopyResult, MailboxError, MailboxResult } from '../../ports/mailboxes.ts'
import {
  COPY_SLICE_ROWS,
  MAX_UID_NEXT,
  STORE_SLICE_RANGES,
  STORE_SLICE_ROWS,
  WRITE_SLICE_ROWS,
} from '../limits.ts'
import type { View } from '../views/view.ts'
import type { CopyOperation, FlagsOperation, Operation } from './operations.ts'

/* What changes many messages goes to the writer a slice at a time, so that other mail is committed in between. */

export type Write = <T>(operation: Operation) => Promise<MailboxResult<T>>

interface Change {
  readonly write: Write
  readonly view: View
  readonly uids: readonly number[]
}

interface Stored {
  readonly changed: number
  readonly modified: readonly number[]
}

/** STORE. A failure in the middle leaves what was changed before it, as rfc3501 §6.4.6 does not forbid. */
export async function storeSlices(
  { write, view, uids }: Change,
  operation: Omit<FlagsOperation, 'ranges'>,
): Promise<MailboxResult<Stored>> {
  let changed = 0
  const modified: number[] = []
  for (const slice of slices(uids, STORE_SLICE_ROWS))
    for (const ranges of slices(view.rangesOf(slice), 2 * STORE_SLICE_RANGES)) {
      const done = await write<Stored>({ ...operation, ranges })
      if (!done.ok) return done
      changed += done.value.changed
      modified.push(...done.value.modified)
    }
  return { ok: true, value: { changed, modified } }
}

/** EXPUNGE, of all or of some. */
export async function expungeSlices(
  { write, view, uids }: Omit<Change, 'uids'> & { readonly uids: readonly number[] | undefined },
  owner: number,
): Promise<MailboxResult<readonly number[]>> {
  const gone: number[] = []
  const expunge = (ranges: readonly number[]) =>
    write<readonly number[]>({ op: 'expunge', owner, mailbox: view.shared.id, ranges })
  if (uids !== undefined) {
    for (const slice of slices(uids, WRITE_SLICE_ROWS)) {
      const done = await expunge(view.rangesOf(slice))
      if (!done.ok) return done
      gone.push(...done.value)
    }
    return { ok: true, value: gone }
  }
  for (let from = 1; ; ) {
    const done = await expunge([from, MAX_UID_NEXT])
    if (!done.ok) return done
    gone.push(...done.value)
    if (done.value.length < WRITE_SLICE_ROWS) return { ok: true, value: gone }
    from = (done.value.at(-1) as number) + 1
  }
}

/**
 * COPY and MOVE. A COPY that fails in the middle is undone (rfc3501 §6.4.7); of a MOVE what is moved stays moved, and
 * the result says so (rfc6851 §3.3 wants each message moved or left, not all of them). Both end where another mailbox has
 * taken the name of the target: one answer names the UIDs of one mailbox (rfc4315 §3).
 */
export async function transferSlices(
  { write, view, uids }: Change,
  operation: Omit<CopyOperation, 'ranges'>,
): Promise<MailboxResult<CopyResult>> {
  const sourceUids: number[] = []
  const targetUids: number[] = []
  let uidValidity: number | undefined
  const isCopy = operation.op === 'copy'
  const all = [...slices(uids, isCopy ? COPY_SLICE_ROWS : WRITE_SLICE_ROWS)]
  const copy = isCopy && all.length > 1 ? randomUUID() : undefined
  for (const [at, slice] of all.entries()) {
    const part = copy === undefined ? {} : { part: { copy, isLast: at === all.length - 1 } }
    const same = uidValidity === undefined ? {} : { toUidValidity: uidValidity }
    const done = await write<CopyResult>({ ...operation, ...part, ...same, ranges: view.rangesOf(slice) })
    if (!done.ok) {
      if (uidValidity === undefined || targetUids.length === 0) return done
      if (copy === undefined)
        return { ok: true, value: { uidValidity, sourceUids, targetUids, unfinished: done.error } }
      return takeBack(write, operation, { uidValidity, targetUids, copy }, done.error)
    }
    uidValidity = done.value.uidValidity
    sourceUids.push(...done.value.sourceUids)
    targetUids.push(...done.value.targetUids)
  }
  return { ok: true, value: { uidValidity: uidValidity ?? 0, sourceUids, targetUids } }
}

/** What can't be taken back now (the disk is gone) is when the disk is back, or at the next start: see writer/take-back.ts. */
async function takeBack(
  write: Write,
  { owner }: Pick<CopyOperation, 'owner'>,
  copied: {
    readonly uidValidity: number
    readonly targetUids: readonly number[]
    readonly copy: string
  },
  why: MailboxError,
): Promise<MailboxResult<CopyResult>> {
  const { copy, uidValidity, targetUids } = copied
  const all = [...slices(targetUids, WRITE_SLICE_ROWS)]
  for (const [at, slice] of all.entries()) {
    const undone = await write<null>({
      op: 'take-back',
      ...{ owner, uidValidity },
      ranges: uidSetOf(slice).bounds,
      ...{ copy, isLast: at === all.length - 1 },
    })
    if (!undone.ok) break
  }
  return { ok: false, error: why }
}

/** At least one slice: a write of nothing is asked for too, since it may be refused. */
function* slices(all: readonly number[], size: number): Generator<readonly number[], void> {
  if (all.length <= size) {
    yield all
    return
  }
  for (let at = 0; at < all.length; at += size) yield all.slice(at, at + size)
}
