import type { Evidence } from '../../mail/authentication.ts'
import type { TraceId } from '../../mail/ids.ts'
import { REPORT_LIMITS } from '../../mailauth/reports/limits.ts'
import { mayCarryReport, type ReadReport } from '../../mailauth/reports/read-message.ts'
import type { ReportWorker } from '../../mailauth/reports/worker-task.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { ReadableContent } from '../../ports/mail-auth.ts'
import type { ReportStore } from '../../ports/reports.ts'
import type { Intake } from '../../ports/store.ts'
import { DAY_MS, isOrBelow } from './words.ts'

/** Octets of mails with reports that are held for reading; those that come meanwhile are only delivered. */
const HELD_BYTES = 2 * REPORT_LIMITS.messageBytes
const HELD_MESSAGES = 8
/** Reports of one sender's domain in a day: a large provider sends one for each of our domains. */
const PER_SENDER_DAY = 500
const SENDERS = 10_000

export interface ReceiverPorts {
  readonly reports: ReportStore
  readonly intake: Pick<Intake, 'trace'>
  readonly worker: Pick<ReportWorker, 'read'>
  readonly clock: Clock
  readonly log: Log
  isOurDomain(domain: string): boolean
  /** The setting `reports.read`. */
  isOn(): boolean
}

/** A message that was judged and is about to be delivered to somebody here. */
export interface ArrivingMessage {
  readonly traceId: TraceId
  readonly evidence: Evidence
  /** The content's header block, and all of it. */
  readonly header: Uint8Array
  readonly content: ReadableContent
}

/** Reads the reports that mail to us carries. The mail itself is delivered whatever comes of it. */
export class ReportReceiver {
  readonly #ports: ReceiverPorts
  readonly #counts = new Map<string, number>()
  #countedDay = 0
  #heldBytes = 0
  #held = 0
  #work: Promise<void> = Promise.resolve()

  constructor(ports: ReceiverPorts) {
    this.#ports = ports
  }

