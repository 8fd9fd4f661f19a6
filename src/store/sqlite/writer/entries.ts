import { DELETED, SEEN } from '../../../mail/flags.ts'
import { keywordBit } from '../../flag-bits.ts'
import { KEYWORDS_PER_MAILBOX, MAX_UID_NEXT, TOMBSTONES_PER_MAILBOX } from '../../limits.ts'
import type { FlagNames } from '../operations.ts'
import { type Context, refuse } from './context.ts'
import type { AccountState, MailboxState } from './state.ts'

const INSERT_ENTRY = 'INSERT INTO entries (mailbox, uid, message, flags, modseq) VALUES (?, ?, ?, ?, ?)'
const INSERT_KEYWORD = 'INSERT INTO keywords (mailbox, bit, name) VALUES (?, ?, ?)'
const DELETE_ENTRY = 'DELETE FROM entries WHERE mailbox = ? AND uid = ?'
const INSERT_TOMBSTONE = 'INSERT INTO tombstones (mailbox, modseq, uid, message) VALUES (?, ?, ?, ?)'
const SELECT_RANGE = `SELECT e.uid, e.message, e.flags, m.size FROM entries e JOIN messages m ON m.id = e.message
  WHERE e.mailbox = ? AND e.uid BETWEEN ? AND ?`
const SELECT_FLAGGED = `SELECT e.uid, e.message, e.flags, m.size FROM entries e JOIN messages m ON m.id = e.message
  WHERE e.mailbox = ? AND e.uid BETWEEN ? AND ? AND e.flags & ? = ? ORDER BY e.uid LIMIT ?`
const OLD_TOMBSTONES = `SELECT modseq, uid FROM tombstones WHERE mailbox = ? AND message IS NULL
  ORDER BY modseq, uid LIMIT ?`
const DELETE_TOMBSTONE = 'DELETE FROM tombstones WHERE mailbox = ? AND modseq = ? AND uid = ?'

export type EntryRow = readonly [uid: number, message: number, flags: number, size: number]

/** Entries of UID ranges (pairs first, last), ascending. */
export function* entriesIn(
  context: Context,
  mailbox: MailboxState,
  ranges: readonly number[],
): Generator<EntryRow, void> {
  for (let i = 0; i + 1 < ranges.length; i += 2) {
    const [first, last] = [ranges[i] as number, ranges[i + 1] as number]
    yield* context.sql.all(SELECT_RANGE, mailbox.id, first, last) as unknown as readonly EntryRow[]
  }
}

/** The first `limit` entries of UID ranges that have all of these system flags, ascending. */
export function firstEntries(
  context: Context,
  mailbox: MailboxState,
  wanted: { readonly ranges: readonly number[]; readonly flags: number; readonly limit: number },
): EntryRow[] {
  const { ranges, flags, limit } = wanted
  const rows: EntryRow[] = []
  for (let i = 0; i + 1 < ranges.length && rows.length < limit; i += 2) {
    const [first, last] = [ranges[i] as number, ranges[i + 1] as number]
    const more = context.sql.all(SELECT_FLAGGED, mailbox.id, first, last, flags, flags, limit - rows.length)
    for (const row of more) rows.push(row as unknown as EntryRow)
  }
  return rows
}

/** Puts a message into a mailbox; gives its UID. The quota has been asked before. */
export function insertEntry(
  context: Context,
  place: { readonly account: AccountState; readonly mailbox: MailboxState; readonly modseq: number },
  entry: { readonly message: number; readonly flags: number; readonly size: number },
): number {
  const { account, mailbox, modseq } = place
  if (mailbox.uidNext >= MAX_UID_NEXT) refuse({ kind: 'limit', what: `no UIDs are left in ${mailbox.name}` })
  context.state.touch(account)
  context.state.touch(mailbox)
  const uid = mailbox.uidNext++
  context.sql.run(INSERT_ENTRY, mailbox.id, uid, entry.message, entry.flags, modseq)
  mailbox.highestModseq = modseq
  count(mailbox, entry, 1)
  account.used += entry.size
  return uid
}

/** Takes entries out; tombstones keep their messages until no session shows them any more. */
export function removeEntries(
  context: Context,
  place: { readonly account: AccountState; readonly mailbox: MailboxState; readonly modseq: number },
  rows: readonly EntryRow[],
): void {
  const { account, mailbox, modseq } = place
  const { sql, state } = context
  state.touch(account)
  state.touch(mailbox)
  for (const [uid, message, flags, size] of rows) {
    sql.run(DELETE_ENTRY, mailbox.id, uid)
    sql.run(INSERT_TOMBSTONE, mailbox.id, modseq, uid, message)
    count(mailbox, { flags, size }, -1)
    account.used -= size
  }
  mailbox.highestModseq = modseq
  mailbox.tombstones += rows.length
  boundTombstones(context, mailbox)
  context.events.push({ e: 'expunged', mailbox: mailbox.id, modseq, uids: rows.map(([uid]) => uid) })
}

