import { formatAddress } from '../mail/address.ts'
import type { QueueId } from '../mail/ids.ts'
import type { TraceEvent, TraceFact } from '../mail/trace.ts'
import type { ReportAction } from '../mime/delivery-report.ts'
import type { Deliverer } from '../ports/deliverer.ts'
import type { Log } from '../ports/log.ts'
import type { QueueItem, QueueRecipient, RecipientOutcome } from '../ports/queue.ts'
import type { Resolver } from '../ports/resolver.ts'
import type { AcceptMessage } from '../ports/store.ts'
import { type Attempt, tryRoute } from './attempt.ts'
import { type Destination, groupRecipients, routeOf } from './destinations.ts'
import { DsnFault, type DsnPorts, makeDsn } from './dsn.ts'
import { FAULT_SLEEP_MS, MAX_DUE_ITEMS, MAX_PER_DOMAIN, MAX_SLEEP_MS } from './limits.ts'
import { attemptFields, settle } from './report.ts'
import type { QueueSettings } from './settings.ts'

export interface RunnerPorts extends DsnPorts {
  readonly resolver: Resolver
  readonly deliverer: Deliverer
  readonly log: Log
  readonly settings: () => QueueSettings
}

/** Takes up what is due, tries it, and records what came of it, until it is stopped. */
export class QueueRunner {
  readonly #ports: RunnerPorts
  readonly #busy = new Set<QueueId>()
  readonly #perDestination = new Map<string, number>()
  readonly #running = new Set<Promise<void>>()
  #stopped = false
  #looking = false
  #again = false
  #cancelTimer: () => void = () => {}
  #unsubscribe: () => void = () => {}

  constructor(ports: RunnerPorts) {
    this.#ports = ports
  }

  start(): void {
    this.#unsubscribe = this.#ports.queue.onChange(() => this.wake())
    this.wake()
  }

