import { DELETED } from '../../../mail/flags.ts'
import { keywordsOf, unionBits, withoutBits } from '../../flag-bits.ts'
import { WRITE_SLICE_ROWS } from '../../limits.ts'
import type { CopyOperation, FlagsOperation, Operation } from '../operations.ts'
import { addMessageRef } from './bodies.ts'
import { type Context, refuse, requireAccount, requireMailbox, requireNamed } from './context.ts'
import { forgetCopy, noteCopy } from './copy-notes.ts'
import {
  bitsOf,
  checkQuota,
  type EntryRow,
  entriesIn,
  firstEntries,
  insertEntry,
  knownBits,
  recount,
  removeEntries,
} from './entries.ts'
import type { AccountState, MailboxState } from './state.ts'

const SELECT_FLAGS = 'SELECT uid, flags, modseq FROM entries WHERE mailbox = ? AND uid BETWEEN ? AND ?'
const UPDATE_RUN = 'UPDATE entries SET flags = ?, modseq = ? WHERE mailbox = ? AND uid BETWEEN ? AND ?'

/** STORE. UNCHANGEDSINCE is decided here, where nothing can change in between (rfc7162 §3.1.3). */
export function storeFlags(
  context: Context,
  operation: FlagsOperation,
): { readonly changed: readonly number[]; readonly modified: readonly number[] } {
  const account = requireAccount(context, operation.owner)
  const mailbox = requireMailbox(context, operation.owner, operation.mailbox)
  const { action, ranges, unchangedSince } = operation
  // What the mailbox does not know no message has: there is nothing to take away, and nothing to make room for.
  const wanted =
    action === 'remove'
      ? knownBits(mailbox, operation.flags)
      : bitsOf(context, mailbox, operation.flags, 'refuse')
  const modified: number[] = []
  const changes: Change[][] = []
  for (let i = 0; i + 1 < ranges.length; i += 2) {
    const [first, last] = [ranges[i] as number, ranges[i + 1] as number]
    const rows = context.sql.all(SELECT_FLAGS, mailbox.id, first, last) as unknown as readonly Triple[]
    const neighbours = rows.map(([uid, before, modseq]) => {
      const isKept = unchangedSince !== null && modseq > unchangedSince
      if (isKept) modified.push(uid)
      return { uid, before, after: isKept ? before : apply(action, before, wanted) }
    })
    changes.push(neighbours)
  }
  const changed = changes.flat().filter(({ before, after }) => before !== after)
  if (changed.length > 0) writeFlags(context, { account, mailbox, operation }, changes)
  return { changed: changed.map(({ uid }) => uid), modified }
}

type Triple = readonly [uid: number, flags: number, modseq: number]
interface Change {
  readonly uid: number
  readonly before: number
  readonly after: number
}

function apply(action: FlagsOperation['action'], flags: number, wanted: number): number {
  if (action === 'replace') return wanted
  return action === 'add' ? unionBits(flags, wanted) : withoutBits(flags, wanted)
}

/** @param changes for each range all rows in it: nothing else stands between two neighbours. */
function writeFlags(
  context: Context,
  target: {
    readonly account: AccountState
    readonly mailbox: MailboxState
    readonly operation: FlagsOperation
  },
  changes: readonly (readonly Change[])[],
): void {
  const { account, mailbox, operation } = target
  const modseq = context.state.nextModseq(account)
  context.state.touch(mailbox)
  mailbox.highestModseq = modseq
  const rows: number[] = []
  // Neighbours that become equal are written by one statement: STORE on a whole mailbox is a few of them.
  for (const run of changes.flatMap(runsOf)) {
    const { after, uid: first } = run[0] as Change
    context.sql.run(UPDATE_RUN, after, modseq, mailbox.id, first, (run.at(-1) as Change).uid)
    for (const one of run) {
      recount(mailbox, one.before, after)
      rows.push(one.uid, after)
    }
  }
  const { view, silent } = operation
  context.events.push({ e: 'flags', mailbox: mailbox.id, modseq, rows, view, silent })
}

