import type { TrustRow } from '../operations.ts'
import { isUnreadable, type Sql } from '../sql.ts'

const SELECT = 'SELECT id, kind, domain, list, host, why, added_ms, until_ms FROM trust ORDER BY id'

type TrustColumns = readonly [
  id: number,
  kind: string,
  domain: string,
  list: string | null,
  host: string | null,
  why: string | null,
  addedMs: number,
  untilMs: number | null,
]

/** Nothing, where the rows are damaged: without exceptions mail is judged as its domain asks. */
export function readTrust(sql: Sql): readonly TrustRow[] {
  try {
    return (sql.all(SELECT) as unknown as readonly TrustColumns[]).map(
      ([id, kind, domain, list, host, why, addedMs, untilMs]) => {
        return { id, kind, domain, list, host, why, addedMs, untilMs }
      },
    )
  } catch (error) {
    if (!isUnreadable(error)) throw error
    return []
  }
}
