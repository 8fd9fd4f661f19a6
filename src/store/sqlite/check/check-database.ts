import { statSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'

export type Cell = string | number | bigint | Uint8Array | null
export type Row = Readonly<Record<string, Cell>>
export type Params = Readonly<Record<string, Cell>>

/** Pages kept in memory; what needs more room goes to temporary files. */
const CACHE_KIB = 16 * 1024
/** A checkpoint or another program's read makes one wait. */
const BUSY_TIMEOUT_MS = 5000

/**
 * A connection that looks at what may be damaged: integers of any size can be read (as bigint where they are no safe
 * number), rows come by the names of their columns, and parameters by theirs.
 */
export class CheckDatabase {
  readonly db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  private constructor(db: DatabaseSync) {
    this.db = db
    db.exec(`PRAGMA cache_size = -${CACHE_KIB}`)
  }

  /** Changes nothing, not even the log: it is not written back when this connection is the last to close. */
  static forReading(path: string): CheckDatabase {
    return new CheckDatabase(openReadOnly(path))
  }

  /** The caller owns the folder. */
  static forRepair(path: string): CheckDatabase {
    const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
    db.exec('PRAGMA synchronous = FULL')
    return new CheckDatabase(db)
  }

  *rows(sql: string, params: Params = {}): Generator<Row, void> {
    for (const row of this.#statement(sql).iterate({ ...params })) yield plain(row as Row)
  }

  row(sql: string, params: Params = {}): Row | undefined {
    const row = this.#statement(sql).get({ ...params })
    return row === undefined ? undefined : plain(row as Row)
  }

  /** @returns how many rows it changed. */
  run(sql: string, params: Params = {}): number {
    return Number(this.#statement(sql).run({ ...params }).changes)
  }

  close(): void {
    this.#statements.clear()
    this.db.close()
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.db.prepare(sql)
      statement.setReadBigInts(true)
      statement.setAllowUnknownNamedParameters(true)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

/**
 * On a disk that is read-only SQLite cannot make the index of the log: without a log that has anything in it the file
 * alone is the database, and is read as one that nobody changes. With such a log only a copy elsewhere can be read.
 */
function openReadOnly(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
  try {
    db.prepare('SELECT 1 FROM sqlite_schema').get()
    return db
  } catch (error) {
    if (!(error instanceof Error) || !('errcode' in error) || !CANNOT_OPEN.has(Number(error.errcode) & 0xff))
      return db
    db.close()
    if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0)
      throw new UnreadableLog(
        `${path}-wal holds changes that cannot be read where nothing may be written (${error.message}): copy the folder to another disk, and check the copy`,
      )
    const url = new URL('file:///')
    url.pathname = path.split('/').map(encodeURIComponent).join('/')
    url.search = '?immutable=1'
    return new DatabaseSync(url, { readOnly: true })
  }
}

/** A sentence: what cannot be opened here can elsewhere. */
export class UnreadableLog extends Error {
  override readonly name = 'UnreadableLog'
}

/** SQLITE_READONLY and SQLITE_CANTOPEN. */
const CANNOT_OPEN: ReadonlySet<number> = new Set([8, 14])

function plain(row: Row): Row {
  const made: Record<string, Cell> = {}
  for (const [name, cell] of Object.entries(row))
    made[name] =
      typeof cell === 'bigint' && cell <= MAX_SAFE && cell >= -MAX_SAFE ? Number(cell) : (cell as Cell)
  return made
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)
