import type { QueueId } from '../mail/ids.ts'
import type { Deliverer } from '../ports/deliverer.ts'
import type { QueueItem } from '../ports/queue.ts'
import type { Resolver } from '../ports/resolver.ts'
import { type Attempt, damagedAttempt, faultyAttempt, tryRoute } from './attempt.ts'
import { type Destination, groupRecipients, routeOf } from './destinations.ts'
import { FAULT_SLEEP_MS, MAX_DUE_ITEMS, MAX_SLEEP_MS, MIN_SLEEP_MS } from './limits.ts'
import { Lines } from './lines.ts'
import { type RecorderPorts, recordOutcome } from './recorder.ts'
import { attemptFields, type Settled, settle } from './report.ts'
import { horizonMs } from './schedule.ts'
import type { QueueSettings } from './settings.ts'

export interface RunnerPorts extends RecorderPorts {
  readonly resolver: Resolver
  readonly deliverer: Deliverer
  readonly settings: () => QueueSettings
  /** The time without jumps ahead, ms since 1970; without it the clock's. */
  readonly believedNow?: (() => number) | undefined
}

/** Takes up what is due, tries it, and records what came of it, until it is stopped. */
export class QueueRunner {
  readonly #ports: RunnerPorts
  readonly #lines = new Lines()
  readonly #busy = new Set<QueueId>()
  readonly #running = new Set<Promise<void>>()
  readonly #stopping = Promise.withResolvers<void>()
  readonly #abort = new AbortController()
  /** Attempts under way, of all messages. */
  #attempts = 0
  #stopped = false
  #look: Promise<void> | undefined
  #again = false
  #cancelTimer: () => void = () => {}
  #unsubscribe: () => void = () => {}

  constructor(ports: RunnerPorts) {
    this.#ports = ports
  }

  /** Attempts under way now. */
  get attempts(): number {
    return this.#attempts
  }

  /** Whether something of the message is being tried now. */
  isTrying(id: QueueId): boolean {
    return this.#busy.has(id)
  }

  start(): void {
    this.#unsubscribe = this.#ports.queue.onChange(() => this.wake())
    this.wake()
  }

  /**
   * Takes nothing more up, leaves hosts that have not got the content, and waits for the answer of those that have.
   * What was cut short or could not be recorded stays in the queue as it was.
   */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#stopping.resolve()
    this.#abort.abort()
    this.#unsubscribe()
    this.#cancelTimer()
    await this.#look
    await Promise.all(this.#running)
  }

  /** Looks at the queue now. */
  wake(): void {
    if (this.#stopped) return
    if (this.#look !== undefined) {
      this.#again = true
      return
    }
    this.#cancelTimer()
    this.#look = this.#lookAround().then((sleepMs) => {
      this.#look = undefined
      if (!this.#stopped) this.#cancelTimer = this.#ports.clock.after(sleepMs, () => this.wake())
    })
  }

