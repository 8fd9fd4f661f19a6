import type { StatusItem } from '../commands/status.ts'
import { mailboxString } from '../text.ts'

/** rfc3501 §7.2.4. */
export interface StatusResponse {
  readonly kind: 'status'
  readonly mailbox: string
  /** APPENDLIMIT null: no limit (rfc7889 §3). */
  readonly items: readonly (readonly [item: StatusItem, value: number | null])[]
}

export function encodeStatus(response: StatusResponse): string {
  const items = response.items.map(([item, value]) => `${item} ${value ?? 'NIL'}`).join(' ')
  return `* STATUS ${mailboxString(response.mailbox)} (${items})\r\n`
}
