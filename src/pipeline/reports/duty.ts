import { type Address, formatAddress } from '../../mail/address.ts'
import { makeTraceId } from '../../mail/ids.ts'
import { type AggregateReport, publishedPolicy } from '../../mailauth/reports/aggregate.ts'
import { type ComposedReport, reportIdOf } from '../../mailauth/reports/aggregate-mail.ts'
import type { ReportWorker } from '../../mailauth/reports/worker-task.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { Random } from '../../ports/random.ts'
import type { ReportStore, TalliedDay } from '../../ports/reports.ts'
import type { Resolver } from '../../ports/resolver.ts'
import type { Intake } from '../../ports/store.ts'
import { sendOwnMail } from '../own-mail.ts'
import { reportDestinations } from './destinations.ts'
import {
  AT_ONCE,
  CATCH_UP_DAYS,
  DAYS_PER_RUN,
  EVERY_MS,
  FIRST_SPREAD_MS,
  GRACE_MS,
  RUN_MS,
} from './limits.ts'
import { DAY_MS, dayStartMs, utcDay } from './words.ts'

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
  #turn: Promise<void> = Promise.resolve()
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

  /** Resolves when a run under way has ended; it ends after the reports that it is at. */
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
    const { clock, log, reports } = this.#ports
    const count = { sent: 0, closed: 0, later: 0 }
    const isOff = this.#stopped
    const endMs = clock.monotonic() + RUN_MS
    try {
      const days = await reports.openDays({ beforeDay: utcDay(nowMs - GRACE_MS), limit: DAYS_PER_RUN })
      const waiting = days.values()
      const some = async (): Promise<void> => {
        for (const { day, policyDomain } of waiting) {
          if ((this.#stopped && !isOff) || clock.monotonic() >= endMs) break
          count[await this.#report(day, policyDomain, nowMs)]++
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, some))
    } catch (error) {
      log.event('report.problem', { problem: `reports could not be sent: ${causeOf(error)}` })
    }
    return count
  }

  /** Never rejects. One that fails is left for another run, and comes after all that were not tried. */
  async #report(day: string, policyDomain: string, nowMs: number): Promise<keyof DutyResult> {
    const { log, reports } = this.#ports
    const isProblem = (problem: string): void =>
      log.event('report.problem', { domain: policyDomain, day, problem })
    try {
      const done = await this.#send(day, policyDomain, nowMs)
      if (done.kind !== 'later') return done.kind
      isProblem(`put off: ${done.cause}`)
    } catch (error) {
      isProblem(causeOf(error))
    }
    try {
      const noted = await reports.putOffDay({ day, policyDomain, atMs: nowMs })
      if (!noted.ok) throw new Error(noted.failure.cause)
    } catch (error) {
      isProblem(`that it was put off could not be noted: ${causeOf(error)}`)
    }
    return 'later'
  }

  async #send(day: string, policyDomain: string, nowMs: number): Promise<Done> {
    const { isOurDomain, reports, resolver, settings } = this.#ports
    const { from, send } = settings()
    const tallied = await reports.talliedDay(day, policyDomain)
    const isOld = dayStartMs(day) < nowMs - (CATCH_UP_DAYS + 1) * DAY_MS
    if (tallied === undefined || tallied.records.length === 0 || isOld || !send)
      return this.#close(day, policyDomain, nowMs)
    if (!isOurDomain(from.domain))
      throw new Error(`reports.from is in ${from.domain}, which is no domain of this server`)
    const found = await reportDestinations(tallied.policy, { isOurDomain, resolver })
    if (found.kind === 'later') return found
    if (found.to.length === 0) return this.#close(day, policyDomain, nowMs)
    // Only the DNS is waited for by several: a report in the making is large, and there is one thread to make it.
    return this.#inTurn(() => this.#queue(tallied, found.to, nowMs))
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const outcome = this.#turn.then(work)
    const ended = (): void => undefined
    this.#turn = outcome.then(ended, ended)
    return outcome
  }

  async #close(day: string, policyDomain: string, nowMs: number): Promise<Done> {
    const closed = { day, policyDomain, reportId: '', atMs: nowMs, recipients: 0 }
    const stored = await this.#ports.reports.closeDay(closed)
    if (!stored.ok) throw new Error(stored.failure.cause)
    return { kind: 'closed' }
  }

  async #queue(tallied: TalliedDay, to: readonly Address[], nowMs: number): Promise<Done> {
    const { worker } = this.#ports
    const { from } = this.#ports.settings()
    const { day, policyDomain } = tallied
    const report = this.#value(tallied)
    const composed = await worker.compose(report, { submitter: from.domain, from, to, nowMs })
    if (composed === undefined) return this.#close(day, policyDomain, nowMs)
    const traceId = await this.#accept(report, { composed, from, to, nowMs, day })
    const told = to.map(formatAddress).join(', ')
    this.#ports.log.event('report.sent', { domain: policyDomain, day, to: told }, traceId)
    return { kind: 'sent' }
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
    const traceId = makeTraceId(nowMs, random.bytes(10))
    const { policy, reportId } = report
    const stored = await sendOwnMail(intake, {
      ...{ traceId, content: composed.octets, to, local: [], remote: to, rule: 'dmarc-report' },
      ...{ smtputf8: false, nowMs, reversePath: from, notify: 'NEVER' },
      reported: { day, policyDomain: policy.domain, reportId, atMs: nowMs, recipients: to.length },
    })
    if (!stored.ok) throw new Error(stored.failure.cause)
    return traceId
  }
}

type Done = { readonly kind: 'sent' | 'closed' } | { readonly kind: 'later'; readonly cause: string }

interface Sending {
  readonly composed: ComposedReport
  readonly from: Address
  readonly to: readonly Address[]
  readonly nowMs: number
  readonly day: string
}

const causeOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
