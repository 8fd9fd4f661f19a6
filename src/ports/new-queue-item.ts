import type { Address } from '../mail/address.ts'
import type { EnvelopeSender, Notify } from '../mail/envelope.ts'

/** A message that goes into the queue with the commit that accepts it. */
export interface NewQueueItem {
  readonly sender: EnvelopeSender
  /** Octets at the start of the message's prefix that do not go out: Return-Path is for final delivery only (rfc5321 §4.4). */
  readonly skipBytes: number
  readonly recipients: readonly {
    readonly address: Address
    readonly notify?: Notify | undefined
    readonly orcpt?: string | undefined
  }[]
  readonly nextAttemptAtMs: number
}
