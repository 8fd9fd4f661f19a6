import { assert } from '../../mail/assert.ts'
import type { Reply } from '../../mail/reply.ts'
import { isPositive, reply } from '../../mail/reply.ts'
import { mailCommand, rcptCommand, unfit } from './client-commands.ts'
import { sendBdat, sendData } from './client-content.ts'
import type { ClientContext, ClientFlow, Failure } from './client-context.ts'
import { isFailure, localFailure, misplaced } from './client-context.ts'
import { reset } from './client-reset.ts'
import type { OutboundTransaction } from './client-types.ts'
import { Progress } from './progress.ts'

/* One message: envelope, content, and what became of each recipient. */

interface Command {
  readonly stage: 'mail' | 'rcpt' | 'data'
  /** Of the recipient, for 'rcpt'. */
  readonly index: number
  readonly text: string
}

/** Tells exactly one 'result'. A failure means that the connection is of no more use. */
export function* sendMessage(
  c: ClientContext,
  transaction: OutboundTransaction,
): ClientFlow<Failure | undefined> {
  assert(transaction.recipients.length > 0, 'a message without recipients')
  const progress = new Progress(transaction.recipients)
  const failure = yield* transact(c, transaction, progress)
  yield* c.wire.tell({ kind: 'result', result: progress.finish(failure) })
  return failure
}

function* transact(
  c: ClientContext,
  transaction: OutboundTransaction,
  progress: Progress,
): ClientFlow<Failure | undefined> {
  const reason = unfit(transaction, c.peer, c.messagesSent)
  if (reason !== undefined) {
    progress.settleAll({ stage: 'check', from: 'local', reply: reason })
    return undefined
  }
  const byBdat = c.options.chunking && c.peer.chunking
  const failure = yield* sendEnvelope(c, envelopeCommands(c, transaction, progress, byBdat), progress)
  if (failure !== undefined) return failure
  if (progress.accepted.length === 0) return yield* giveUp(c, progress)
  if (byBdat) return yield* sendBdat(c, progress)
  return yield* startData(c, progress)
}

function envelopeCommands(
  c: ClientContext,
  transaction: OutboundTransaction,
  progress: Progress,
  byBdat: boolean,
): Command[] {
  const commands: Command[] = [{ stage: 'mail', index: -1, text: mailCommand(transaction, c.peer) }]
  const max = c.peer.rcptMax ?? Number.MAX_SAFE_INTEGER
  for (const [index, recipient] of transaction.recipients.entries()) {
    if (index < max) commands.push({ stage: 'rcpt', index, text: rcptCommand(recipient, c.peer) })
    // rfc9422 §4.2: the rest goes in another transaction.
    else progress.settle(index, { stage: 'check', from: 'local', reply: tooMany(max) })
  }
  // rfc2920 §3.1: DATA may be the last of a group.
  if (pipelines(c) && !byBdat) commands.push({ stage: 'data', index: -1, text: 'DATA' })
  return commands
}

function tooMany(max: number): Reply {
  return reply(452, '4.5.3', `The server takes ${max} recipients in a message`)
}

function pipelines(c: ClientContext): boolean {
  return c.options.pipelining && c.peer.pipelining
}

function* sendEnvelope(
  c: ClientContext,
  commands: readonly Command[],
  progress: Progress,
): ClientFlow<Failure | undefined> {
  const window = pipelines(c) ? c.limits.pipelinedCommands : 1
  for (let at = 0; at < commands.length; at += window) {
    if (progress.mail !== undefined && !isPositive(progress.mail)) return undefined
    const unasked = c.unasked(commands[at]?.stage ?? 'mail')
    if (unasked !== undefined) return unasked
    const group = commands.slice(at, at + window)
    for (const { text } of group) c.command(text)
    for (const command of group) {
      const said = yield* c.reply(command.stage, timeLimit(c, command.stage))
      if (isFailure(said)) return said
      const wrong = command.stage === 'data' ? undefined : misplaced(command.stage, said)
      if (wrong !== undefined) return wrong
      note(command, said, progress)
    }
  }
  return undefined
}

function timeLimit({ limits }: ClientContext, stage: Command['stage']): number {
  return stage === 'mail' ? limits.mailMs : stage === 'rcpt' ? limits.rcptMs : limits.dataMs
}

function note({ stage, index }: Command, said: Reply, progress: Progress): void {
  if (stage === 'data') progress.data = said
  else if (stage === 'mail') {
    progress.mail = said
    if (!isPositive(said)) progress.settleAll({ stage, from: 'peer', reply: said })
  } else if (isPositive(said)) progress.accept(index)
  else progress.settle(index, { stage, from: 'peer', reply: said })
}

/** Nobody takes the message: the transaction must be closed, so that the next one can begin. */
function* giveUp(c: ClientContext, progress: Progress): ClientFlow<Failure | undefined> {
  if (progress.data?.code === 354) {
    // rfc2920 §3.1: the server waits for content although it has no recipient; it gets none.
    c.wire.gather(Buffer.from('.\r\n'))
    const said = yield* c.reply('end-of-data', c.limits.endOfDataMs)
    return isFailure(said) ? said : undefined
  }
  const open = progress.mail !== undefined && isPositive(progress.mail)
  return open ? yield* reset(c) : undefined
}

function* startData(c: ClientContext, progress: Progress): ClientFlow<Failure | undefined> {
  if (progress.data === undefined) {
    const said = yield* c.exchange('data', 'DATA', c.limits.dataMs)
    if (isFailure(said)) return said
    progress.data = said
  }
  const said = progress.data
  if (said.code === 354) return yield* sendData(c, progress)
  if (isPositive(said))
    return localFailure('data', reply(451, '4.5.0', 'The server broke the protocol: DATA without 354'))
  progress.settleAll({ stage: 'data', from: 'peer', reply: said })
  return yield* reset(c)
}
