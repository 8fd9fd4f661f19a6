import { DatabaseSync } from 'node:sqlite'

/** Of a connection that nobody looks after: its log grows to some 32 MiB. The writer has a keeper, see log-keeper.ts. */
const CHECKPOINT_PAGES = 8000
/** After a burst the log's file is cut back to this. */
const LOG_LIMIT_BYTES = 64 * 1024 * 1024
/**
 * Pages kept in memory: negative is KiB. Measured with 20,000 messages of 4 KiB and with 100,000 in one mailbox: larger
 * ones (64 and 32 MiB) made nothing quicker, since the system keeps the file's pages as well, and cost 55 MiB.
 */
const WRITER_CACHE_KIB = 16 * 1024
/** The rows of 10,000 messages, read again and again, stay in it: a tenth less time for their header fields and structures. */
const READER_CACHE_KIB = 24 * 1024
/** Only a checkpoint or another program's read ever makes one wait. */
const BUSY_TIMEOUT_MS = 5000

/** The writer's connection; also the one that makes the file. No other code opens the file by `fs`. */
export function openForWriting(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
  db.exec('PRAGMA page_size = 4096')
  // Before the first page is written: later only a rewrite of the whole file changes it, see `makeShrinkable`.
  db.exec('PRAGMA auto_vacuum = INCREMENTAL')
  db.exec('PRAGMA journal_mode = WAL')
  db.exec('PRAGMA synchronous = FULL')
  db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
  db.exec(`PRAGMA journal_size_limit = ${LOG_LIMIT_BYTES}`)
  db.exec(`PRAGMA cache_size = -${WRITER_CACHE_KIB}`)
  db.exec('PRAGMA temp_store = MEMORY')
  return db
}

/** For writing a log back that others write. The database is there. */
export function openForCheckpoints(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
  // The log and the database are synced; see `PRAGMA synchronous`.
  db.exec('PRAGMA synchronous = FULL')
  return db
}

/**
 * Makes a database that was made without `auto_vacuum` able to give room back, by rewriting it. A large one stays as it
 * is: that would take minutes; it is rewritten where it is restored from a backup.
 * @param mostBytes larger ones are left.
 */
export function makeShrinkable(db: DatabaseSync, mostBytes: number): void {
  const number = (pragma: string): number => Number(Object.values(db.prepare(pragma).get() ?? {})[0])
  if (number('PRAGMA auto_vacuum') === 2) return
  if (number('PRAGMA page_count') * number('PRAGMA page_size') > mostBytes) return
  db.exec('PRAGMA auto_vacuum = INCREMENTAL')
  db.exec('VACUUM')
}

export function openForReading(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
  db.exec(`PRAGMA cache_size = -${READER_CACHE_KIB}`)
  db.exec('PRAGMA temp_store = MEMORY')
  return db
}