  /** Takes nothing more up and waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#unsubscribe()
    this.#cancelTimer()
    await Promise.all(this.#running)
  }

  /** Looks at the queue now. */
  wake(): void {
    if (this.#stopped) return
    if (this.#looking) this.#again = true
    else void this.#look()
  }

  async #look(): Promise<void> {
    this.#looking = true
    this.#cancelTimer()
    let sleepMs = MAX_SLEEP_MS
    try {
      do {
        this.#again = false
        await this.#takeUp()
      } while (this.#again && !this.#stopped)
      const dueAtMs = await this.#ports.queue.nextDueAtMs()
      if (dueAtMs !== undefined)
        sleepMs = Math.min(MAX_SLEEP_MS, Math.max(50, dueAtMs - this.#ports.clock.now()))
      // What is due and busy wakes the runner when it is done.
      if (this.#busy.size > 0) sleepMs = Math.max(sleepMs, 1_000)
    } catch (error) {
      this.#ports.log.event('store.fault', { where: 'queue', cause: errorText(error) })
      sleepMs = FAULT_SLEEP_MS
    } finally {
      this.#looking = false
    }
    if (!this.#stopped) this.#cancelTimer = this.#ports.clock.after(sleepMs, () => this.wake())
  }

  async #takeUp(): Promise<void> {
    const settings = this.#ports.settings()
    const free = settings.maxConnections - this.#running.size
    if (free <= 0) return
    const due = await this.#ports.queue.due({
      nowMs: this.#ports.clock.now(),
      limit: MAX_DUE_ITEMS,
      busy: this.#busy,
    })
    for (const item of due) {
      if (this.#running.size >= settings.maxConnections || this.#stopped) return
      const groups = groupRecipients(item, this.#ports.clock.now(), settings)
      // One domain that is slow must not take all the slots: its further messages wait for a free one.
      const open = groups.filter(({ key }) => (this.#perDestination.get(key) ?? 0) < MAX_PER_DOMAIN)
      if (open.length > 0) this.#begin(item, open)
    }
  }

  #begin(item: QueueItem, groups: readonly Destination[]): void {
    this.#busy.add(item.id)
    for (const { key } of groups) this.#perDestination.set(key, (this.#perDestination.get(key) ?? 0) + 1)
    const work = this.#work(item, groups).finally(() => {
      for (const { key } of groups) this.#leave(key)
      this.#busy.delete(item.id)
      this.#running.delete(work)
      this.wake()
    })
    this.#running.add(work)
  }

  #leave(key: string): void {
    const left = (this.#perDestination.get(key) ?? 1) - 1
    if (left > 0) this.#perDestination.set(key, left)
    else this.#perDestination.delete(key)
  }

  async #work(item: QueueItem, groups: readonly Destination[]): Promise<void> {
    for (const group of groups) {
      if (this.#stopped) return
      try {
        await this.#attempt(item, group)
      } catch (error) {
        // Our own fault: the item stays as it is, and is not tried again at once.
        this.#ports.log.event('server.fault', { where: 'queue', cause: errorText(error) }, item.traceId)
        await this.#sleep(FAULT_SLEEP_MS)
      }
    }
  }

  async #attempt(item: QueueItem, group: Destination): Promise<void> {
    const { queue, resolver, deliverer, clock, log } = this.#ports
    const settings = this.#ports.settings()
    const chance = (): number => (this.#ports.random.bytes(1)[0] as number) / 256
    const { route, policy } = await routeOf(group, resolver, settings, chance)
    const attempt = await tryRoute(
      { item, recipients: group.recipients, route, policy, body: () => queue.read(item.id) },
      deliverer,
    )
    const settled = settle(item, attempt, { retry: settings.retry, nowMs: clock.now(), chance: chance() })
    for (const outcome of settled.outcomes)
      log.event('queue.attempt', attemptFields(outcome, attempt), item.traceId)
    await this.#record(item, attempt, settled, settings)
  }

  /** Until it is on disk: what is not recorded would be sent twice. */
  async #record(
    item: QueueItem,
    attempt: Attempt,
    settled: ReturnType<typeof settle>,
    settings: QueueSettings,
  ): Promise<void> {
    const [first, ...others] = [...settled.reports]
    for (;;) {
      const cause = await this.#tryRecord(item, attempt, settled, settings, first)
      if (cause === undefined) break
      this.#ports.log.event('store.fault', { where: 'queue', cause }, item.traceId)
      if (this.#stopped) return
      await this.#sleep(FAULT_SLEEP_MS)
    }
    for (const report of others) await this.#tellAlone(item, attempt, report, settings)
  }

  /** undefined when it is on disk, else why it is not. */
  async #tryRecord(
    item: QueueItem,
    attempt: Attempt,
    settled: ReturnType<typeof settle>,
    settings: QueueSettings,
    report: readonly [ReportAction, readonly RecipientOutcome[]] | undefined,
  ): Promise<string | undefined> {
    const trace: TraceFact[] = [...settled.facts]
    let dsn: AcceptMessage | undefined
    try {
      dsn = report === undefined ? undefined : await this.#dsn(item, attempt, report, settings, trace)
    } catch (error) {
      if (error instanceof DsnFault) return error.message
      throw error
    }
    const recorded = await this.#ports.queue.record({
      id: item.id,
      outcomes: settled.outcomes,
      trace: this.#stamp(trace),
      dsn,
    })
    if (recorded.ok) return undefined
    dsn?.body.discard()
    return recorded.failure.cause
  }

  /** A second kind of report about one attempt: a commit of its own, after the one that holds the outcomes. */
  async #tellAlone(
    item: QueueItem,
    attempt: Attempt,
    report: readonly [ReportAction, readonly RecipientOutcome[]],
    settings: QueueSettings,
  ): Promise<void> {
    const trace: TraceFact[] = []
    const dsn = await this.#dsn(item, attempt, report, settings, trace)
    if (dsn === undefined) return
    const stored = await this.#ports.intake.accept(dsn)
    if (!stored.ok)
      this.#ports.log.event('store.fault', { where: 'dsn', cause: stored.failure.cause }, item.traceId)
  }

  async #dsn(
    item: QueueItem,
    attempt: Attempt,
    [action, outcomes]: readonly [ReportAction, readonly RecipientOutcome[]],
    settings: QueueSettings,
    trace: TraceFact[],
  ) {
    const recipients = outcomes.map((outcome) => {
      const asked = attempt.recipients.find(({ address }) => address === outcome.address) as QueueRecipient
      return {
        address: outcome.address,
        orcpt: asked.orcpt,
        reply: outcome.lastReply as NonNullable<RecipientOutcome['lastReply']>,
        remoteHost: outcome.lastHost,
      }
    })
    const dsn = await makeDsn(this.#ports, {
      item,
      action,
      recipients,
      hostname: settings.hostname,
      willRetryUntilMs: action === 'delayed' ? item.arrivedAtMs + settings.retry.giveUpAfterMs : undefined,
    })
    if (dsn === undefined) return undefined
    const to = item.sender.reversePath === null ? '' : formatAddress(item.sender.reversePath)
    trace.push({ kind: 'dsn', action, to, traceId: dsn.traceId })
    this.#ports.log.event('queue.dsn', { action, to, dsn: dsn.traceId }, item.traceId)
    return dsn
  }

  #stamp(facts: readonly TraceFact[]): readonly TraceEvent[] {
    const atMs = this.#ports.clock.now()
    return facts.map((fact) => ({ atMs, ...fact }))
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#ports.clock.after(ms, resolve))
  }
}

function errorText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
