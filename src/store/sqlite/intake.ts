import { addressKey, formatAddress } from '../../mail/address.ts'
import { assert } from '../../mail/assert.ts'
import { makeFlagSet } from '../../mail/flags.ts'
import type { AccountId, TraceId } from '../../mail/ids.ts'
import { budgetKey } from '../../mail/ip.ts'
import type { TraceEvent } from '../../mail/trace.ts'
import type { NewHold } from '../../ports/new-hold.ts'
import type { NewQueueItem } from '../../ports/new-queue-item.ts'
import type {
  AcceptedEntry,
  AcceptMessage,
  BodyWriter,
  Delivery,
  Intake,
  Stored,
  StoreFailure,
} from '../../ports/store.ts'
import { FolderNames } from './body-files.ts'
import type { BodyFolder } from './file-sink.ts'
import type { HoldPlan } from './held-rows.ts'
import type { LowWater } from './low-water.ts'
import type {
  AcceptOperation,
  BodyRow,
  DeliveryRow,
  FlagNames,
  HeldRecipientRow,
  HoldRow,
  QueueRow,
  Refusal,
  TraceRows,
} from './operations.ts'
import type { Call } from './packing.ts'
import { reportedRow } from './report-rows.ts'
import { contentOf, StagingWriter } from './staging.ts'
import type { Outcome, WriterClient } from './writer-client.ts'

/** Law 3's door: what comes in is durable with all that belongs to it, or refused as a whole. */
export class SqliteIntake implements Intake {
  readonly #writer: WriterClient
  readonly #folder: BodyFolder
  readonly #isClosed: () => boolean
  readonly #now: () => number
  readonly #lowWater: LowWater

  constructor(parts: {
    readonly writer: WriterClient
    readonly bodies: string
    readonly lowWater: LowWater
    isClosed(): boolean
    now(): number
  }) {
    this.#writer = parts.writer
    const { bodies: path, lowWater } = parts
    this.#folder = { path, names: new FolderNames(path), lowWater }
    this.#isClosed = parts.isClosed
    this.#now = parts.now
    this.#lowWater = parts.lowWater
  }

  body(maxBytes: number): BodyWriter {
    return new StagingWriter(this.#folder, maxBytes, {
      isClosed: this.#isClosed,
      patience: () => this.#writer.patience(),
    })
  }

  room(sizeBytes: number): StoreFailure | undefined | Promise<StoreFailure | undefined> {
    return this.#writer.failure ?? this.#lowWater.check(sizeBytes)
  }

  async accept(message: AcceptMessage): Promise<Stored<readonly AcceptedEntry[]>> {
    const full = await this.#lowWater.check()
    if (full !== undefined) return { ok: false, failure: full }
    const { operation, blobs } = acceptOperation(message)
    const outcome = await this.#writer.call<readonly [number, string, number][]>(operation, blobs)
    settleBody(message, outcome)
    if (!outcome.ok) return { ok: false, failure: storeFailure(outcome.refusal) }
    const value = outcome.value.map(([owner, mailbox, uid]) => ({ owner: owner as AccountId, mailbox, uid }))
    return { ok: true, value }
  }

  trace(traceId: TraceId, events: readonly TraceEvent[]): void {
    // What is refused for want of room must not use up the room.
    if (events.length === 0 || this.#lowWater.checkFile() !== undefined) return
    this.#writer.postIfRoom({ op: 'trace', trace: traceRows(traceId, events, this.#now()) })
  }
}

/** A message as the writer takes it. Blobs before those of the body: none. */
export function acceptOperation(message: AcceptMessage): {
  readonly operation: AcceptOperation
  readonly blobs: Call['blobs']
} {
  const { deliveries, hold, queue, receivedAtMs, reversePath } = message
  const { row, blobs } = contentOf(message.body).row(message.prefix, 0)
  const trace = traceRows(message.traceId, message.trace, receivedAtMs)
  const senders = reversePath === null ? '' : addressKey(reversePath)
  const recipients = deliveries.map(({ recipient }) => addressKey(recipient))
  if (queue !== undefined) recipients.push(...queue.recipients.map(({ address }) => addressKey(address)))
  const operation: AcceptOperation = {
    op: 'accept',
    trace: {
      ...trace,
      senders: joinLines(trace.senders, senders),
      recipients: joinLines(trace.recipients, ...recipients),
    },
    body: row,
    receivedMs: receivedAtMs,
    deliveries: deliveries.map(deliveryRow),
    queue: queue === undefined ? null : queueRow(queue),
    reported: message.reported === undefined ? null : reportedRow(message.reported),
    hold: hold === undefined ? null : holdRow(message, hold, row),
  }
  return { operation, blobs }
}

