import { openForCheckpoints } from '../database.ts'
import { describeError, leavesDiskUnsure, Sql } from '../sql.ts'
import type { FromCheckpoints, PassFailure, ReaderData, ThreadPort, ToCheckpoints } from '../threads.ts'

/**
 * Writes the log back into the database while the writer goes on: its pages, then an fsync. What fails leaves all as
 * it is, for SQLite counts as written back only what came through its fsync.
 */
export function runCheckpoints(port: ThreadPort<ToCheckpoints, FromCheckpoints>, data: ReaderData): void {
  let sql: Sql | undefined
  const close = (): void => {
    if (sql?.db.isOpen) sql.db.close()
    sql = undefined
  }
  const pass = (): PassFailure | null => {
    try {
      sql ??= new Sql(openForCheckpoints(data.database))
      sql.get('PRAGMA wal_checkpoint(PASSIVE)')
      return null
    } catch (error) {
      return { cause: describeError(error), isUnsure: leavesDiskUnsure(error) }
    }
  }
  port.onMessage((message) => {
    if (message.kind === 'pass') {
      const failure = pass()
      port.post({ kind: 'passed', failure })
      // Told first: after a fault closing may fail too.
      if (failure !== null) close()
      return
    }
    close()
    port.close()
  })
}
