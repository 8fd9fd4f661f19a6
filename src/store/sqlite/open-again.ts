import { openForWriting } from './database.ts'
import { Sql } from './sql.ts'

/**
 * Opens the database again after a write or an fsync failed, and proves it. Throws where it can't be believed yet.
 *
 * After a failed fsync the system may hold pages in memory as written that are not on the disk, and call the next
 * fsync a success. Two things can be so: the last pages of the log, of a group that was refused; and pages of the
 * database that a checkpoint wrote. Readers never see the first, since the log's index was not moved on, but a process
 * that starts after us would find them in memory, believe them, and write acknowledged groups behind them that
 * are worth nothing after a power loss. So the whole log (each acknowledged group of it had its own good fsync) is
 * written into the database once more, all pages of it anew, and the log is emptied: both doubts are gone.
 */
export function openAgain(path: string): Sql {
  const db = openForWriting(path)
  try {
    const sql = new Sql(db)
    emptyLog(sql)
    proveWriting(sql)
    return sql
  } catch (error) {
    db.close()
    throw error
  }
}

/** Writes the log back into the database, with an fsync of both, and empties it. Throws where that is not done. */
export function emptyLog(sql: Sql): void {
  const [isBusy] = sql.get('PRAGMA wal_checkpoint(TRUNCATE)') ?? []
  if (isBusy !== 0) throw new Error('the log is still being read and cannot be emptied')
}

/** A commit with its fsync. A number is passed over: SQLite does not write what stays the same. */
function proveWriting(sql: Sql): void {
  sql.run('BEGIN IMMEDIATE')
  sql.run('UPDATE counters SET trace = trace + 1')
  sql.run('COMMIT')
}
