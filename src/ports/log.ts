import type { TraceId } from '../mail/ids.ts'
import type { LogEventName } from '../mail/log-events.ts'

export type LogValue = string | number | boolean | undefined

/**
 * Takes one event; formats and destinations (classic lines, syslog, JSON) are the implementation's. Values
 * may come from a peer: the implementation escapes them. No secret may be passed.
 */
export interface Log {
  event(name: LogEventName, fields: Readonly<Record<string, LogValue>>, traceId?: TraceId): void
}
