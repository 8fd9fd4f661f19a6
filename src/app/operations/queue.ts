import { visible } from '../../bytes/ascii.ts'
import { formatAddress } from '../../mail/address.ts'
import type { QueueId } from '../../mail/ids.ts'
import { formatReply } from '../../mail/reply.ts'
import type { TraceFact } from '../../mail/trace.ts'
import type { QueueItem, QueueRecipient, QueueStore, RecipientOutcome } from '../../ports/queue.ts'
import {
  type Operation,
  type OperationArgs,
  type OperationPorts,
  type OperationResult,
  refused,
  said,
  textArg,
  timeText,
} from './operation.ts'

/** Messages of `queue list`; more is said, not shown. */
const MAX_LISTED = 1_000
const HELD_LINES: readonly string[] = [
  'What is held came out of a backup and may have gone out before it was restored: `hikyaku queue retry ID` sends it, `hikyaku queue cancel ID` takes it out.',
]
/** Messages read at once: a queue of a hundred thousand is never in memory as a whole. */
const PAGE = 500

export const queueList: Operation = async (ports) => {
  const items = await ports.queue.list({ limit: MAX_LISTED + 1 })
  if (items.length === 0) return said('The queue is empty.')
  const lines = items.slice(0, MAX_LISTED).flatMap((item) => itemLines(ports, item))
  const more = items.length > MAX_LISTED ? [`… and more than ${MAX_LISTED} messages.`] : []
  const isHeld = items.some((item) => item.recipients.some(({ state }) => state === 'held'))
  return said(...lines, ...more, ...(isHeld ? HELD_LINES : []))
}

export const queueShow: Operation = async (ports, args) => {
  const item = await itemOf(ports, args)
  return item === undefined
    ? refused(noSuchItem(args))
    : said(
        ...itemLines(ports, item),
        `    size ${item.sizeBytes} octets, \`hikyaku trace ${item.traceId}\` tells all`,
      )
}

/** `queue retry ID|all`: due now. */
export const queueRetry: Operation = async (ports, args) => {
  if (textArg(args, 'id') !== 'all') return change(ports, args, RETRY)
  let count = 0
  for await (const item of allItems(ports.queue)) {
    const failure = await changeItem(ports, item, RETRY)
    if (failure !== undefined) return refused(`${failure} Before it ${count} were set to be tried again.`)
    count++
  }
  if (count === 0) return said('The queue is empty.')
  return said(
    count === 1 ? `1 message is ${retryText(ports)}.` : `${count} messages are ${retryText(ports)}.`,
  )
}

/** `queue cancel ID`: nobody is told; the sender is the operator's to tell. An attempt under way still goes to its end. */
export const queueCancel: Operation = (ports, args) => change(ports, args, CANCEL)

interface Change {
  readonly state: RecipientOutcome['state']
  /** What to say of the message: `ID …`. */
  done(ports: OperationPorts): string
  fact(open: readonly QueueRecipient[]): TraceFact
}

const RETRY: Change = {
  state: 'waiting',
  done: (ports) => `is ${retryText(ports)}`,
  fact: () => ({ kind: 'retry-asked', by: 'the operator' }),
}

const CANCEL: Change = {
  state: 'cancelled',
  done: () => 'was taken out of the queue',
  fact: (open) => ({
    kind: 'cancelled',
    by: 'the operator',
    recipients: open.map(({ address }) => formatAddress(address)),
  }),
}

async function change(ports: OperationPorts, args: OperationArgs, to: Change): Promise<OperationResult> {
  const item = await itemOf(ports, args)
  if (item === undefined) return refused(noSuchItem(args))
  const failure = await changeItem(ports, item, to)
  return failure === undefined ? said(`${item.traceId} ${to.done(ports)}.`) : refused(failure)
}

/** @returns a sentence where it could not be done. */
async function changeItem(ports: OperationPorts, item: QueueItem, to: Change): Promise<string | undefined> {
  const nowMs = ports.clock.now()
  const open = item.recipients.filter(({ state }) => state === 'waiting' || state === 'held')
  const outcomes = open.map((recipient) => ({ ...recipient, state: to.state, nextAttemptAtMs: nowMs }))
  const trace = [{ atMs: nowMs, ...to.fact(open) }]
  const recorded = await ports.queue.record({ id: item.id, outcomes, trace })
  return recorded.ok ? undefined : `The queue could not be changed: ${recorded.failure.cause}.`
}

/** By trace id, as it is shown everywhere, or by the queue's own number. */
async function itemOf(ports: OperationPorts, args: OperationArgs): Promise<QueueItem | undefined> {
  const text = textArg(args, 'id') ?? ''
  if (/^\d{1,15}$/.test(text)) return ports.queue.get(Number(text) as QueueId)
  for await (const item of allItems(ports.queue)) if (item.traceId === text) return item
  return undefined
}

async function* allItems(queue: QueueStore): AsyncGenerator<QueueItem> {
  let after: QueueId | undefined
  for (;;) {
    const page = await queue.list({ limit: PAGE, after })
    yield* page
    after = page.at(-1)?.id
    if (page.length < PAGE || after === undefined) return
  }
}

/** Nothing goes out before there is a server to send it. */
function retryText({ runner }: OperationPorts): string {
  return runner === undefined ? 'due when the server starts' : 'tried again now'
}

function itemLines(ports: OperationPorts, item: QueueItem): string[] {
  const sender = item.sender.reversePath === null ? '<>' : formatAddress(item.sender.reversePath)
  return [
    `${item.traceId}  ${timeText(ports, item.arrivedAtMs)}  from ${visible(sender)}`,
    ...item.recipients.map((recipient) => recipientLine(ports, item, recipient)),
  ]
}

/** Addresses and replies are others' words, and this is printed on a terminal. */
function recipientLine(ports: OperationPorts, item: QueueItem, recipient: QueueRecipient): string {
  const { address, state, attempts, lastReply, lastHost } = recipient
  const tries = attempts === 1 ? '1 attempt' : `${attempts} attempts`
  const from = lastHost === undefined ? '' : ` of ${lastHost}`
  const answer = lastReply === undefined ? '' : `, last answer${from}: ${formatReply(lastReply)}`
  const cause = lastReply?.cause === undefined ? '' : ` (${lastReply.cause})`
  const next = state === 'waiting' ? `, ${nextText(ports, item, recipient)}` : ''
  return `    to ${visible(`${formatAddress(address)}: ${state}, ${tries}${next}${answer}${cause}`)}`
}

function nextText(ports: OperationPorts, item: QueueItem, { nextAttemptAtMs }: QueueRecipient): string {
  const isDue = nextAttemptAtMs <= ports.clock.now()
  if (isDue && ports.runner === undefined) return 'due when the server starts'
  if (isDue && ports.runner?.isTrying(item.id) === true) return 'being tried now'
  return `next attempt ${timeText(ports, nextAttemptAtMs)}`
}

function noSuchItem(args: OperationArgs): string {
  return `There is no message ${textArg(args, 'id') ?? ''} in the queue; \`hikyaku queue list\` shows those that are.`
}
