import { DELETED } from '../../../mail/flags.ts'
import { changedFlags, keywordsOf } from '../../flag-bits.ts'
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

const IN_RANGE = 'mailbox = ? AND uid BETWEEN ? AND ?'
const SELECT_SETS = `SELECT flags, count(*) FROM entries WHERE ${IN_RANGE} AND modseq <= ? GROUP BY flags`
const SELECT_LATER = `SELECT uid FROM entries WHERE ${IN_RANGE} AND modseq > ?`
// One statement for a range, whatever flags its messages have: STORE on a whole mailbox is one of them.
const update = (flags: string): string =>
  `UPDATE entries SET flags = ${flags}, modseq = ? WHERE ${IN_RANGE} AND modseq <= ? AND ${flags} <> flags`
const UPDATES: Readonly<Record<FlagsOperation['action'], string>> = {
  add: update('(flags | ?)'),
  remove: update('(flags & ~?)'),
  replace: update('?'),
}

/** STORE. UNCHANGEDSINCE is decided here, where nothing can change in between (rfc7162 §3.1.3). */
export function storeFlags(
  context: Context,
  operation: FlagsOperation,
): { readonly changed: number; readonly modified: readonly number[] } {
  const account = requireAccount(context, operation.owner)
  const mailbox = requireMailbox(context, operation.owner, operation.mailbox)
  const { action, unchangedSince, view, silent } = operation
  // What the mailbox does not know no message has: there is nothing to take away, and nothing to make room for.
  const bits =
    action === 'remove'
      ? knownBits(mailbox, operation.flags)
      : bitsOf(context, mailbox, operation.flags, 'refuse')
  const since = unchangedSince ?? Number.MAX_SAFE_INTEGER
  const modified = unchangedSince === null ? [] : laterThan(context, mailbox, operation.ranges, since)
  let changed = 0
  const ranges: number[] = []
  for (let i = 0; i + 1 < operation.ranges.length; i += 2) {
    const range = [operation.ranges[i] as number, operation.ranges[i + 1] as number] as const
    const before = changed
    for (const [flags, count] of context.sql.all(SELECT_SETS, mailbox.id, ...range, since) as SetRow[]) {
      const after = changedFlags({ action, bits }, flags)
      if (after === flags) continue
      // Before it is counted anew: a refusal later in the group brings back what was there.
      context.state.touch(mailbox)
      recount(mailbox, { before: flags, after, count })
      changed += count
    }
    if (changed > before) ranges.push(...range)
  }
  if (changed === 0) return { changed, modified }
  const modseq = context.state.nextModseq(account)
  mailbox.highestModseq = modseq
  for (let i = 0; i + 1 < ranges.length; i += 2) {
    const [first, last] = [ranges[i] as number, ranges[i + 1] as number]
    context.sql.run(UPDATES[action], bits, modseq, mailbox.id, first, last, since, bits)
  }
  const event = { e: 'flags', mailbox: mailbox.id, modseq, ranges, action, bits, unchangedSince } as const
  context.events.push({ ...event, view, silent })
  return { changed, modified }
}

type SetRow = readonly [flags: number, count: number]

function laterThan(
  context: Context,
  mailbox: MailboxState,
  ranges: readonly number[],
  modseq: number,
): number[] {
  const uids: number[] = []
  for (let i = 0; i + 1 < ranges.length; i += 2) {
    const [first, last] = [ranges[i] as number, ranges[i + 1] as number]
    for (const [uid] of context.sql.all(SELECT_LATER, mailbox.id, first, last, modseq))
      uids.push(uid as number)
  }
  return uids
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

/** What a COPY has entered already goes again, unless the mailbox is gone. By UIDVALIDITY: names change meanwhile. */
export function takeBack(context: Context, operation: Extract<Operation, { op: 'take-back' }>): undefined {
  if (operation.isLast) forgetCopy(context, operation.copy)
  const account = context.state.account(operation.owner)
  const mailbox = account?.byId.values().find(({ uidValidity }) => uidValidity === operation.uidValidity)
  if (account === undefined || mailbox === undefined) return
  const rows = [...entriesIn(context, mailbox, operation.ranges)]
  if (rows.length === 0) return
  const modseq = context.state.nextModseq(account)
  removeEntries(context, { account, mailbox, modseq }, rows)
}
