import { statSync } from 'node:fs'
import { LOG_WATCH_BYTES, LOG_WATCH_GROUPS } from '../../limits.ts'
import type { Sql } from '../sql.ts'

/**
 * SQLite writes its log back into the database by itself and says nothing where that fails: all that was acknowledged
 * is in the log and safe, but the log would grow without end and nobody would know.
 */
export class LogWatch {
  readonly #path: string
  #groups = 0

  constructor(database: string) {
    this.#path = `${database}-wal`
  }

  /** After a group. Throws what keeps the log from being written back, once it has grown too far. */
  look(sql: Sql): void {
    if (++this.#groups % LOG_WATCH_GROUPS !== 0) return
    // Asking for its size opens nothing, so that SQLite's locks stay.
    const size = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0
    if (size > LOG_WATCH_BYTES) sql.get('PRAGMA wal_checkpoint(PASSIVE)')
  }
}
