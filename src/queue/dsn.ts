import { formatAddress } from '../mail/address.ts'
import type { EnvelopeSender, Notify } from '../mail/envelope.ts'
import { makeTraceId } from '../mail/ids.ts'
import type { TraceEvent } from '../mail/trace.ts'
import { composeDeliveryReport, type ReportAction, type ReportedRecipient } from '../mime/delivery-report.ts'
import type { Clock } from '../ports/clock.ts'
import type { Directory } from '../ports/directory.ts'
import type { QueueItem, QueueRecipient, QueueStore } from '../ports/queue.ts'
import type { Random } from '../ports/random.ts'
import type { AcceptMessage, Intake } from '../ports/store.ts'
import { MAX_DSN_FULL_BYTES, MAX_DSN_HEADER_BYTES } from './limits.ts'

export interface DsnPorts {
  readonly queue: QueueStore
  readonly intake: Intake
  readonly directory: Directory
  readonly clock: Clock
  readonly random: Random
}

export interface DsnRequest {
  readonly item: QueueItem
  readonly action: ReportAction
  readonly recipients: readonly ReportedRecipient[]
  readonly hostname: string
  readonly willRetryUntilMs?: number | undefined
}

/** The report could not be staged: a full disk, say. To be tried again. */
export class DsnFault extends Error {
  override readonly name = 'DsnFault'
}

/** rfc3461 §4.1: whether the sender wants to hear this of this recipient. */
export function wantsReport(
  sender: EnvelopeSender,
  recipient: Pick<QueueRecipient, 'notify'>,
  action: ReportAction,
): boolean {
  // A report about a report would go in circles (rfc3461 §6.1).
  if (sender.reversePath === null || recipient.notify === 'NEVER') return false
  return listed(recipient.notify, action)
}

function listed(notify: Exclude<Notify, 'NEVER'> | undefined, action: ReportAction): boolean {
  switch (action) {
    case 'failed':
      return notify === undefined || notify.includes('FAILURE')
    case 'delayed':
      return notify === undefined || notify.includes('DELAY')
    case 'delivered':
    case 'relayed':
      return notify?.includes('SUCCESS') === true
  }
}

/**
 * The report as a message for the store, to be committed together with the outcomes that it tells. undefined
 * where nobody can be told: an address of ours that is gone. Throws `DsnFault` where the store can't take it now.
 */
export async function makeDsn(ports: DsnPorts, request: DsnRequest): Promise<AcceptMessage | undefined> {
  const { item, hostname, action } = request
  const to = item.sender.reversePath
  if (to === null) return undefined
  const nowMs = ports.clock.now()
  const traceId = makeTraceId(nowMs, ports.random.bytes(10))
  const resolution = ports.directory.resolve(to)
  const local = resolution.kind === 'local' ? resolution.accounts : []
  const remote = resolution.kind === 'local' ? resolution.remote : resolution.kind === 'not-ours' ? [to] : []
  if (local.length === 0 && remote.length === 0) return undefined
  const content = composeDeliveryReport({
    action,
    to,
    hostname,
    arrivedAtMs: item.arrivedAtMs,
    nowMs,
    zoneMinutes: ports.clock.zoneMinutes(nowMs),
    willRetryUntilMs: request.willRetryUntilMs,
    envid: item.sender.envid,
    recipients: request.recipients,
    original: await original(ports.queue, item, action),
    unique: traceId,
  })
  const writer = ports.intake.body(content.length)
  await writer.write(content)
  const staged = await writer.finish()
  if (!staged.ok) throw new DsnFault(staged.failure.cause)
  const sender: EnvelopeSender = {
    reversePath: null,
    bodyType: '8BITMIME',
    smtputf8: request.recipients.some(({ address }) => /[^\u0000-\u007f]/.test(address.local)),
  }
  const returnPath = Buffer.from('Return-Path: <>\r\n')
  const trace: TraceEvent[] = [
    { atMs: nowMs, kind: 'sender', reversePath: '' },
    {
      atMs: nowMs,
      kind: 'recipient',
      address: formatAddress(to),
      as: local.length > 0 ? 'account' : 'remote',
    },
    { atMs: nowMs, kind: 'decision', action: 'accept', rule: `dsn:${action}` },
  ]
  return {
    traceId,
    trace,
    body: staged.value,
    prefix: returnPath,
    reversePath: null,
    receivedAtMs: nowMs,
    deliveries: local.map(({ account }) => ({ owner: account, mailbox: 'INBOX', flags: [], recipient: to })),
    queue:
      remote.length === 0
        ? undefined
        : {
            sender,
            skipBytes: returnPath.length,
            recipients: remote.map((address) => ({ address })),
            nextAttemptAtMs: nowMs,
          },
  }
}

/** The whole message comes back only where it failed, is small, and the sender did not ask for less (rfc3461 §4.3). */
async function original(
  queue: QueueStore,
  item: QueueItem,
  action: ReportAction,
): Promise<{ readonly kind: 'header' | 'full'; readonly octets: Uint8Array }> {
  const full = action === 'failed' && item.sender.ret !== 'HDRS' && item.sizeBytes <= MAX_DSN_FULL_BYTES
  if (!full)
    return { kind: 'header', octets: (await queue.readHeader(item.id)).subarray(0, MAX_DSN_HEADER_BYTES) }
  const pieces: Uint8Array[] = []
  for await (const piece of queue.read(item.id)) pieces.push(piece)
  return { kind: 'full', octets: Buffer.concat(pieces) }
}
