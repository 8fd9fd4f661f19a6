import type { TraceId } from '../mail/ids.ts'
import { LOG_EVENTS, type LogEventName, type LogEventSpec } from '../mail/log-events.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log, LogValue } from '../ports/log.ts'
import { classicLine, eventText, jsonLine, type LogOrigin, type LogRecord } from './log-line.ts'
import type { LogSink, SinkLine } from './log-sink.ts'

export interface LogRoute {
  readonly sink: LogSink
  /** Which events; undefined: all. Thus IMAP's can go to a log of their own. */
  readonly facilities?: readonly LogEventSpec['facility'][] | undefined
  /** The least important level that is still written. */
  readonly level: LogEventSpec['level']
}

const ORDER: readonly LogEventSpec['level'][] = ['error', 'warning', 'notice', 'info', 'debug']
/** Dropped lines are told at most this often. */
const DROPPED_EVERY_MS = 10_000

/** Sends each event to every destination that wants it, and says itself when lines were lost. */
export class RoutedLog implements Log {
  readonly #clock: Clock
  readonly #origin: LogOrigin
  #routes: readonly LogRoute[]
  #dropCheckAtMs = 0

  constructor(options: {
    readonly clock: Clock
    readonly origin: LogOrigin
    readonly routes: readonly LogRoute[]
  }) {
    this.#clock = options.clock
    this.#origin = options.origin
    this.#routes = options.routes
  }

  event(name: LogEventName, fields: Readonly<Record<string, LogValue>>, traceId?: TraceId): void {
    this.#write({ name, fields, traceId, atMs: this.#clock.now() })
    const nowMs = this.#clock.monotonic()
    if (nowMs < this.#dropCheckAtMs) return
    this.#dropCheckAtMs = nowMs + DROPPED_EVERY_MS
    let dropped = 0
    for (const { sink } of this.#routes) dropped += sink.takeDropped()
    if (dropped > 0)
      this.#write({
        name: 'log.dropped',
        fields: { lines: dropped },
        traceId: undefined,
        atMs: this.#clock.now(),
      })
  }

  /** After a reload. The old destinations are closed when they have written what they have. */
  async change(routes: readonly LogRoute[]): Promise<void> {
    const old = this.#routes
    this.#routes = routes
    const kept = new Set(routes.map(({ sink }) => sink))
    await closeSinks(old.filter(({ sink }) => !kept.has(sink)))
  }

  reopen(): void {
    for (const { sink } of this.#routes) sink.reopen()
  }

  /** The last thing of all: everything said so far is written. */
  close(): Promise<void> {
    const routes = this.#routes
    this.#routes = []
    return closeSinks(routes)
  }

  #write(record: LogRecord): void {
    const { facility, level }: LogEventSpec = LOG_EVENTS[record.name]
    const line = new LazyLine(record, this.#origin, { facility, level })
    for (const route of this.#routes) {
      if (ORDER.indexOf(level) > ORDER.indexOf(route.level)) continue
      if (route.facilities === undefined || route.facilities.includes(facility)) route.sink.write(line)
    }
  }
}

/** Makes each form when a destination asks for it: most servers have one. */
class LazyLine implements SinkLine {
  readonly facility: LogEventSpec['facility']
  readonly level: LogEventSpec['level']
  readonly #record: LogRecord
  readonly #origin: LogOrigin

  constructor(record: LogRecord, origin: LogOrigin, spec: Pick<LogEventSpec, 'facility' | 'level'>) {
    this.#record = record
    this.#origin = origin
    this.facility = spec.facility
    this.level = spec.level
  }

  get classic(): string {
    return classicLine(this.#record, this.#origin)
  }

  get json(): string {
    return jsonLine(this.#record, this.#origin)
  }

  get bare(): string {
    return eventText(this.#record)
  }
}

async function closeSinks(routes: readonly LogRoute[]): Promise<void> {
  await Promise.all([...new Set(routes.map(({ sink }) => sink))].map((sink) => sink.close()))
}
