import type { Evidence } from '../../mail/authentication.ts'
import type {
  JudgedMessage,
  ReportRecord,
  ReportStore,
  ReportTally,
  TalliedMessage,
} from '../../ports/reports.ts'
import { isOrBelow, utcDay } from './words.ts'

/** Signatures of one message that a report tells of: those that say most (rfc9990 §3.1.3). */
const SIGNATURES = 10

/** Counts what is judged, for the report of the day. */
export class DayTally implements ReportTally {
  readonly #reports: Pick<ReportStore, 'tally'>
  readonly #isOurDomain: (domain: string) => boolean
  readonly #isOn: () => boolean

  constructor(parts: {
    readonly reports: Pick<ReportStore, 'tally'>
    isOurDomain(domain: string): boolean
    /** The setting `reports.send`. */
    isOn(): boolean
  }) {
    this.#reports = parts.reports
    this.#isOurDomain = parts.isOurDomain
    this.#isOn = parts.isOn
  }

  note(judged: JudgedMessage): void {
    // Only of one that is genuine: a forger must not stay uncounted by calling himself a report.
    const isReport = judged.isReport === true && judged.evidence.dmarc.result === 'pass'
    if (!this.#isOn() || isReport) return
    const message = talliedMessage(judged)
    if (message === undefined) return
    if (this.#isOurDomain(message.policy.domain) || this.#isOurDomain(message.record.headerFrom)) return
    this.#reports.tally(message)
  }
}

/** @returns undefined where nobody asked to be told. */
function talliedMessage(judged: JudgedMessage): TalliedMessage | undefined {
  const { dmarc } = judged.evidence
  const { domain, organizationalDomain, policyDomain, published } = dmarc
  if (published === undefined || policyDomain === undefined || published.rua.length === 0) return undefined
  if (dmarc.result !== 'pass' && dmarc.result !== 'fail') return undefined
  return {
    day: utcDay(judged.atMs),
    policy: { ...published, domain: policyDomain, organizationalDomain },
    record: recordOf(judged, domain),
  }
}

function recordOf(judged: JudgedMessage, headerFrom: string): ReportRecord {
  const { client, disposition, evidence, reasons, reversePathDomain } = judged
  const { dmarc, spf } = evidence
  return {
    sourceIp: client,
    count: 1,
    disposition,
    dkimAligned: dmarc.aligned.dkim !== undefined,
    spfAligned: dmarc.aligned.spf !== undefined,
    reasons: reasons.map(({ comment, type }) => (comment === undefined ? { type } : { type, comment })),
    headerFrom,
    envelopeFrom: reversePathDomain,
    dkim: signaturesOf(evidence).map(({ domain, result, selector }) => ({ domain, selector, result })),
    spf: spf.domain === '' ? undefined : { domain: spf.domain, result: spf.result },
  }
}

/** In the order of rfc9990 §3.1.3: those that pass and are the author's, those that pass, the others. */
function signaturesOf({ dkim, dmarc }: Evidence): Evidence['dkim'] {
  const rank = ({ domain, result }: Evidence['dkim'][number]): number => {
    if (result !== 'pass') return 3
    if (domain === dmarc.domain) return 0
    return isOrBelow(dmarc.domain, domain) || isOrBelow(domain, dmarc.domain) ? 1 : 2
  }
  return dkim
    .filter(({ domain }) => domain !== '')
    .toSorted((one, other) => rank(one) - rank(other))
    .slice(0, SIGNATURES)
}
