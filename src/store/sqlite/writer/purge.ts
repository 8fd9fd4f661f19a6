import { SLICE_ROWS } from '../../limits.ts'
import type { Sql } from '../sql.ts'
import { dropMessageRef } from './bodies.ts'
import type { Context, Release } from './context.ts'

const PINNED = `SELECT modseq, uid, message FROM tombstones WHERE mailbox = ? AND message IS NOT NULL
  AND modseq <= ? ORDER BY modseq LIMIT ?`
const UNPIN = 'UPDATE tombstones SET message = NULL WHERE mailbox = ? AND modseq = ? AND uid = ?'
const IS_DOOMED = 'SELECT 1 FROM doomed WHERE mailbox = ?'
const DOOMED_ENTRIES = 'SELECT uid, message FROM entries WHERE mailbox = ? LIMIT ?'
const DELETE_ENTRY = 'DELETE FROM entries WHERE mailbox = ? AND uid = ?'
const DOOMED_TOMBSTONES = 'SELECT modseq, uid FROM tombstones WHERE mailbox = ? LIMIT ?'
const DELETE_TOMBSTONE = 'DELETE FROM tombstones WHERE mailbox = ? AND modseq = ? AND uid = ?'
const UNDOOM = 'DELETE FROM doomed WHERE mailbox = ?'
const ALL_PINNED = `SELECT mailbox, max(modseq) FROM tombstones WHERE message IS NOT NULL GROUP BY mailbox`
const ALL_DOOMED = 'SELECT mailbox FROM doomed'

/**
 * An expunged message stays whole behind its tombstone while a session may still show it. The views tell how
 * far all of them have come (`upTo`, a MODSEQ of the mailbox's account); what was expunged up to there loses
 * its message, and the message its body when nothing else names it. One slice; the rest is put off.
 */
export function release(context: Context, work: Release): undefined {
  const upTo = work.upTo ?? Number.MAX_SAFE_INTEGER
  const rows = context.sql.all(PINNED, work.mailbox, upTo, SLICE_ROWS) as unknown as readonly Pinned[]
  for (const [modseq, uid, message] of rows) {
    context.sql.run(UNPIN, work.mailbox, modseq, uid)
    dropMessageRef(context, message)
  }
  if (rows.length === SLICE_ROWS) context.later.push(work)
  else if (work.upTo === null && context.sql.get(IS_DOOMED, work.mailbox) !== undefined)
    purgeDoomed(context, work)
}

type Pinned = readonly [modseq: number, uid: number, message: number]

function purgeDoomed(context: Context, work: Release): void {
  const { sql } = context
  const { mailbox } = work
  const entries = sql.all(DOOMED_ENTRIES, mailbox, SLICE_ROWS) as unknown as readonly [number, number][]
  for (const [uid, message] of entries) {
    sql.run(DELETE_ENTRY, mailbox, uid)
    dropMessageRef(context, message)
  }
  if (entries.length === SLICE_ROWS) {
    context.later.push(work)
    return
  }
  const tombstones = sql.all(DOOMED_TOMBSTONES, mailbox, SLICE_ROWS) as unknown as readonly [number, number][]
  for (const [modseq, uid] of tombstones) sql.run(DELETE_TOMBSTONE, mailbox, modseq, uid)
  if (tombstones.length === SLICE_ROWS) context.later.push(work)
  else sql.run(UNDOOM, mailbox)
}

/** After a start no session shows anything: all that was pinned or doomed then can go. */
export function leftovers(sql: Sql): Release[] {
  const pinned = sql.all(ALL_PINNED) as unknown as readonly [number, number][]
  const doomed = sql.all(ALL_DOOMED) as unknown as readonly [number][]
  return [
    ...pinned.map(([mailbox, upTo]) => ({ mailbox, upTo })),
    ...doomed.map(([mailbox]) => ({ mailbox, upTo: null })),
  ]
}
