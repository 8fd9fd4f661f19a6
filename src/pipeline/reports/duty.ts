import { type Address, formatAddress } from '../../mail/address.ts'
import { makeTraceId } from '../../mail/ids.ts'
import type { TraceEvent } from '../../mail/trace.ts'
import { type AggregateReport, publishedPolicy } from '../../mailauth/reports/aggregate.ts'
import { type ComposedReport, reportIdOf } from '../../mailauth/reports/aggregate-mail.ts'
import type { ReportWorker } from '../../mailauth/reports/worker-task.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { Random } from '../../ports/random.ts'
import type { ReportStore, TalliedDay } from '../../ports/reports.ts'
import type { Resolver } from '../../ports/resolver.ts'
import type { Intake } from '../../ports/store.ts'
import { returnPathField } from '../received.ts'
import { reportDestinations } from './destinations.ts'
import { DAY_MS, dayStartMs, utcDay } from './words.ts'

/** So long after midnight the day is over for messages that were under way then. */
const GRACE_MS = 10 * 60_000
/** A server that was down reports so many days back; what is older nobody waits for any more. */
const CATCH_UP_DAYS = 7
const EVERY_MS = 3_600_000
/** Each server has its own minute, so that not all of them mail at once. */
const FIRST_SPREAD_MS = EVERY_MS
/** Days of domains that are dealt with in one run; the others an hour later. */
const AT_ONCE = 2000

export interface ReportSettings {
  readonly send: boolean
  /** Who reports; its domain is one of ours. */
  readonly from: Address
  readonly contact: string
  readonly generator: string
}

export interface DutyPorts {
  readonly reports: ReportStore
  readonly intake: Intake
  readonly resolver: Pick<Resolver, 'txt'>
  readonly worker: Pick<ReportWorker, 'compose'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  isOurDomain(domain: string): boolean
  settings(): ReportSettings
}

export interface DutyResult {
  readonly sent: number
  /** Closed without a report: nobody may be told, or it is too old. */
  readonly closed: number
  /** To be tried again. */
  readonly later: number
}

/** Sends the reports of days that are over (rfc9990). */
export class ReportDuty {
  readonly #ports: DutyPorts
  #cancel: () => void = () => undefined
  #running: Promise<DutyResult> | undefined
  #stopped = true

  constructor(ports: DutyPorts) {
    this.#ports = ports
  }

  /** Looks every hour whether there is something to report, at a minute of its own. */
  start(): void {
    this.#stopped = false
    const [a = 0, b = 0] = this.#ports.random.bytes(2)
    this.#later(((a * 256 + b) / 65_536) * FIRST_SPREAD_MS)
  }

  /** Resolves when a run under way has ended; it ends after the report that it is at. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    await this.#running
  }

  /** Never rejects. One at a time. */
  async runOnce(nowMs: number): Promise<DutyResult> {
    this.#running ??= this.#run(nowMs).finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  #later(delayMs: number): void {
    this.#cancel = this.#ports.clock.after(delayMs, () => {
      if (this.#stopped) return
      this.#later(EVERY_MS)
      void this.runOnce(this.#ports.clock.now())
    })
  }

  async #run(nowMs: number): Promise<DutyResult> {
    const { log, reports } = this.#ports
    const count = { sent: 0, closed: 0, later: 0 }
    const isOff = this.#stopped
    try {
      const days = await reports.openDays({ beforeDay: utcDay(nowMs - GRACE_MS), limit: AT_ONCE })
      for (const { day, policyDomain } of days) {
        if (this.#stopped && !isOff) break
        count[await this.#report(day, policyDomain, nowMs)]++
      }
    } catch (error) {
      log.event('report.problem', { problem: `reports could not be sent: ${causeOf(error)}` })
    }
    return count
  }

  /** One that fails is left for the next run. */
  async #report(day: string, policyDomain: string, nowMs: number): Promise<keyof DutyResult> {
    const { log } = this.#ports
    try {
      return await this.#send(day, policyDomain, nowMs)
    } catch (error) {
      log.event('report.problem', { domain: policyDomain, day, problem: causeOf(error) })
      return 'later'
    }
  }

