import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { LAST_CLOCK_SECONDS, RESTORED_ID_JUMP, RESTORED_UIDVALIDITY_JUMP } from '../../limits.ts'
import { makeShrinkable, openForWriting } from '../database.ts'
import { migrate } from '../migrate.ts'
import { emptyLog } from '../open-again.ts'
import { Sql } from '../sql.ts'
import { databaseUrl } from './octets.ts'

/** What was changed in a restored database. */
export interface Settled {
  readonly mailboxes: number
  /** Mailboxes with a new UIDVALIDITY: mail programs read them anew. */
  readonly renewed: number
  /** Messages of the queue that are held. */
  readonly held: number
}

const COUNTERS = ['account', 'mailbox', 'body', 'message', 'queue', 'trace'] as const
const HELD = 'it was restored from a backup and may have gone out already'

/**
 * Makes a restored state fit for what clients have seen since.
 *
 * Between the backup and the restore the server went on: UIDs, MODSEQs and object ids were given to messages that this
 * state does not know, and would be given to others; messages that clients have seen vanish are back; flags are as
 * they were. A UID that comes to mean another message must show by UIDVALIDITY (rfc3501 §2.3.1.1). Leaving it and
 * jumping over the UIDs that may have been given is not enough: a message that is back has a UID below those a client
 * knows, and many clients look for new mail only above (UIDs ascend as messages are added, says the same section), so
 * they would never show what the restore brought back; and programs that keep mail in step in both directions would
 * take the lost messages for expunged and delete the only copies of them that are left. A new UIDVALIDITY makes
 * caches load again, and makes such programs stop and ask. It is also the only thing that every client heeds.
 *
 * A mailbox that is in the replaced store just as in the backup (same id, UIDVALIDITY, UIDNEXT and HIGHESTMODSEQ) has
 * not changed since, and keeps its own: clients notice nothing.
 *
 * Object ids (EMAILID, THREADID, MAILBOXID) must never be given to something else (rfc8474 §4, §5): their counters jump.
 *
 * What waited in the queue may have gone out after the backup. Nobody wants a letter twice unasked: it is held.
 *
 * @param before the database that is replaced; undefined where there is none.
 */
export function settleRestored(
  path: string,
  { before, nowMs }: { readonly before: string | undefined; readonly nowMs: number },
): Settled {
  const db = openForWriting(path)
  try {
    migrate(db)
    // A large one must not be rewritten in memory.
    db.exec('PRAGMA temp_store = FILE')
    makeShrinkable(db, Number.POSITIVE_INFINITY)
    const sql = new Sql(db)
    const old = readBefore(before)
    sql.run('BEGIN IMMEDIATE')
    const renewed = renewMailboxes(sql, old, nowMs)
    jumpCounters(sql, old)
    const held = holdQueue(sql, nowMs)
    const [mailboxes] = sql.get('SELECT count(*) FROM mailboxes') ?? [0]
    sql.run('COMMIT')
    emptyLog(sql)
    return { mailboxes: Number(mailboxes), renewed, held }
  } finally {
    db.close()
  }
}

/** What of the replaced store tells what clients have seen last. */
interface Before {
  /** By id. */
  readonly mailboxes: ReadonlyMap<number, string>
  /** MODSEQs by account. */
  readonly modseqs: ReadonlyMap<number, number>
  readonly counters: Readonly<Record<string, unknown>>
}

const STATE = 'SELECT id, account, name, uidvalidity, uidnext, highest_modseq FROM mailboxes'
const stateKey = (row: readonly unknown[]): string => JSON.stringify(row)

/** Nothing where it can't be read: a damaged one may be why there is a restore. */
function readBefore(path: string | undefined): Before {
  const nothing = { mailboxes: new Map<number, string>(), modseqs: new Map<number, number>(), counters: {} }
  if (path === undefined) return nothing
  let db: DatabaseSync | undefined
  try {
    // What was closed well is read without leaving anything beside it; else its log belongs to it.
    const hasLog = (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0
    db = new DatabaseSync(databaseUrl(path, hasLog ? {} : { immutable: '1' }), { readOnly: true })
    const sql = new Sql(db)
    const [isRight] = sql.get('PRAGMA quick_check(1)') ?? []
    if (isRight !== 'ok') return nothing
    const mailboxes = sql.all(STATE).map((row) => [Number(row[0]), stateKey(row)] as const)
    const accounts = sql.all('SELECT id, modseq FROM accounts') as unknown as readonly [number, number][]
    const counters = { ...db.prepare('SELECT * FROM counters').get() }
    return { mailboxes: new Map(mailboxes), modseqs: new Map(accounts), counters }
  } catch {
    return nothing
  } finally {
    db?.close()
  }
}

/** @returns how many got a new UIDVALIDITY. */
function renewMailboxes(sql: Sql, old: Before, nowMs: number): number {
  const [mine] = sql.get('SELECT uidvalidity FROM counters') ?? [0]
  const theirs = Number(old.counters.uidvalidity ?? 0)
  const seconds = Math.floor(nowMs / 1000)
  const clock = seconds > LAST_CLOCK_SECONDS ? 0 : seconds
  let last = Math.max(Number(mine), theirs, clock) + RESTORED_UIDVALIDITY_JUMP
  let renewed = 0
  for (const row of sql.all(STATE)) {
    if (old.mailboxes.get(Number(row[0])) === stateKey(row)) continue
    sql.run('UPDATE mailboxes SET uidvalidity = ? WHERE id = ?', ++last, Number(row[0]))
    renewed++
  }
  sql.run('UPDATE counters SET uidvalidity = ?', last)
  // For the mailboxes that keep theirs: a MODSEQ that was given to another of the account is not given again.
  for (const [id, modseq] of old.modseqs)
    sql.run('UPDATE accounts SET modseq = max(modseq, ?) WHERE id = ?', modseq, id)
  return renewed
}

function jumpCounters(sql: Sql, old: Before): void {
  for (const name of COUNTERS) {
    const theirs = Number(old.counters[name] ?? 0)
    sql.run(`UPDATE counters SET ${name} = max(${name}, ?) + ?`, theirs, RESTORED_ID_JUMP)
  }
}

/** @returns how many messages. */
function holdQueue(sql: Sql, nowMs: number): number {
  const items = sql.all(
    `SELECT DISTINCT q.id, q.trace, q.arrived_ms FROM queue q
      JOIN queue_recipients r ON r.queue = q.id WHERE r.state = 'waiting'`,
  ) as unknown as readonly [number, string, number][]
  const events = JSON.stringify([{ atMs: nowMs, kind: 'held', why: HELD }])
  for (const [, trace, arrivedMs] of items) {
    sql.run('UPDATE counters SET trace = trace + 1, trace_bytes = trace_bytes + ?', Buffer.byteLength(events))
    // A trace's age counts from its beginning: all its rows go together.
    sql.run(
      'INSERT INTO traces (trace, id, at_ms, events) SELECT ?, trace, ?, ? FROM counters',
      trace,
      arrivedMs,
      events,
    )
  }
  sql.run(`UPDATE queue_recipients SET state = 'held' WHERE state = 'waiting'`)
  return items.length
}
