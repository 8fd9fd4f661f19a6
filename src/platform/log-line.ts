import { visible } from '../bytes/ascii.ts'
import type { TraceId } from '../mail/ids.ts'
import type { LogEventName } from '../mail/log-events.ts'
import type { LogValue } from '../ports/log.ts'
import { LOG_LIMITS } from './limits.ts'

/** One event, as all destinations get it. */
export interface LogRecord {
  readonly name: LogEventName
  readonly fields: Readonly<Record<string, LogValue>>
  readonly traceId: TraceId | undefined
  /** ms since 1970. */
  readonly atMs: number
}

export interface LogOrigin {
  readonly host: string
  /** `hikyaku`. */
  readonly program: string
  readonly pid: number
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
/** What turns text around or hides in it on a terminal: bidirectional controls, line separators, zero widths. */
const DECEIVING = /[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

/** `Nov 24 08:15:21 host hikyaku[123]: ID: event key=value, key="a, b"`: local time, as syslog writes it. */
export function classicLine(record: LogRecord, origin: LogOrigin): string {
  const { host, program, pid } = origin
  return cut(`${stamp(record.atMs)} ${host} ${program}[${pid}]: ${eventText(record)}`, LOG_LIMITS.lineChars)
}

/** The line without time, host and program: what a syslog daemon adds by itself. */
export function eventText(record: LogRecord): string {
  const fields: string[] = []
  for (const [key, value] of Object.entries(record.fields))
    if (value !== undefined) fields.push(`${key}=${formatValue(value)}`)
  const head = record.traceId === undefined ? record.name : `${record.traceId}: ${record.name}`
  return fields.length === 0 ? head : `${head} ${fields.join(', ')}`
}

/** One JSON object: time in UTC, event, trace, fields. */
export function jsonLine(record: LogRecord, origin: LogOrigin): string {
  const fields = Object.fromEntries(
    Object.entries(record.fields).map(([key, value]) => [
      key,
      typeof value === 'string' ? cut(value.toWellFormed(), LOG_LIMITS.valueChars) : value,
    ]),
  )
  const time = new Date(record.atMs).toISOString()
  const { name: event, traceId: trace } = record
  return JSON.stringify({ time, host: origin.host, pid: origin.pid, event, trace, ...fields })
}

/**
 * A value cannot end its line, forge another field or steer a terminal: control characters are visible, and
 * a text with a blank, comma, quote or backslash stands in quotes, as the page of log events says.
 */
export function formatValue(value: LogValue): string {
  if (typeof value !== 'string') return String(value)
  const text = cut(value.toWellFormed(), LOG_LIMITS.valueChars)
  const quoted = /[",\\\s]|^$/.test(text)
  const escaped = quoted ? text.replace(/["\\]/g, '\\$&') : text
  const shown = visible(escaped).replace(DECEIVING, (c) => `\\u${c.charCodeAt(0).toString(16)}`)
  return quoted ? `"${shown}"` : shown
}

/** `Nov  4 08:15:21`, local time (rfc5424 is not what maillog readers expect). */
function stamp(atMs: number): string {
  const at = new Date(atMs)
  const two = (n: number) => String(n).padStart(2, '0')
  const day = String(at.getDate()).padStart(2, ' ')
  return `${MONTHS[at.getMonth()]} ${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}

function cut(text: string, chars: number): string {
  return text.length <= chars ? text : `${text.slice(0, chars - 1).toWellFormed()}…`
}
