import type { Address } from '../mail/address.ts'
import type { Reply } from '../mail/reply.ts'
import type { ReportAction } from './report-texts.ts'

export interface ReportedRecipient {
  readonly address: Address
  readonly action: ReportAction
  /** rfc3461 §4.2, decoded. */
  readonly orcpt?: string | undefined
  readonly reply: Reply
  readonly remoteHost?: string | undefined
  /** Failed because the time was over, whatever the last reply was. */
  readonly expired?: boolean | undefined
  /** For 'delayed': when we give up. */
  readonly willRetryUntilMs?: number | undefined
}

/** What a delivery status notification tells. */
export interface DeliveryReport {
  readonly to: Address
  readonly hostname: string
  readonly arrivedAtMs: number
  readonly nowMs: number
  readonly zoneMinutes: number
  readonly envid?: string | undefined
  /** The original came with SMTPUTF8: its sender can be told in UTF-8 (rfc6533 §3). */
  readonly smtputf8: boolean
  /** At least one. */
  readonly recipients: readonly ReportedRecipient[]
  /** The original's header block, or the whole of it. */
  readonly original: { readonly kind: 'header' | 'full'; readonly octets: Uint8Array }
  /** Unique text of letters and digits, for Message-ID and boundary. */
  readonly unique: string
}