/**
 * Mail that RCPT let through is taken while there is any room, and may overshoot by itself: were it refused for
 * its size, its other recipients would wait with it, and its sender would try again for days.
 */
export function checkNotFull(account: AccountState): void {
  if (account.quota !== null && account.used >= account.quota)
    refuse({ kind: 'over-quota', cause: `${account.login} uses ${account.used} of ${account.quota} octets` })
}

/** What a client puts in by itself must fit: it is told at once. */
export function checkQuota(account: AccountState, more: number): void {
  if (account.quota !== null && account.used + more > account.quota)
    refuse({
      kind: 'over-quota',
      cause: `${account.login} uses ${account.used} of ${account.quota} octets; ${more} more do not fit`,
    })
}

/**
 * The bits of a flag set in this mailbox; new keywords are entered into its table.
 * @param full what to do where the table has no room: COPY and delivery lose the keyword, STORE is told.
 */
export function bitsOf(
  context: Context,
  mailbox: MailboxState,
  flags: FlagNames,
  full: 'refuse' | 'drop',
): number {
  let bits = flags.system
  for (const keyword of flags.keywords) {
    let index = keywordIndex(mailbox, keyword)
    if (index < 0) index = addKeyword(context, mailbox, keyword)
    if (index >= 0) bits += keywordBit(index)
    else if (full === 'refuse')
      refuse({ kind: 'limit', what: `${mailbox.name} has ${KEYWORDS_PER_MAILBOX} keywords already` })
  }
  return bits
}

/** The bits of those flags that this mailbox knows; its table stays as it is. */
export function knownBits(mailbox: MailboxState, flags: FlagNames): number {
  const indexes = flags.keywords.map((keyword) => keywordIndex(mailbox, keyword))
  return indexes.reduce((bits, index) => (index < 0 ? bits : bits + keywordBit(index)), flags.system)
}

function keywordIndex(mailbox: MailboxState, keyword: string): number {
  const wanted = keyword.toLowerCase()
  return mailbox.keywords.findIndex((known) => known.toLowerCase() === wanted)
}

function addKeyword(context: Context, mailbox: MailboxState, keyword: string): number {
  const index = mailbox.keywords.length
  if (index >= KEYWORDS_PER_MAILBOX) return -1
  context.state.touch(mailbox)
  context.sql.run(INSERT_KEYWORD, mailbox.id, index, keyword)
  mailbox.keywords = [...mailbox.keywords, keyword]
  context.events.push({ e: 'keywords', mailbox: mailbox.id, keywords: mailbox.keywords })
  return index
}

function count(
  mailbox: MailboxState,
  entry: { readonly flags: number; readonly size: number },
  sign: 1 | -1,
) {
  mailbox.messages += sign
  mailbox.size += sign * entry.size
  if ((entry.flags & SEEN) === 0) mailbox.unseen += sign
  if ((entry.flags & DELETED) !== 0) mailbox.deleted += sign
}

/** Some messages whose flags become others. */
export function recount(
  mailbox: MailboxState,
  of: { readonly before: number; readonly after: number; readonly count: number },
): void {
  const { after, before, count: messages } = of
  mailbox.unseen += messages * (Number((after & SEEN) === 0) - Number((before & SEEN) === 0))
  mailbox.deleted += messages * (Number((after & DELETED) !== 0) - Number((before & DELETED) !== 0))
}

/** Forgets the oldest tombstones, a quarter at a time; whoever asks about older ones gets all (rfc7162 §3.2.5.1). */
function boundTombstones(context: Context, mailbox: MailboxState): void {
  if (mailbox.tombstones <= TOMBSTONES_PER_MAILBOX) return
  const excess = mailbox.tombstones - TOMBSTONES_PER_MAILBOX + TOMBSTONES_PER_MAILBOX / 4
  const rows = context.sql.all(OLD_TOMBSTONES, mailbox.id, excess) as unknown as readonly [number, number][]
  for (const [modseq, uid] of rows) {
    context.sql.run(DELETE_TOMBSTONE, mailbox.id, modseq, uid)
    mailbox.vanishedFloor = Math.max(mailbox.vanishedFloor, modseq)
  }
  mailbox.tombstones -= rows.length
}