function deliveryRow({ flags, mailbox, owner, specialUse }: Delivery): DeliveryRow {
  return { owner, mailbox, use: specialUse ?? null, flags: flagNamesOf(flags) }
}

function holdRow(message: AcceptMessage, hold: NewHold, { messageId, references }: BodyRow): HoldRow {
  const { deliveries, queue, reversePath } = message
  const recipients: HeldRecipientRow[] = [
    ...deliveries.map(({ owner, recipient }) => [formatAddress(recipient), owner] as const),
    ...(queue?.recipients ?? []).map(({ address }) => [formatAddress(address), null] as const),
  ]
  const plan: HoldPlan = {
    deliveries: deliveries.map(deliveryRow),
    queue: queue === undefined ? null : queueRow(queue),
    ...{ messageId, references, recipients },
  }
  return {
    untilMs: hold.untilMs,
    sender: reversePath === null ? '' : formatAddress(reversePath),
    network: budgetKey(hold.client),
    hold: JSON.stringify(hold),
    plan: JSON.stringify(plan),
    recipients,
  }
}

/** After the commit: the file of a body that nothing names (not delivered, queued or held) is not the store's. */
export function settleBody(message: AcceptMessage, outcome: Outcome<unknown>): void {
  const content = contentOf(message.body)
  if (!outcome.ok) {
    if (outcome.refusal.kind === 'io') content.uncertain()
  } else if (isNamedBy(message)) content.stored()
  else content.discard()
}

function isNamedBy({ deliveries, hold, queue }: AcceptMessage): boolean {
  return deliveries.length > 0 || queue !== undefined || hold !== undefined
}

export function flagNamesOf(names: readonly string[]): FlagNames {
  const set = makeFlagSet(names)
  assert(set !== undefined, `flags are checked before they reach the store: ${names.join(' ')}`)
  return { system: set.system, keywords: set.keywords }
}

function queueRow(queue: NewQueueItem): QueueRow {
  return {
    sender: JSON.stringify(queue.sender),
    nextMs: queue.nextAttemptAtMs,
    skip: queue.skipBytes,
    recipients: queue.recipients.map(({ address, notify, orcpt }) => ({
      address: JSON.stringify([address.local, address.domain]),
      detail: JSON.stringify({ notify, orcpt }),
    })),
  }
}

/** A trace's rows; the addresses in its events are what it is found by. */
export function traceRows(id: TraceId, events: readonly TraceEvent[], nowMs: number): TraceRows {
  const senders: string[] = []
  const recipients: string[] = []
  for (const event of events) {
    if (event.kind === 'sender') senders.push(event.reversePath.toLowerCase())
    // By what was asked for and by where it went: an alias is not what a person looks for in an account's mail.
    else if (event.kind === 'recipient')
      recipients.push(...[event.address, ...(event.to ?? [])].map((address) => address.toLowerCase()))
  }
  return {
    id,
    atMs: events[0]?.atMs ?? nowMs,
    events: JSON.stringify(events),
    senders: joinLines(...senders),
    recipients: joinLines(...recipients),
  }
}

/** Bounded: a hostile session may name thousands of recipients. */
const FOUND_BY_CHARS = 20_000

function joinLines(...texts: readonly string[]): string {
  return [...new Set(texts)]
    .filter((text) => text !== '')
    .join('\n')
    .slice(0, FOUND_BY_CHARS)
}

/** Answers of the writer in the words of `StoreFailure`. */
export function storeFailure(refusal: Refusal): StoreFailure {
  if ('cause' in refusal) return refusal
  return {
    kind: refusal.kind === 'no-such-mailbox' ? 'no-such-mailbox' : 'io',
    cause: `${refusal.kind}: ${refusal.what}`,
  }
}