  /** @returns how long to sleep. Never rejects. */
  async #lookAround(): Promise<number> {
    try {
      do {
        this.#again = false
        await this.#takeUp()
      } while (this.#again && !this.#stopped)
      if (this.#stopped) return MAX_SLEEP_MS
      const dueAtMs = await this.#ports.queue.nextDueAtMs()
      // A wake-up during that question would be lost otherwise.
      if (this.#again) return 0
      // What is due and in work, or waits for room, wakes the runner when that ends.
      const least = this.#busy.size > 0 ? MIN_SLEEP_MS.busy : MIN_SLEEP_MS.idle
      if (dueAtMs === undefined) return MAX_SLEEP_MS
      return Math.min(MAX_SLEEP_MS, Math.max(least, dueAtMs - this.#ports.clock.now()))
    } catch (error) {
      if (!this.#stopped) this.#ports.log.event('store.fault', { where: 'queue', cause: errorText(error) })
      return FAULT_SLEEP_MS
    }
  }

  async #takeUp(): Promise<void> {
    const settings = this.#ports.settings()
    const isFull = (): boolean => this.#stopped || this.#attempts >= settings.maxConnections
    // Those in line first: they have waited longer, and nothing needs to be searched for them.
    while (!isFull()) {
      const id = this.#lines.next()
      if (id === undefined) break
      const item = await this.#ports.queue.get(id)
      if (item !== undefined) this.#consider(item, settings)
    }
    while (!isFull() && !this.#lines.isFull) {
      const nowMs = this.#ports.clock.now()
      const found = await this.#ports.queue.due({
        nowMs,
        beyondMs: nowMs + horizonMs(settings.retry),
        limit: MAX_DUE_ITEMS,
        busy: new Set([...this.#busy, ...this.#lines.parked.keys()]),
      })
      const taken = found.filter((item) => !isFull() && this.#consider(item, settings))
      if (found.length < MAX_DUE_ITEMS || taken.length === 0) return
    }
  }

  /** Begins what of the message has room now, or parks it. False where nothing of it is due. */
  #consider(item: QueueItem, settings: QueueSettings): boolean {
    if (this.#busy.has(item.id)) return false
    const groups = groupRecipients(item, this.#ports.clock.now(), settings)
    if (groups.length === 0) return false
    const free = settings.maxConnections - this.#attempts
    const open = groups.filter(({ key }) => this.#lines.hasRoom(key)).slice(0, free)
    if (open.length > 0) this.#begin(item, open, settings)
    else
      this.#lines.park(
        item.id,
        groups.map(({ key }) => key),
      )
    return true
  }

  /** All destinations at once: a slow one must not hold the others up. */
  #begin(item: QueueItem, groups: readonly Destination[], settings: QueueSettings): void {
    this.#busy.add(item.id)
    this.#lines.unpark(item.id)
    const work = Promise.all(groups.map((group) => this.#work(item, group, settings))).then(() => {
      this.#busy.delete(item.id)
      this.#running.delete(work)
      this.wake()
    })
    this.#running.add(work)
  }

  /** One attempt with its record. Never rejects. */
  async #work(item: QueueItem, group: Destination, settings: QueueSettings): Promise<void> {
    this.#attempts++
    this.#lines.enter(group.key)
    try {
      const attempt = await this.#attempt(item, group, settings)
      if (attempt.isCutShort === true) return
      const { believedNow, clock, log } = this.#ports
      const nowMs = clock.now()
      const at = { retry: settings.retry, nowMs, believedMs: believedNow?.(), chance: this.#chance() }
      const settled = settle(item, attempt, at)
      for (const outcome of settled.outcomes)
        log.event('queue.attempt', attemptFields(outcome, attempt), item.traceId)
      await this.#record(item, settled, settings)
    } catch (error) {
      // Our own fault: the item stays as it is, and is not tried again at once.
      this.#ports.log.event('server.fault', { where: 'queue', cause: errorText(error) }, item.traceId)
      await this.#sleep(FAULT_SLEEP_MS)
    } finally {
      this.#attempts--
      this.#lines.leave(group.key)
      this.wake()
    }
  }

  /** A fault of ours on the way counts as a deferral, so that a message that trips us is given up in the end. */
  async #attempt(item: QueueItem, group: Destination, settings: QueueSettings): Promise<Attempt> {
    const { queue, resolver, deliverer, log } = this.#ports
    const { recipients } = group
    try {
      // No host is called again and again for a message that can't be read.
      const damaged = recipients.some(({ attempts }) => attempts > 0) ? await this.#damaged(item) : undefined
      if (damaged !== undefined) return damagedAttempt(recipients, damaged)
      const { route, policy } = await routeOf(group, resolver, settings, () => this.#chance())
      const body = () => queue.read(item.id)
      return await tryRoute({ item, recipients, route, policy, body, signal: this.#abort.signal }, deliverer)
    } catch (error) {
      const damaged = await this.#damaged(item)
      if (damaged !== undefined) return damagedAttempt(recipients, damaged)
      log.event('server.fault', { where: 'queue', cause: errorText(error) }, item.traceId)
      return faultyAttempt(recipients, errorText(error))
    }
  }

  /** Why the message can't be read; logged. Never rejects: that it can't be found out is no damage. */
  async #damaged(item: QueueItem): Promise<string | undefined> {
    const { log, queue } = this.#ports
    try {
      const cause = await queue.damage(item.id)
      if (cause !== undefined)
        log.event('message.damaged', { queue: item.id, cause, todo: MENDING }, item.traceId)
      return cause
    } catch (error) {
      log.event('store.fault', { where: 'queue', cause: errorText(error) }, item.traceId)
      return undefined
    }
  }

  /** Until it is on disk: what is not recorded would be sent twice. */
  async #record(item: QueueItem, settled: Settled, settings: QueueSettings): Promise<void> {
    for (;;) {
      const recorded = await recordOutcome(this.#ports, item, settled, settings.hostname)
      if (recorded.kind === 'recorded') return
      const { cause } = recorded
      this.#ports.log.event('store.fault', { where: 'queue', cause }, item.traceId)
      if (this.#stopped) return
      await this.#sleep(FAULT_SLEEP_MS)
    }
  }

  #chance(): number {
    return (this.#ports.random.bytes(1)[0] as number) / 256
  }

  /** A stop wakes it. */
  async #sleep(ms: number): Promise<void> {
    const slept = Promise.withResolvers<void>()
    const cancel = this.#ports.clock.after(ms, slept.resolve)
    await Promise.race([slept.promise, this.#stopping.promise])
    cancel()
  }
}

/** What an operator can do about a message that cannot be read. */
const MENDING =
  'restore a backup, or see what `hikyaku salvage` gets out of it; `hikyaku queue cancel` takes it out of the queue'

function errorText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
