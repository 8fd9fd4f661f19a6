import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'

export type Value = SQLInputValue
export type Row = readonly SQLOutputValue[]

/** Statements of one connection, prepared once; rows come as arrays in the order of the columns. */
export class Sql {
  readonly db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(db: DatabaseSync) {
    this.db = db
  }

  run(sql: string, ...values: Value[]): void {
    this.#statement(sql).run(...values)
  }

  get(sql: string, ...values: Value[]): Row | undefined {
    return this.#statement(sql).get(...values) as unknown as Row | undefined
  }

  all(sql: string, ...values: Value[]): readonly Row[] {
    return this.#statement(sql).all(...values) as unknown as readonly Row[]
  }

  /** Rows one by one; the caller must run it to its end or leave the loop. */
  iterate(sql: string, ...values: Value[]): Iterable<Row> {
    return this.#statement(sql).iterate(...values) as unknown as Iterable<Row>
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.db.prepare(sql)
      statement.setReturnArrays(true)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

/** SQLite's result codes that we tell apart (the low octet; the rest says where it happened). */
const SQLITE_BUSY = 5
const SQLITE_IOERR = 10
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_NOTADB = 26
/** A full disk shows like this where the log's index file could not grow. */
const SQLITE_IOERR_SHMSIZE = 4874
const SQLITE_READONLY = 8
const SQLITE_CANTOPEN = 14
/** Faults of reading: nothing was written, so what is on disk is what it was. */
const READ_FAULTS: ReadonlySet<number> = new Set([
  266, // SQLITE_IOERR_READ
  522, // SQLITE_IOERR_SHORT_READ
  8202, // SQLITE_IOERR_DATA
  8458, // SQLITE_IOERR_CORRUPTFS
])

/** What kind of fault an error thrown by the database is; undefined where it is none of the database's. */
export function sqliteFault(error: unknown): 'full' | 'io' | 'busy' | 'corrupt' | 'other' | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined
  if (error.errcode === SQLITE_IOERR_SHMSIZE) return 'full'
  const code = error.errcode & 0xff
  if (code === SQLITE_FULL) return 'full'
  if (code === SQLITE_IOERR) return 'io'
  if (code === SQLITE_BUSY) return 'busy'
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB ? 'corrupt' : 'other'
}

/**
 * Whether a write or an fsync failed, or the disk has become read-only. After a failed fsync the system may have
 * dropped what was to be written and call the next fsync of the same file a success: nothing that goes through this
 * connection can be acknowledged any more.
 */
export function leavesDiskUnsure(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return false
  const { errcode } = error
  const code = errcode & 0xff
  if (code === SQLITE_READONLY || code === SQLITE_CANTOPEN) return true
  return code === SQLITE_IOERR && errcode !== SQLITE_IOERR_SHMSIZE && !READ_FAULTS.has(errcode)
}

/** Whether what was to be read is damaged, or a sector of the disk can't be read: other rows may well be readable. */
export function isUnreadable(error: unknown): boolean {
  const fault = sqliteFault(error)
  return fault === 'corrupt' || (fault === 'io' && !leavesDiskUnsure(error))
}

export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'errcode' in error ? ` (SQLite ${String(error.errcode)})` : ''
  return `${error.message}${code}`
}

/** Whether what `describeError` gave tells of a damaged database. */
export function isDamageText(text: string): boolean {
  const [, code = '0'] = /\(SQLite (\d+)\)/.exec(text) ?? []
  return [SQLITE_CORRUPT, SQLITE_NOTADB].includes(Number(code) & 0xff)
}