  /**
   * Takes a copy before the commit, while the content can be read. Never rejects.
   * @returns what is to be called when the message is committed (true) or was not (false); undefined: it carries no report.
   */
  async prepare(message: ArrivingMessage): Promise<((isCommitted: boolean) => void) | undefined> {
    const { content, evidence, header, traceId } = message
    if (!this.#ports.isOn() || !mayCarryReport(header)) return undefined
    const why = this.#refusal(content.sizeBytes, evidence)
    if (why !== undefined) return (isCommitted) => isCommitted && this.#tell(traceId, 'not-read', why)
    this.#held++
    this.#heldBytes += content.sizeBytes
    const release = (): void => {
      this.#held--
      this.#heldBytes -= content.sizeBytes
    }
    const octets = await collect(content)
    if (octets === undefined) {
      release()
      return undefined
    }
    return (isCommitted) => {
      if (!isCommitted) return release()
      this.#work = this.#work.then(() => this.#read(traceId, octets)).finally(release)
    }
  }

  /** When all that was handed over has been read: for the end of the server, and tests. */
  idle(): Promise<void> {
    return this.#work
  }

  #refusal(sizeBytes: number, evidence: Evidence): string | undefined {
    const sender = authenticatedSender(evidence)
    if (sender === undefined) return 'its sender is not authenticated'
    if (sizeBytes > REPORT_LIMITS.messageBytes) return `it has ${sizeBytes} octets`
    if (this.#held >= HELD_MESSAGES || this.#heldBytes + sizeBytes > HELD_BYTES)
      return 'too many came at once'
    return this.#isTooMany(sender) ? `${sender} has sent ${PER_SENDER_DAY} today` : undefined
  }

  #isTooMany(sender: string): boolean {
    const day = Math.floor(this.#ports.clock.now() / DAY_MS)
    if (day !== this.#countedDay) this.#counts.clear()
    this.#countedDay = day
    const count = (this.#counts.get(sender) ?? 0) + 1
    if (count === 1 && this.#counts.size >= SENDERS) return true
    this.#counts.set(sender, count)
    return count > PER_SENDER_DAY
  }

  async #read(traceId: TraceId, octets: Uint8Array): Promise<void> {
    try {
      for (const report of await this.#ports.worker.read(octets)) await this.#keep(traceId, report)
    } catch (error) {
      this.#tell(traceId, 'not-read', error instanceof Error ? error.message : String(error))
    }
  }

  async #keep(traceId: TraceId, report: ReadReport): Promise<void> {
    if (report.kind === 'broken') this.#tell(traceId, 'broken', report.why)
    else if (report.kind === 'dmarc') await this.#keepAggregate(traceId, report)
    else await this.#keepTls(traceId, report)
  }

  async #keepAggregate(traceId: TraceId, { parsed }: Extract<ReadReport, { kind: 'dmarc' }>): Promise<void> {
    const { broken, omitted, report } = parsed
    const { organization, policy, reportId } = report
    const records = report.records.filter(({ headerFrom }) => this.#isOurs(headerFrom))
    if (records.length === 0) return this.#tell(traceId, 'not-ours', `it is about ${policy.domain}`)
    const stored = await this.#ports.reports.addReceived({
      ...{ organization, reportId, policyDomain: policy.domain, p: policy.p, records, omitted, traceId },
      beginMs: report.beginSeconds * 1000,
      endMs: report.endSeconds * 1000,
      receivedAtMs: this.#ports.clock.now(),
    })
    if (!stored.ok) return this.#tell(traceId, 'not-kept', stored.failure.cause)
    const left =
      broken + omitted === 0 ? '' : `; ${broken} broken records and ${omitted} messages were left out`
    this.#told(traceId, stored.value, `of ${organization} about ${policy.domain}${left}`)
  }

  async #keepTls(traceId: TraceId, { report }: Extract<ReadReport, { kind: 'tls' }>): Promise<void> {
    const { beginMs, endMs, organization, reportId } = report
    const ours = report.policies.filter(({ domain }) => this.#isOurs(domain))
    if (ours.length === 0) return this.#tell(traceId, 'not-ours', 'it is about no domain of ours')
    for (const { domain, failed, failures, successes, type } of ours) {
      const stored = await this.#ports.reports.addReceivedTls({
        ...{ organization, reportId, policyDomain: domain, policyType: type, beginMs, endMs, traceId },
        receivedAtMs: this.#ports.clock.now(),
        ...{ successes, failed, failures },
      })
      if (!stored.ok) return this.#tell(traceId, 'not-kept', stored.failure.cause)
      this.#told(traceId, stored.value, `of ${organization} about TLS to ${domain}`)
    }
  }

  #isOurs(domain: string): boolean {
    const labels = domain.split('.')
    return labels.some((_, i) => this.#ports.isOurDomain(labels.slice(i).join('.')))
  }

  #told(traceId: TraceId, isNew: boolean, what: string): void {
    const { log } = this.#ports
    if (isNew) log.event('report.received', { report: what }, traceId)
    this.#note(traceId, isNew ? 'read' : 'known', what)
  }

  #tell(traceId: TraceId, result: string, why: string): void {
    if (result !== 'not-ours')
      this.#ports.log.event('report.problem', { problem: `${result}: ${why}` }, traceId)
    this.#note(traceId, result, why)
  }

  #note(traceId: TraceId, result: string, why: string): void {
    this.#ports.intake.trace(traceId, [
      { atMs: this.#ports.clock.now(), kind: 'check', name: 'report', result, why },
    ])
  }
}

/** The author's domain where it is proven: by DMARC, or by a signature or envelope domain that is it or its relation. */
function authenticatedSender({ dkim, dmarc, spf }: Evidence): string | undefined {
  const { domain } = dmarc
  if (domain === '') return undefined
  if (dmarc.result === 'pass') return domain
  if (dmarc.result === 'fail') return undefined
  const passing = dkim.filter(({ result }) => result === 'pass').map((one) => one.domain)
  if (spf.result === 'pass') passing.push(spf.domain)
  return passing.some((one) => isOrBelow(one, domain) || isOrBelow(domain, one)) ? domain : undefined
}

async function collect(content: ReadableContent): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = []
  try {
    for await (const piece of content.pieces()) pieces.push(piece)
  } catch {
    // The store tells of damage itself; the message fails at its commit.
    return undefined
  }
  return Buffer.concat(pieces)
}
