/** A day of a domain that is dealt with: reported, or nobody can be told. */
export interface ReportedDay {
  readonly day: string
  readonly policyDomain: string
  readonly reportId: string
  readonly atMs: number
  /** How many addresses it went to; 0: the day is closed without a report. */
  readonly recipients: number
}
