import type { Address } from '../mail/address.ts'
import type { EnvelopeSender, Notify } from '../mail/envelope.ts'
import type { QueueId, TraceId } from '../mail/ids.ts'
import type { Reply } from '../mail/reply.ts'
import type { TraceEvent } from '../mail/trace.ts'
import type { AcceptMessage, Stored } from './store.ts'

/** One message on its way out, with the recipients that are still open. */
export interface QueueItem {
  readonly id: QueueId
  readonly traceId: TraceId
  readonly sender: EnvelopeSender
  readonly sizeBytes: number
  readonly arrivedAtMs: number
  readonly recipients: readonly QueueRecipient[]
}

export interface QueueRecipient {
  readonly address: Address
  readonly notify?: Notify | undefined
  readonly orcpt?: string | undefined
  /** `held`: nothing is tried until the operator says so; it may have gone out before a restore. */
  readonly state: 'waiting' | 'held' | 'delivered' | 'failed' | 'cancelled'
  readonly attempts: number
  readonly nextAttemptAtMs: number
  readonly lastReply?: Reply | undefined
  readonly lastHost?: string | undefined
  /** When the sender was last told of a delay. */
  readonly delayToldAtMs?: number | undefined
}

export interface RecipientOutcome {
  readonly address: Address
  readonly state: QueueRecipient['state']
  readonly attempts: number
  readonly nextAttemptAtMs: number
  readonly lastReply?: Reply | undefined
  readonly lastHost?: string | undefined
  readonly delayToldAtMs?: number | undefined
}

/** The queue as rows. Attempts are decided in `queue/`, never here. */
export interface QueueStore {
  /** Items with a recipient due at `nowMs`, oldest first, without those in `busy`. Due after `beyondMs` is due too: a clock was put back. */
  due(query: {
    readonly nowMs: number
    readonly beyondMs?: number | undefined
    readonly limit: number
    readonly busy: ReadonlySet<QueueId>
  }): Promise<readonly QueueItem[]>
  /** When the next recipient is due; undefined where nothing waits. */
  nextDueAtMs(): Promise<number | undefined>
  get(id: QueueId): Promise<QueueItem | undefined>
  list(query: { readonly limit: number; readonly after?: QueueId | undefined }): Promise<readonly QueueItem[]>
  /** The message's octets in pieces, prefix first. Throws before the first where `damage` has something to say. */
  read(id: QueueId): AsyncIterable<Uint8Array>
  /** Why the message can't be handed on: its octets are not those that were stored. undefined: they are. */
  damage(id: QueueId): Promise<string | undefined>
  /** The message's header block, for a DSN. Rejects where `damage` has something to say. */
  readHeader(id: QueueId): Promise<Uint8Array>
  /** One commit: outcomes, trace, and the DSN to deliver or queue. An item without waiting or held recipients is gone after it. */
  record(result: {
    readonly id: QueueId
    /** The message's: what happened to one that was cancelled meanwhile is told all the same. */
    readonly traceId?: TraceId | undefined
    readonly outcomes: readonly RecipientOutcome[]
    readonly trace: readonly TraceEvent[]
    readonly dsn?: AcceptMessage | undefined
  }): Promise<Stored<undefined>>
  /** Called after each commit that queued something or changed a due time. */
  onChange(listener: () => void): () => void
}