/** Neighbours that all change, to the same flags. */
function runsOf(neighbours: readonly Change[]): Change[][] {
  const runs: Change[][] = []
  let last: Change | undefined
  for (const one of neighbours) {
    const isChange = one.before !== one.after
    if (isChange && last?.after === one.after) runs.at(-1)?.push(one)
    else if (isChange) runs.push([one])
    last = isChange ? one : undefined
  }
  return runs
}

/** COPY and MOVE (rfc6851 §3.3): the copies are the same messages, EMAILID and INTERNALDATE included. */
export function copyMessages(
  context: Context,
  operation: CopyOperation,
): {
  readonly uidValidity: number
  readonly sourceUids: readonly number[]
  readonly targetUids: readonly number[]
} {
  const account = requireAccount(context, operation.owner)
  const source = requireMailbox(context, operation.owner, operation.mailbox)
  const target = requireNamed(context, operation.owner, operation.to)
  // UIDs of one mailbox mean other messages in the next of the same name: a COPY could not be taken back from both.
  if (operation.toUidValidity !== undefined && operation.toUidValidity !== target.uidValidity)
    refuse({ kind: 'no-such-mailbox', what: operation.to })
  const rows = [...entriesIn(context, source, operation.ranges)]
  if (operation.op === 'copy')
    checkQuota(
      account,
      rows.reduce((sum, [, , , size]) => sum + size, 0),
    )
  const { part } = operation
  const targetUids = transfer(context, { account, source, target }, rows)
  if (part?.isLast === true) forgetCopy(context, part.copy)
  else if (part !== undefined) noteCopy(context, part.copy, { target, uids: targetUids })
  if (operation.op === 'move' && rows.length > 0) {
    const modseq = context.state.nextModseq(account)
    removeEntries(context, { account, mailbox: source, modseq }, rows)
  }
  return { uidValidity: target.uidValidity, sourceUids: rows.map(([uid]) => uid), targetUids }
}

/** Enters messages into another mailbox, with their flags as far as its keyword table has room. */
export function transfer(
  context: Context,
  between: { readonly account: AccountState; readonly source: MailboxState; readonly target: MailboxState },
  rows: readonly EntryRow[],
): number[] {
  const { account, source, target } = between
  if (rows.length === 0) return []
  const modseq = context.state.nextModseq(account)
  const known = new Map<number, number>()
  const added: number[] = []
  const uids = rows.map(([, message, bits, size]) => {
    let flags = known.get(bits)
    if (flags === undefined) {
      const keywords = keywordsOf(bits, source.keywords)
      flags = bitsOf(context, target, { system: bits & SYSTEM, keywords }, 'drop')
      known.set(bits, flags)
    }
    addMessageRef(context.sql, message)
    const uid = insertEntry(context, { account, mailbox: target, modseq }, { message, flags, size })
    added.push(uid, message, flags)
    return uid
  })
  context.events.push({ e: 'added', mailbox: target.id, modseq, rows: added })
  return uids
}

const SYSTEM = 31

/** EXPUNGE and UID EXPUNGE (rfc4315 §2.1), one slice: where it is full, there may be more behind its last UID. */
export function expunge(
  context: Context,
  operation: Extract<Operation, { op: 'expunge' }>,
): readonly number[] {
  const account = requireAccount(context, operation.owner)
  const mailbox = requireMailbox(context, operation.owner, operation.mailbox)
  if (mailbox.deleted === 0) return []
  const { ranges } = operation
  const rows = firstEntries(context, mailbox, { ranges, flags: DELETED, limit: WRITE_SLICE_ROWS })
  if (rows.length === 0) return []
  const modseq = context.state.nextModseq(account)
  removeEntries(context, { account, mailbox, modseq }, rows)
  return rows.map(([uid]) => uid)
}

/** What a COPY has entered already goes again, unless the mailbox has become another. */
export function takeBack(context: Context, operation: Extract<Operation, { op: 'take-back' }>): undefined {
  if (operation.isLast) forgetCopy(context, operation.copy)
  const account = context.state.account(operation.owner)
  const mailbox = account?.byName.get(operation.name)
  if (account === undefined || mailbox === undefined || mailbox.uidValidity !== operation.uidValidity) return
  const rows = [...entriesIn(context, mailbox, operation.ranges)]
  if (rows.length === 0) return
  const modseq = context.state.nextModseq(account)
  removeEntries(context, { account, mailbox, modseq }, rows)
}
