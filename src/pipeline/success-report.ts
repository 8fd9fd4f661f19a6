import { formatAddress } from '../mail/address.ts'
import type { EnvelopeSender } from '../mail/envelope.ts'
import { makeTraceId, type TraceId } from '../mail/ids.ts'
import { reply } from '../mail/reply.ts'
import { composeDeliveryReport, isGlobalReport } from '../mime/delivery-report.ts'
import type { StagedBody } from '../ports/store.ts'
import type { Accepted } from './accepted.ts'
import { sendOwnMail } from './own-mail.ts'
import type { PipelinePorts } from './ports.ts'

/** A message that has just been stored. */
export interface Delivered {
  readonly traceId: TraceId
  readonly sender: EnvelopeSender
  readonly accepted: readonly Accepted[]
  readonly body: StagedBody
  readonly nowMs: number
  /** Something vouches for the envelope sender: our own people's log-in, SPF, DMARC. A forged one would have us mail a stranger. */
  readonly isSenderVouched: boolean
}

/**
 * Tells the sender that the message is in a mailbox here, where NOTIFY=SUCCESS asked for it (rfc3461 §5.2.3).
 * Called after the commit: whatever goes wrong, the message itself is delivered.
 */
export async function reportSuccess(ports: PipelinePorts, message: Delivered): Promise<void> {
  const asked = message.accepted.filter(isAskedFor)
  const to = message.sender.reversePath
  // A report about a report would go in circles (rfc3461 §6.1).
  if (asked.length === 0 || to === null) return
  try {
    await report(ports, message, { asked, to })
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error)
    ports.log.event('server.fault', { where: 'success report', cause }, message.traceId)
  }
}

function isAskedFor({ local, notify }: Accepted): boolean {
  return local.length > 0 && notify !== undefined && notify !== 'NEVER' && notify.includes('SUCCESS')
}

async function report(
  ports: PipelinePorts,
  { traceId, sender, body, nowMs, isSenderVouched }: Delivered,
  {
    asked,
    to,
  }: { readonly asked: readonly Accepted[]; readonly to: NonNullable<EnvelopeSender['reversePath']> },
): Promise<void> {
  const { clock, directory, intake, log, random } = ports
  const place = directory.resolve(to)
  const local = place.kind === 'local' ? place.accounts : []
  const remote = !isSenderVouched
    ? []
    : place.kind === 'local'
      ? place.remote
      : place.kind === 'not-ours'
        ? [to]
        : []
  if (local.length === 0 && remote.length === 0) return
  const reportId = makeTraceId(nowMs, random.bytes(10))
  const told = {
    to,
    hostname: ports.settings().hostname,
    arrivedAtMs: nowMs,
    nowMs,
    zoneMinutes: clock.zoneMinutes(nowMs),
    envid: sender.envid,
    smtputf8: sender.smtputf8,
    recipients: asked.map(({ address, orcpt }) => ({
      address,
      orcpt,
      action: 'delivered' as const,
      reply: reply(250, '2.1.5', 'Delivered to the mailbox'),
    })),
    original: { kind: 'header' as const, octets: body.header },
    unique: reportId,
  }
  const content = composeDeliveryReport(told)
  const address = formatAddress(to)
  const stored = await sendOwnMail(intake, {
    traceId: reportId,
    content,
    to: [to],
    local,
    remote,
    rule: 'dsn:delivered',
    smtputf8: isGlobalReport(told),
    nowMs,
  })
  if (!stored.ok) throw new Error(stored.failure.cause)
  intake.trace(traceId, [{ atMs: nowMs, kind: 'dsn', action: 'delivered', to: address, traceId: reportId }])
  log.event('queue.dsn', { action: 'delivered', to: address, dsn: reportId }, traceId)
}
