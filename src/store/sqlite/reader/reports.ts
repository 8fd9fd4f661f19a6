import { REPORT_PAGE_BYTES, REPORT_PAGE_ROWS, REPORT_ROWS_PER_DOMAIN } from '../../limits.ts'
import type { ReportAnswers, ReportedRow, ReportQuestion } from '../report-rows.ts'
import type { Sql } from '../sql.ts'

const OPEN_DAYS = `SELECT day, domain FROM report_days WHERE day < ? AND domain != ''
  ORDER BY tried_ms, day, domain LIMIT ?`
const DAY = 'SELECT policy, omitted FROM report_days WHERE day = ? AND domain = ?'
const ROWS =
  'SELECT record, count FROM report_rows WHERE day = ? AND domain = ? ORDER BY count DESC, hash LIMIT ?'
const RECEIVED = `SELECT id, bytes, report FROM reports_received WHERE kind = ?1 AND (?2 = '' OR domain = ?2)
  AND received_ms >= ?3 AND id < ?4 ORDER BY id DESC LIMIT ?5`
const SENT = `SELECT day, domain, report_id, at_ms, recipients FROM reports_sent WHERE day >= ?
  ORDER BY day DESC, domain LIMIT ?`

/** Answers what is asked about reports. */
export function answerReports(sql: Sql, question: ReportQuestion): ReportAnswers[ReportQuestion['ask']] {
  switch (question.ask) {
    case 'report-days':
      return sql.all(OPEN_DAYS, question.before, question.limit) as unknown as ReportAnswers['report-days']
    case 'report-day':
      return talliedDay(sql, question.day, question.domain)
    case 'reports-received':
      return received(sql, question)
    case 'reports-sent':
      return sql.all(SENT, question.since, question.limit).map(sentRow)
  }
}

function talliedDay(sql: Sql, day: string, domain: string): ReportAnswers['report-day'] {
  const found = sql.get(DAY, day, domain) as readonly [string, number] | undefined
  if (found === undefined) return undefined
  const [policy, omitted] = found
  const records = sql.all(ROWS, day, domain, REPORT_ROWS_PER_DOMAIN) as unknown as readonly [string, number][]
  return { policy, omitted, records }
}

/** One page: it ends where the texts become too long. */
function received(
  sql: Sql,
  { before, domain, kind, sinceMs }: Extract<ReportQuestion, { ask: 'reports-received' }>,
): ReportAnswers['reports-received'] {
  const reports: string[] = []
  let bytes = 0
  for (const row of sql.iterate(RECEIVED, kind, domain, sinceMs, before, REPORT_PAGE_ROWS)) {
    const [id, size, report] = row as [number, number, string]
    reports.push(report)
    bytes += size
    if (bytes >= REPORT_PAGE_BYTES || reports.length === REPORT_PAGE_ROWS) return { reports, next: id }
  }
  return { reports, next: undefined }
}

function sentRow(row: readonly unknown[]): ReportedRow {
  const [day, domain, reportId, atMs, recipients] = row as [string, string, string, number, number]
  return { day, domain, reportId, atMs, recipients }
}
