import {
  REPORT_DOMAINS_PER_DAY,
  REPORT_ROWS_PER_DAY,
  REPORT_ROWS_PER_DOMAIN,
  REPORTS_DELETED_AT_ONCE,
  REPORTS_KEPT_BYTES,
  REPORTS_KEPT_MS,
} from '../../limits.ts'
import type { PutOffRow, ReceivedRow, ReportedRow, TallyRow } from '../report-rows.ts'
import type { Sql } from '../sql.ts'
import type { Context } from './context.ts'

/** The row of `report_days` that counts for all domains of a day. */
const ALL = ''

const HAS_ROW = 'SELECT 1 FROM report_rows WHERE day = ? AND domain = ? AND hash = ?'
const COUNT_ONE = 'UPDATE report_rows SET count = count + 1 WHERE day = ? AND domain = ? AND hash = ?'
const INSERT_ROW = 'INSERT INTO report_rows (day, domain, hash, record, count) VALUES (?, ?, ?, ?, 1)'
const SELECT_DAY = 'SELECT rows FROM report_days WHERE day = ? AND domain = ?'
const COUNT_DAYS = 'SELECT count(*) FROM report_days WHERE day = ?'
const INSERT_DAY = 'INSERT INTO report_days (day, domain, policy, rows, omitted) VALUES (?, ?, ?, 0, 0)'
const SET_POLICY = 'UPDATE report_days SET policy = ? WHERE day = ? AND domain = ? AND policy != ?'
const ADD_ROW = 'UPDATE report_days SET rows = rows + 1 WHERE day = ? AND domain = ?'
const OMIT = 'UPDATE report_days SET omitted = omitted + 1 WHERE day = ? AND domain = ?'
const IS_CLOSED = 'SELECT 1 FROM reports_sent WHERE day = ? AND domain = ?'
const DELETE_ROWS = 'DELETE FROM report_rows WHERE day = ? AND domain = ?'
const DELETE_DAY = 'DELETE FROM report_days WHERE day = ? AND domain = ?'
const DELETE_EMPTY_DAYS = `DELETE FROM report_days WHERE domain = '' AND day <= ?1
  AND NOT EXISTS (SELECT 1 FROM report_days d WHERE d.day = report_days.day AND d.domain != '')`
const INSERT_SENT = `INSERT INTO reports_sent (day, domain, report_id, at_ms, recipients) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT DO NOTHING`
const FORGET_SENT = 'DELETE FROM reports_sent WHERE day < ?'
const IS_KNOWN = `SELECT 1 FROM reports_received
  WHERE kind = ? AND organization = ? AND report_id = ? AND domain = ? AND part = ?`
const INSERT_RECEIVED = `INSERT INTO reports_received
  (kind, organization, report_id, domain, part, received_ms, bytes, report) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
const OLDEST_RECEIVED = `SELECT id, received_ms, bytes FROM reports_received WHERE received_ms < ?
  ORDER BY received_ms LIMIT ?`
const TOTAL = 'SELECT bytes FROM reports_total WHERE id = 1'
/** `hikyaku check` makes a lost row anew, with the right sum. */
const ADD_TO_TOTAL = 'UPDATE reports_total SET bytes = bytes + ? WHERE id = 1'
const PUT_OFF = 'UPDATE report_days SET tried_ms = ? WHERE day = ? AND domain = ?'
const DELETE_RECEIVED = 'DELETE FROM reports_received WHERE id = ?'

/** One message more. Bounded: what would be too many rows is counted as left out. */
export function tally(context: Context, { day, domain, hash, policy, record }: TallyRow): void {
  const { sql } = context
  if (sql.get(SELECT_DAY, day, domain) === undefined && !openDay(context, day, domain, policy)) return
  sql.run(SET_POLICY, policy, day, domain, policy)
  if (sql.get(HAS_ROW, day, domain, hash) !== undefined) sql.run(COUNT_ONE, day, domain, hash)
  else if (isFull(context, day, domain)) sql.run(OMIT, day, domain)
  else {
    sql.run(INSERT_ROW, day, domain, hash, record)
    sql.run(ADD_ROW, day, domain)
    sql.run(ADD_ROW, day, ALL)
  }
}

function isFull({ sql }: Context, day: string, domain: string): boolean {
  const [rows] = sql.get(SELECT_DAY, day, domain) as [number]
  const [all] = (sql.get(SELECT_DAY, day, ALL) ?? [0]) as [number]
  return rows >= REPORT_ROWS_PER_DOMAIN || all >= REPORT_ROWS_PER_DAY
}

/** @returns false where the day is closed for the domain, or has too many of them. */
function openDay({ sql }: Context, day: string, domain: string, policy: string): boolean {
  if (sql.get(IS_CLOSED, day, domain) !== undefined) return false
  if (sql.get(SELECT_DAY, day, ALL) === undefined) sql.run(INSERT_DAY, day, ALL, '{}')
  const [domains] = sql.get(COUNT_DAYS, day) as [number]
  if (domains > REPORT_DOMAINS_PER_DAY) {
    sql.run(OMIT, day, ALL)
    return false
  }
  sql.run(INSERT_DAY, day, domain, policy)
  return true
}

/** The day is dealt with for this domain; what was counted is not needed any more. */
export function closeDay({ sql }: Context, { atMs, day, domain, recipients, reportId }: ReportedRow): void {
  sql.run(INSERT_SENT, day, domain, reportId, atMs, recipients)
  sql.run(DELETE_ROWS, day, domain)
  sql.run(DELETE_DAY, day, domain)
  sql.run(DELETE_EMPTY_DAYS, day)
  sql.run(FORGET_SENT, new Date(atMs - REPORTS_KEPT_MS).toISOString().slice(0, 10))
}

/** Others come first the next time. */
export function putOffDay({ sql }: Context, { atMs, day, domain }: PutOffRow): void {
  sql.run(PUT_OFF, atMs, day, domain)
}

/** @returns false where it is known. */
export function addReport({ sql }: Context, row: ReceivedRow): boolean {
  const { domain, kind, organization, part, receivedMs, report, reportId } = row
  if (sql.get(IS_KNOWN, kind, organization, reportId, domain, part) !== undefined) return false
  const bytes = Buffer.byteLength(report)
  sql.run(INSERT_RECEIVED, kind, organization, reportId, domain, part, receivedMs, bytes, report)
  sql.run(ADD_TO_TOTAL, bytes - makeRoom(sql, receivedMs, bytes))
  return true
}

/** @returns the octets that went, `newBytes` being there already. */
function makeRoom(sql: Sql, nowMs: number, newBytes: number): number {
  const [before = 0] = (sql.get(TOTAL) ?? []) as readonly number[]
  const pastMs = nowMs - REPORTS_KEPT_MS
  const excess = before + newBytes - REPORTS_KEPT_BYTES
  const rows = sql.all(
    OLDEST_RECEIVED,
    excess > 0 ? Number.MAX_SAFE_INTEGER : pastMs,
    REPORTS_DELETED_AT_ONCE,
  ) as readonly [number, number, number][]
  let gone = 0
  for (const [id, atMs, size] of rows) {
    if (atMs >= pastMs && gone >= excess) break
    sql.run(DELETE_RECEIVED, id)
    gone += size
  }
  return gone
}
