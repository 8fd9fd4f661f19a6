import { hash } from 'node:crypto'
import type { ReportedDay } from '../../ports/reported-day.ts'
import type {
  Page,
  PutOffDay,
  ReceivedQuery,
  ReceivedReport,
  ReceivedTlsReport,
  ReportRecord,
  ReportStore,
  SeenPolicy,
  TalliedDay,
  TalliedMessage,
} from '../../ports/reports.ts'
import type { Stored } from '../../ports/store.ts'
import { REPORT_DAYS_ROWS, REPORT_KEPT_BYTES } from '../limits.ts'
import { storeFailure } from './intake.ts'
import type { ReaderClient } from './reader-client.ts'
import { type ReceivedRow, reportedRow } from './report-rows.ts'
import type { Outcome, WriterClient } from './writer-client.ts'

/** Reports as rows; what stands in them is JSON. */
export class SqliteReports implements ReportStore {
  readonly #writer: WriterClient
  readonly #reader: ReaderClient

  constructor({ reader, writer }: { readonly reader: ReaderClient; readonly writer: WriterClient }) {
    this.#writer = writer
    this.#reader = reader
  }

  tally({ day, policy, record }: TalliedMessage): void {
    const { count: _, ...alike } = record
    const text = JSON.stringify(alike)
    const name = hash('sha256', text, 'base64url').slice(0, 22)
    const row = { day, domain: policy.domain, policy: JSON.stringify(policy), hash: name, record: text }
    this.#writer.postIfRoom({ op: 'tally', row })
  }

  async openDays(query: { readonly beforeDay: string; readonly limit: number }) {
    const limit = Math.min(query.limit, REPORT_DAYS_ROWS)
    const rows = await this.#reader.ask({ ask: 'report-days', before: query.beforeDay, limit })
    return rows.map(([day, policyDomain]) => ({ day, policyDomain }))
  }

  async talliedDay(day: string, policyDomain: string): Promise<TalliedDay | undefined> {
    const found = await this.#reader.ask({ ask: 'report-day', day, domain: policyDomain })
    if (found === undefined) return undefined
    const records = found.records.map(([record, count]) => ({
      ...(JSON.parse(record) as ReportRecord),
      count,
    }))
    return {
      day,
      policyDomain,
      policy: JSON.parse(found.policy) as SeenPolicy,
      records,
      omitted: found.omitted,
    }
  }

  async closeDay(closed: ReportedDay): Promise<Stored<null>> {
    return stored(await this.#writer.call<null>({ op: 'close-day', row: reportedRow(closed) }))
  }

  async putOffDay({ atMs, day, policyDomain: domain }: PutOffDay): Promise<Stored<null>> {
    return stored(await this.#writer.call<null>({ op: 'put-off-day', row: { atMs, day, domain } }))
  }

  async addReceived(report: ReceivedReport): Promise<Stored<boolean>> {
    const { organization, policyDomain: domain, receivedAtMs: receivedMs, reportId } = report
    const kept = fitting(report)
    return this.#add({
      ...{ kind: 'dmarc', organization, reportId, domain, part: '', receivedMs },
      report: JSON.stringify(kept),
    })
  }

  async addReceivedTls(report: ReceivedTlsReport): Promise<Stored<boolean>> {
    const {
      organization,
      policyDomain: domain,
      policyType: part,
      receivedAtMs: receivedMs,
      reportId,
    } = report
    return this.#add({
      ...{ kind: 'tls', organization, reportId, domain, part, receivedMs },
      report: JSON.stringify(report),
    })
  }

  received(query: ReceivedQuery): Promise<Page<ReceivedReport>> {
    return this.#received('dmarc', query)
  }

  receivedTls(query: ReceivedQuery): Promise<Page<ReceivedTlsReport>> {
    return this.#received('tls', query)
  }

  async sent(query: { readonly sinceDay: string; readonly limit: number }): Promise<readonly ReportedDay[]> {
    const limit = Math.min(query.limit, REPORT_DAYS_ROWS)
    const rows = await this.#reader.ask({ ask: 'reports-sent', since: query.sinceDay, limit })
    return rows.map(({ domain, ...rest }) => ({ ...rest, policyDomain: domain }))
  }

  async #add(row: ReceivedRow): Promise<Stored<boolean>> {
    return stored(await this.#writer.call<boolean>({ op: 'add-report', row }))
  }

  async #received<T>(kind: 'dmarc' | 'tls', query: ReceivedQuery): Promise<Page<T>> {
    const { before = Number.MAX_SAFE_INTEGER, domain = '', sinceMs } = query
    const page = await this.#reader.ask({ ask: 'reports-received', kind, domain, sinceMs, before })
    return { reports: page.reports.map((text) => JSON.parse(text) as T), next: page.next }
  }
}

/** Without the records that would be too much, which are counted. */
function fitting(report: ReceivedReport): ReceivedReport {
  let bytes = 0
  const kept = report.records.filter((record) => {
    bytes += JSON.stringify(record).length
    return bytes <= REPORT_KEPT_BYTES
  })
  if (kept.length === report.records.length) return report
  const left = report.records.slice(kept.length).reduce((total, { count }) => total + count, 0)
  return { ...report, records: kept, omitted: report.omitted + left }
}

function stored<T>(outcome: Outcome<T>): Stored<T> {
  return outcome.ok
    ? { ok: true, value: outcome.value }
    : { ok: false, failure: storeFailure(outcome.refusal) }
}
