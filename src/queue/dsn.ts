import { type Address, formatAddress, needsUtf8 } from '../mail/address.ts'
import type { EnvelopeSender } from '../mail/envelope.ts'
import { makeTraceId } from '../mail/ids.ts'
import type { TraceEvent } from '../mail/trace.ts'
import { composeDeliveryReport, isGlobalReport } from '../mime/delivery-report.ts'
import type { ReportedRecipient } from '../mime/delivery-report-types.ts'
import type { Clock } from '../ports/clock.ts'
import type { Directory } from '../ports/directory.ts'
import type { QueueItem, QueueStore } from '../ports/queue.ts'
import type { Random } from '../ports/random.ts'
import type { AcceptMessage, Intake, StagedBody } from '../ports/store.ts'
import { MAX_DSN_FULL_BYTES } from './limits.ts'

export interface DsnPorts {
  readonly queue: QueueStore
  readonly intake: Intake
  readonly directory: Directory
  readonly clock: Clock
  readonly random: Random
}

export interface DsnRequest {
  readonly item: QueueItem
  /** At least one. */
  readonly recipients: readonly ReportedRecipient[]
  readonly hostname: string
}

export type MadeDsn =
  | { readonly kind: 'made'; readonly message: AcceptMessage; readonly to: string }
  /** An address of ours that is gone, or leads nowhere. */
  | { readonly kind: 'nobody'; readonly to: string }
  /** The report could not be staged: a full disk, say. To be tried again. */
  | { readonly kind: 'fault'; readonly cause: string }

/** The report as a message for the store, to be committed together with the outcomes that it tells. */
export async function makeDsn(ports: DsnPorts, request: DsnRequest): Promise<MadeDsn> {
  const { item, recipients, hostname } = request
  const to = item.sender.reversePath
  if (to === null) return { kind: 'nobody', to: '<>' }
  const nowMs = ports.clock.now()
  const place = placeOf(ports.directory, to)
  if (place.local.length === 0 && place.remote.length === 0) return { kind: 'nobody', to: formatAddress(to) }
  const traceId = makeTraceId(nowMs, ports.random.bytes(10))
  const report = {
    to,
    hostname,
    arrivedAtMs: item.arrivedAtMs,
    nowMs,
    zoneMinutes: ports.clock.zoneMinutes(nowMs),
    envid: item.sender.envid,
    smtputf8: item.sender.smtputf8 || needsUtf8(to),
    recipients,
    original: await original(ports.queue, request),
    unique: traceId,
  }
  const content = composeDeliveryReport(report)
  const writer = ports.intake.body(content.length)
  await writer.write(content)
  const staged = await writer.finish()
  if (!staged.ok) return { kind: 'fault', cause: staged.failure.cause }
  const sender: EnvelopeSender = {
    reversePath: null,
    bodyType: '8BITMIME',
    smtputf8: isGlobalReport(report),
  }
  const actions = [...new Set(recipients.map(({ action }) => action))].join('+')
  const message = asMessage(staged.value, { to, place, sender, traceId, nowMs, rule: `dsn:${actions}` })
  return { kind: 'made', message, to: formatAddress(to) }
}

interface Place {
  readonly local: readonly AcceptMessage['deliveries'][number]['owner'][]
  readonly remote: readonly Address[]
}

function placeOf(directory: Directory, to: Address): Place {
  const found = directory.resolve(to)
  if (found.kind === 'not-ours') return { local: [], remote: [to] }
  if (found.kind !== 'local') return { local: [], remote: [] }
  return { local: found.accounts.map(({ account }) => account), remote: found.remote }
}

function asMessage(
  body: StagedBody,
  as: {
    readonly to: Address
    readonly place: Place
    readonly sender: EnvelopeSender
    readonly traceId: AcceptMessage['traceId']
    readonly nowMs: number
    readonly rule: string
  },
): AcceptMessage {
  const { to, place, sender, traceId, nowMs, rule } = as
  const returnPath = Buffer.from('Return-Path: <>\r\n')
  const kind = place.local.length > 0 ? 'account' : 'remote'
  const trace: TraceEvent[] = [
    { atMs: nowMs, kind: 'sender', reversePath: '' },
    { atMs: nowMs, kind: 'recipient', address: formatAddress(to), as: kind },
    { atMs: nowMs, kind: 'decision', action: 'accept', rule },
  ]
  return {
    ...{ traceId, trace, body },
    prefix: returnPath,
    reversePath: null,
    receivedAtMs: nowMs,
    deliveries: place.local.map((owner) => ({ owner, mailbox: 'INBOX', flags: [], recipient: to })),
    queue:
      place.remote.length === 0
        ? undefined
        : {
            sender,
            skipBytes: returnPath.length,
            recipients: place.remote.map((address) => ({ address })),
            nextAttemptAtMs: nowMs,
          },
  }
}

/** The whole message comes back only where it failed, is small, and the sender did not ask for less (rfc3461 §4.3). */
async function original(
  queue: QueueStore,
  { item, recipients }: DsnRequest,
): Promise<{ readonly kind: 'header' | 'full'; readonly octets: Uint8Array }> {
  const hasFailed = recipients.some(({ action }) => action === 'failed')
  const isFull = hasFailed && item.sender.ret !== 'HDRS' && item.sizeBytes <= MAX_DSN_FULL_BYTES
  const whole = isFull ? await wholeOf(queue, item) : undefined
  if (whole !== undefined) return { kind: 'full', octets: whole }
  try {
    return { kind: 'header', octets: await queue.readHeader(item.id) }
  } catch {
    // Damaged, cancelled meanwhile, or the disk can't be read: the sender is told all the same.
    return { kind: 'header', octets: new Uint8Array(0) }
  }
}

/** undefined where it can't be read now: its header, which says which message it was, may be read all the same. */
async function wholeOf(queue: QueueStore, { id }: QueueItem): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = []
  try {
    for await (const piece of queue.read(id)) pieces.push(piece)
  } catch {
    return undefined
  }
  return Buffer.concat(pieces)
}
