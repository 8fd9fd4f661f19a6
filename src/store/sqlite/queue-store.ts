import type { Address } from '../../mail/address.ts'
import type { QueueId, TraceId } from '../../mail/ids.ts'
import type { QueueItem, QueueRecipient, QueueStore, RecipientOutcome } from '../../ports/queue.ts'
import type { Stored } from '../../ports/store.ts'
import { FileProofs } from './file-proof.ts'
import { acceptOperation, settleBody, storeFailure } from './intake.ts'
import type { QueueBody, QueueRows } from './questions.ts'
import { type ReaderClient, ReadFault } from './reader-client.ts'
import { isDamageText } from './sql.ts'
import { streamRange } from './streams.ts'
import type { WriterClient } from './writer-client.ts'

export class SqliteQueue implements QueueStore {
  readonly #writer: WriterClient
  readonly #reader: ReaderClient
  readonly #bodies: string
  readonly #now: () => number
  readonly #proofs: FileProofs
  readonly #listeners = new Set<() => void>()

  constructor(parts: {
    readonly writer: WriterClient
    readonly reader: ReaderClient
    readonly bodies: string
    now(): number
  }) {
    this.#writer = parts.writer
    this.#reader = parts.reader
    this.#bodies = parts.bodies
    this.#now = parts.now
    this.#proofs = new FileProofs(parts.bodies)
  }

  async due(query: Parameters<QueueStore['due']>[0]): Promise<readonly QueueItem[]> {
    const { nowMs, limit, busy, beyondMs = Number.MAX_SAFE_INTEGER } = query
    return (await this.#reader.ask({ ask: 'due', nowMs, beyondMs, limit, busy: [...busy] })).map(queueItem)
  }

  nextDueAtMs(): Promise<number | undefined> {
    return this.#reader.ask({ ask: 'next-due' })
  }

  async get(id: QueueId): Promise<QueueItem | undefined> {
    const rows = await this.#reader.ask({ ask: 'queue-item', id })
    return rows === undefined ? undefined : queueItem(rows)
  }

  async list(query: Parameters<QueueStore['list']>[0]): Promise<readonly QueueItem[]> {
    const rows = await this.#reader.ask({ ask: 'queue-list', limit: query.limit, after: query.after ?? 0 })
    return rows.map(queueItem)
  }

  async *read(id: QueueId): AsyncIterable<Uint8Array> {
    const body = await this.#provedBody(id)
    if (body.octets.length > 0) yield body.octets
    if (body.rest !== undefined) yield* streamRange(this.#bodies, { ...body.rest, before: new Uint8Array(0) })
  }

  async damage(id: QueueId): Promise<string | undefined> {
    try {
      return await this.#damageOf(await this.#body(id))
    } catch (error) {
      if (error instanceof ReadFault && isDamageText(error.message)) return error.message
      throw error
    }
  }

  async readHeader(id: QueueId): Promise<Uint8Array> {
    const body = await this.#provedBody(id)
    const { header, octets, rest } = body
    const left = header.length - octets.length
    if (rest === undefined || left <= 0) return octets.subarray(0, header.length)
    const range = { ...rest, before: octets, length: Math.min(rest.length, left) }
    return Buffer.concat(await Array.fromAsync(streamRange(this.#bodies, range)))
  }

  async record(result: Parameters<QueueStore['record']>[0]): Promise<Stored<undefined>> {
    const { id, traceId, outcomes, trace, dsn } = result
    const accepted = dsn === undefined ? undefined : acceptOperation(dsn)
    const outcome = await this.#writer.call<null>(
      {
        op: 'record',
        id,
        nowMs: this.#now(),
        outcomes: outcomes.map(outcomeRow),
        trace: trace.length === 0 ? null : JSON.stringify(trace),
        traceId: traceId ?? null,
        dsn: accepted?.operation ?? null,
      },
      accepted?.blobs ?? [],
    )
    if (dsn !== undefined) settleBody(dsn, outcome)
    if (!outcome.ok) return { ok: false, failure: storeFailure(outcome.refusal) }
    return { ok: true, value: undefined }
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The store's event: something was queued or a due time changed. */
  changed(): void {
    for (const listener of this.#listeners) listener()
  }

  async #damageOf({ damaged, needed }: QueueBody): Promise<string | undefined> {
    return damaged ?? (needed === undefined ? undefined : this.#proofs.prove(needed))
  }

  /** Rejects with `ReadFault` where its octets are not those that were stored. */
  async #provedBody(id: QueueId) {
    const body = await this.#body(id)
    const why = await this.#damageOf(body)
    if (why !== undefined) throw new ReadFault(`the message of queue item ${id} is damaged: ${why}`)
    return body
  }

  async #body(id: QueueId) {
    const body = await this.#reader.ask({ ask: 'queue-body', id })
    if (body === undefined) throw new ReadFault(`queue item ${id} is gone`)
    return body
  }
}

/** What a recipient's row keeps as text. */
type Detail = Pick<QueueRecipient, 'notify' | 'orcpt' | 'lastReply' | 'lastHost' | 'delayToldAtMs'>

function queueItem(rows: QueueRows): QueueItem {
  return {
    id: rows.id as QueueId,
    traceId: rows.trace as TraceId,
    sender: JSON.parse(rows.sender) as QueueItem['sender'],
    sizeBytes: rows.size,
    arrivedAtMs: rows.arrivedMs,
    recipients: rows.recipients.map(([address, state, attempts, nextMs, detail]) => ({
      ...(JSON.parse(detail) as Detail),
      address: addressOf(address),
      state: state as QueueRecipient['state'],
      attempts,
      nextAttemptAtMs: nextMs,
    })),
  }
}

function addressOf(text: string): Address {
  const [local, domain] = JSON.parse(text) as [string, string]
  return { local, domain }
}

function outcomeRow(outcome: RecipientOutcome) {
  const { address, state, attempts, nextAttemptAtMs, lastReply, lastHost, delayToldAtMs } = outcome
  return {
    address: JSON.stringify([address.local, address.domain]),
    state,
    attempts,
    nextMs: nextAttemptAtMs,
    detail: JSON.stringify({ lastReply, lastHost, delayToldAtMs }),
  }
}
