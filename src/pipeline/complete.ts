import { formatDate } from '../mime/date.ts'
import { type ContentHeader, fieldsNamed } from './header-checks.ts'

export interface Completion {
  readonly name: 'Date' | 'Message-ID'
  /** The whole field, CRLF-ended. */
  readonly field: string
}

/**
 * The fields that a submission lacks and rfc6409 §8.2, §8.3 lets us add. Mail from other servers is never
 * completed: its signature covers what is there, and what is not.
 */
export function missingFields(
  header: ContentHeader,
  at: {
    readonly nowMs: number
    readonly zoneMinutes: number
    readonly traceId: string
    /** Of the sender where there is one: the id is its domain's to give. */
    readonly domain: string
  },
): readonly Completion[] {
  const missing: Completion[] = []
  if (fieldsNamed(header, 'date').length === 0)
    missing.push({ name: 'Date', field: `Date: ${formatDate(at.nowMs, at.zoneMinutes)}\r\n` })
  if (fieldsNamed(header, 'message-id').length === 0) {
    missing.push({ name: 'Message-ID', field: `Message-ID: <${at.traceId}@${at.domain}>\r\n` })
  }
  return missing
}
