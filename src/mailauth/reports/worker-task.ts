import type { AggregateReport } from './aggregate.ts'
import { type ComposedReport, composeReportMail, type ReportMail } from './aggregate-mail.ts'
import { type ReadReport, readReports } from './read-message.ts'

/** What is computed off the main thread: reading a report may take a second, composing one a tenth of it. */
export interface ReportWorker {
  /** Reject where no thread can be had, or it took too long. */
  read(message: Uint8Array): Promise<readonly ReadReport[]>
  compose(report: AggregateReport, mail: ReportMail): Promise<ComposedReport | undefined>
}

export type ReportTask =
  | { readonly kind: 'read'; readonly message: Uint8Array }
  | { readonly kind: 'compose'; readonly report: AggregateReport; readonly mail: ReportMail }

export type ReportTaskResult =
  | { readonly kind: 'read'; readonly reports: readonly ReadReport[] }
  | { readonly kind: 'composed'; readonly composed: ComposedReport | undefined }

export function performReportTask(task: ReportTask): ReportTaskResult {
  return task.kind === 'read'
    ? { kind: 'read', reports: readReports(task.message) }
    : { kind: 'composed', composed: composeReportMail(task.report, task.mail) }
}