  async #send(day: string, policyDomain: string, nowMs: number): Promise<keyof DutyResult> {
    const { isOurDomain, reports, resolver, settings } = this.#ports
    const { from, send } = settings()
    const tallied = await reports.talliedDay(day, policyDomain)
    const isOld = dayStartMs(day) < nowMs - (CATCH_UP_DAYS + 1) * DAY_MS
    if (tallied === undefined || tallied.records.length === 0 || isOld || !send)
      return this.#close(day, policyDomain, nowMs)
    if (!isOurDomain(from.domain))
      throw new Error(`reports.from is in ${from.domain}, which is no domain of this server`)
    const found = await reportDestinations(tallied.policy, { isOurDomain, resolver })
    if (found.kind === 'later') return this.#putOff(day, policyDomain, found.cause)
    if (found.to.length === 0) return this.#close(day, policyDomain, nowMs)
    return this.#queue(tallied, found.to, nowMs)
  }

  #putOff(day: string, policyDomain: string, cause: string): 'later' {
    this.#ports.log.event('report.problem', { domain: policyDomain, day, problem: `put off: ${cause}` })
    return 'later'
  }

  async #close(day: string, policyDomain: string, nowMs: number): Promise<'closed'> {
    const closed = { day, policyDomain, reportId: '', atMs: nowMs, recipients: 0 }
    const stored = await this.#ports.reports.closeDay(closed)
    if (!stored.ok) throw new Error(stored.failure.cause)
    return 'closed'
  }

  async #queue(tallied: TalliedDay, to: readonly Address[], nowMs: number): Promise<keyof DutyResult> {
    const { worker } = this.#ports
    const { from } = this.#ports.settings()
    const { day, policyDomain } = tallied
    const report = this.#value(tallied)
    const composed = await worker.compose(report, { submitter: from.domain, from, to, nowMs })
    if (composed === undefined) return this.#close(day, policyDomain, nowMs)
    const traceId = await this.#accept(report, { composed, from, to, nowMs, day })
    const told = to.map(formatAddress).join(', ')
    this.#ports.log.event('report.sent', { domain: policyDomain, day, to: told }, traceId)
    return 'sent'
  }

  #value({ day, omitted, policy, policyDomain, records }: TalliedDay): AggregateReport {
    const { contact, from, generator } = this.#ports.settings()
    const beginSeconds = dayStartMs(day) / 1000
    return {
      organization: from.domain,
      email: formatAddress(from),
      extraContact: contact === formatAddress(from) ? undefined : contact,
      reportId: reportIdOf(day, policyDomain, from.domain),
      beginSeconds,
      endSeconds: beginSeconds + DAY_MS / 1000 - 1,
      errors: omitted === 0 ? [] : [`${omitted} more messages are not described here, for their number`],
      generator,
      policy: publishedPolicy(policy),
      records,
    }
  }

  /**
   * The day is closed by the commit that queues the report: it goes out once, also after a kill. The reverse-path is
   * the address in From, so that SPF aligns (rfc9990 §3.4.2); NOTIFY=NEVER (rfc3461 §4.1) keeps failures from coming back.
   */
  async #accept(report: AggregateReport, sending: Sending) {
    const { intake, random } = this.#ports
    const { composed, day, from, nowMs, to } = sending
    const writer = intake.body(composed.octets.length)
    await writer.write(composed.octets)
    const staged = await writer.finish()
    if (!staged.ok) throw new Error(staged.failure.cause)
    const traceId = makeTraceId(nowMs, random.bytes(10))
    const prefix = Buffer.from(returnPathField(from))
    const stored = await intake.accept({
      traceId,
      trace: traceOf(sending),
      body: staged.value,
      prefix,
      reversePath: from,
      receivedAtMs: nowMs,
      deliveries: [],
      queue: {
        sender: { reversePath: from, bodyType: '8BITMIME', smtputf8: false },
        skipBytes: prefix.length,
        recipients: to.map((address) => ({ address, notify: 'NEVER' as const })),
        nextAttemptAtMs: nowMs,
      },
      reported: {
        ...{ day, policyDomain: report.policy.domain, reportId: report.reportId },
        ...{ atMs: nowMs, recipients: to.length },
      },
    })
    if (stored.ok) return traceId
    staged.value.discard()
    throw new Error(stored.failure.cause)
  }
}

interface Sending {
  readonly composed: ComposedReport
  readonly from: Address
  readonly to: readonly Address[]
  readonly nowMs: number
  readonly day: string
}

function traceOf({ from, nowMs: atMs, to }: Sending): readonly TraceEvent[] {
  const recipients = to.map(formatAddress)
  return [
    { atMs, kind: 'sender', reversePath: formatAddress(from) },
    ...recipients.map((address) => ({ atMs, kind: 'recipient' as const, address, as: 'remote' as const })),
    { atMs, kind: 'queued', recipients, nextAttemptAtMs: atMs },
    { atMs, kind: 'decision', action: 'accept', rule: 'dmarc-report' },
  ]
}

const causeOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
