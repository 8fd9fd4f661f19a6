import { TRACE_SCAN_ROWS } from '../../limits.ts'
import type { Answers } from '../questions.ts'
import type { Sql } from '../sql.ts'

const SELECT_EVENTS = 'SELECT events FROM traces WHERE trace = ? ORDER BY id'
const SCAN = `SELECT id, trace FROM trace_addresses WHERE id < ?1 AND id >= ?2
  AND (?3 = '' OR instr(senders, ?3) > 0) AND (?4 = '' OR instr(recipients, ?4) > 0) ORDER BY id DESC LIMIT ?5`
const LAST = 'SELECT max(id) FROM trace_addresses'

/** The event lists of one trace, each a JSON array, in the order of happening. */
export function readTrace(sql: Sql, id: string): readonly string[] {
  return (sql.all(SELECT_EVENTS, id) as unknown as readonly [string][]).map(([events]) => events)
}

/** Newest first, one slice of rows; `next` says where to go on. */
export function findTraces(
  sql: Sql,
  query: { readonly from: string; readonly to: string; readonly before: number; readonly limit: number },
): Answers['find-traces'] {
  const last = (sql.get(LAST)?.[0] as number | null | undefined) ?? 0
  const before = Math.min(query.before, last + 1)
  const lowest = Math.max(before - TRACE_SCAN_ROWS, 0)
  const rows = sql.all(SCAN, before, lowest, query.from, query.to, query.limit) as unknown as readonly [
    number,
    string,
  ][]
  const full = rows.length === query.limit
  const next = full ? (rows.at(-1)?.[0] as number) : lowest
  return { ids: rows.map(([, trace]) => trace), next: next > 0 ? next : undefined }
}
