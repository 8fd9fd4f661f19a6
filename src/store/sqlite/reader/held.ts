import type { Answers, HeldQuestion, HeldRows, QueueBody } from '../questions.ts'
import { isUnreadable, type Sql } from '../sql.ts'
import { type BodyColumns, bodyOf } from './queue.ts'

const LIST = `SELECT trace FROM quarantine WHERE trace < ?1 AND held_ms >= ?2 ORDER BY trace DESC LIMIT ?3`
const LIST_OF = `SELECT trace FROM quarantine WHERE trace < ?1 AND held_ms >= ?2
  AND body IN (SELECT body FROM held_recipients WHERE account = ?4) ORDER BY trace DESC LIMIT ?3`
const SELECT_HELD =
  'SELECT body, trace, held_ms, until_ms, sender, size, hold FROM quarantine WHERE trace = ?'
const SELECT_RECIPIENTS = 'SELECT address, account FROM held_recipients WHERE body = ? ORDER BY n'
const SELECT_BODY = `SELECT b.prefix, b.head, t.bytes, b.file, b.size, b.header_size, b.crc, 0 FROM quarantine q
  JOIN bodies b ON b.id = q.body LEFT JOIN texts t ON t.body = b.id WHERE q.trace = ?`
const TOTALS = 'SELECT count(*), coalesce(sum(room), 0) FROM quarantine'
const NETWORKS = `SELECT network, sum(room) AS bytes FROM quarantine GROUP BY network HAVING bytes > ?
  ORDER BY bytes DESC, min(held_ms) LIMIT ?`
const UNTOLD = `SELECT DISTINCT account FROM held_recipients WHERE account IS NOT NULL AND told_ms IS NULL
  AND account IN (SELECT id FROM accounts) ORDER BY account`
const UNTOLD_OF = `SELECT DISTINCT q.trace FROM held_recipients r JOIN quarantine q ON q.body = r.body
  WHERE r.account = ? AND r.told_ms IS NULL ORDER BY q.trace LIMIT ?`
/** Behind every trace id. */
const LAST = '~'

export function listHeld(sql: Sql, query: Extract<HeldQuestion, { ask: 'held-list' }>): Answers['held-list'] {
  const { account, limit } = query
  const bounds = [query.before ?? LAST, query.sinceMs ?? Number.MIN_SAFE_INTEGER, limit]
  const found = account === null ? sql.all(LIST, ...bounds) : sql.all(LIST_OF, ...bounds, account)
  const traces = found.map(([trace]) => trace as string)
  return { rows: traces.flatMap((trace) => readable(sql, trace)), last: traces[limit - 1] }
}

export function listUntold(sql: Sql, account: number, limit: number): readonly HeldRows[] {
  const traces = sql.all(UNTOLD_OF, account, limit) as unknown as readonly [string][]
  return traces.flatMap(([trace]) => readable(sql, trace))
}

/** Nothing, where the rows are damaged: the others can be looked at. */
function readable(sql: Sql, trace: string): readonly HeldRows[] {
  try {
    const held = heldMessage(sql, trace)
    return held === undefined ? [] : [held]
  } catch (error) {
    if (!isUnreadable(error)) throw error
    return []
  }
}

export function heldMessage(sql: Sql, id: string): HeldRows | undefined {
  const row = sql.get(SELECT_HELD, id)
  if (row === undefined) return undefined
  const [body, trace, heldMs, untilMs, sender, size, hold] = row as HeldColumns
  const recipients = sql.all(SELECT_RECIPIENTS, body) as unknown as HeldRows['recipients']
  return { trace, heldMs, untilMs, sender, size, hold, recipients }
}

type HeldColumns = readonly [number, string, number, number, string, number, string]

export function heldBody(sql: Sql, folder: string, trace: string): QueueBody | undefined {
  const row = sql.get(SELECT_BODY, trace)
  return row === undefined ? undefined : bodyOf(row as unknown as BodyColumns, folder)
}

export function heldTotals(sql: Sql): Answers['held-totals'] {
  const [count = 0, bytes = 0] = (sql.get(TOTALS) ?? []) as readonly number[]
  return { count, bytes }
}

/** The networks that hold more than so much, the largest first. */
export function heldNetworks(sql: Sql, aboveBytes: number, limit: number): Answers['held-networks'] {
  return sql.all(NETWORKS, aboveBytes, limit) as unknown as Answers['held-networks']
}

export function untoldAccounts(sql: Sql): readonly number[] {
  return (sql.all(UNTOLD) as unknown as readonly [number][]).map(([account]) => account)
}
