import { formatAddress } from '../../mail/address.ts'
import type { QueueId } from '../../mail/ids.ts'
import { formatReply } from '../../mail/reply.ts'
import type { TraceFact } from '../../mail/trace.ts'
import type { QueueItem, QueueRecipient, RecipientOutcome } from '../../ports/queue.ts'
import {
  type Operation,
  type OperationArgs,
  type OperationPorts,
  type OperationResult,
  refused,
  said,
  textArg,
} from './operation.ts'

/** Lines of `queue list`; more is said, not shown. */
const MAX_LISTED = 1_000

export const queueList: Operation = async (ports) => {
  const items = await ports.queue.list({ limit: MAX_LISTED + 1 })
  if (items.length === 0) return said('The queue is empty.')
  const lines = items.slice(0, MAX_LISTED).flatMap(itemLines)
  return said(...lines, ...(items.length > MAX_LISTED ? [`… and more than ${MAX_LISTED} messages.`] : []))
}

export const queueShow: Operation = async (ports, args) => {
  const item = await itemOf(ports, args)
  return item === undefined
    ? refused(noSuchItem(args))
    : said(
        ...itemLines(item),
        `    size ${item.sizeBytes} octets, \`hikyaku trace ${item.traceId}\` tells all`,
      )
}

/** `queue retry ID|all`: due now. */
export const queueRetry: Operation = (ports, args) =>
  change(ports, args, {
    state: 'waiting',
    fact: { kind: 'retry-asked', by: 'the operator' },
    done: 'is tried again now',
  })

/** `queue cancel ID`: nobody is told; the sender is the operator's to tell. */
export const queueCancel: Operation = (ports, args) =>
  change(ports, args, { state: 'cancelled', fact: undefined, done: 'was taken out of the queue' })

async function change(
  ports: OperationPorts,
  args: OperationArgs,
  to: {
    readonly state: RecipientOutcome['state']
    readonly fact: TraceFact | undefined
    readonly done: string
  },
): Promise<OperationResult> {
  const all = textArg(args, 'id') === 'all' && to.state === 'waiting'
  const items = all
    ? await ports.queue.list({ limit: MAX_LISTED })
    : [await itemOf(ports, args)].filter((item) => item !== undefined)
  if (items.length === 0) return all ? said('The queue is empty.') : refused(noSuchItem(args))
  const nowMs = ports.clock.now()
  const lines: string[] = []
  for (const item of items) {
    const open = item.recipients.filter(({ state }) => state === 'waiting')
    const fact: TraceFact = to.fact ?? {
      kind: 'cancelled',
      by: 'the operator',
      recipients: open.map(({ address }) => formatAddress(address)),
    }
    const outcomes = open.map((recipient) => ({ ...recipient, state: to.state, nextAttemptAtMs: nowMs }))
    const recorded = await ports.queue.record({ id: item.id, outcomes, trace: [{ atMs: nowMs, ...fact }] })
    if (!recorded.ok) return refused(`The queue could not be changed: ${recorded.failure.cause}.`)
    lines.push(`${item.traceId} ${to.done}.`)
  }
  return said(...lines)
}

/** By trace id, as it is shown everywhere, or by the queue's own number. */
async function itemOf(ports: OperationPorts, args: OperationArgs): Promise<QueueItem | undefined> {
  const text = textArg(args, 'id') ?? ''
  if (/^\d{1,15}$/.test(text)) return ports.queue.get(Number(text) as QueueId)
  const items = await ports.queue.list({ limit: 100_000 })
  return items.find(({ traceId }) => traceId === text)
}

function itemLines(item: QueueItem): string[] {
  const sender = item.sender.reversePath === null ? '<>' : formatAddress(item.sender.reversePath)
  return [
    `${item.traceId}  ${new Date(item.arrivedAtMs).toISOString()}  from ${sender}`,
    ...item.recipients.map(recipientLine),
  ]
}

function recipientLine(recipient: QueueRecipient): string {
  const { address, state, attempts, nextAttemptAtMs, lastReply } = recipient
  const next = state === 'waiting' ? `, next attempt ${new Date(nextAttemptAtMs).toISOString()}` : ''
  const said = lastReply === undefined ? '' : `, last answer: ${formatReply(lastReply)}`
  return `    to ${formatAddress(address)}: ${state}, ${attempts} attempts${next}${said}`
}

function noSuchItem(args: OperationArgs): string {
  return `There is no message ${textArg(args, 'id') ?? ''} in the queue; \`hikyaku queue list\` shows those that are.`
}
