import { assert } from '../../mail/assert.ts'
import type { Reply } from '../../mail/reply.ts'
import { isPositive, reply } from '../../mail/reply.ts'
import type { ClientContext, ClientFlow, Failure } from './client-context.ts'
import { isFailure, localFailure, misplaced, peerFailure } from './client-context.ts'
import { reset } from './client-reset.ts'
import { ContentEncoder } from './data.ts'
import type { Progress } from './progress.ts'

/* The content of a message on its way out, and the replies to its end. */

/** Sends after 354. No half message can be taken for a whole one: without its last dot it is none. */
export function* sendData(c: ClientContext, progress: Progress): ClientFlow<Failure | undefined> {
  const encoder = new ContentEncoder('dot')
  for (;;) {
    const interrupted = yield* checkInterrupted(c)
    if (interrupted !== undefined) return interrupted
    const piece = yield* nextPiece(c)
    if (piece === 'abort') return unreadable()
    const out: Buffer[] = []
    if (piece !== 'end') encoder.encode(piece, out)
    else encoder.finish(out)
    for (const bytes of out) c.wire.gather(bytes)
    if (piece === 'end') return yield* readEnd(c, progress)
    c.wire.timer.start(c.limits.dataBlockMs)
    yield* c.wire.flush()
  }
}

/** rfc3030 §2: each chunk is answered; a refused one ends the transaction. */
export function* sendBdat(c: ClientContext, progress: Progress): ClientFlow<Failure | undefined> {
  const encoder = new ContentEncoder('counted')
  let held: Buffer[] = []
  let heldBytes = 0
  for (;;) {
    const piece = yield* nextPiece(c)
    if (piece === 'abort') return unreadable()
    if (heldBytes >= c.limits.chunkBytes && piece !== 'end') {
      const refused = yield* sendChunk(c, held, heldBytes, progress)
      if (refused !== 'taken') return refused
      held = []
    }
    if (piece === 'end') encoder.finish(held)
    else encoder.encode(piece, held)
    heldBytes = held.reduce((sum, bytes) => sum + bytes.length, 0)
    if (piece !== 'end') continue
    const unasked = c.unasked('data')
    if (unasked !== undefined) return unasked
    gatherChunk(c, `BDAT ${heldBytes} LAST`, held)
    return yield* readEnd(c, progress)
  }
}

function* sendChunk(
  c: ClientContext,
  pieces: readonly Buffer[],
  sizeBytes: number,
  progress: Progress,
): ClientFlow<Failure | undefined | 'taken'> {
  const unasked = c.unasked('data')
  if (unasked !== undefined) return unasked
  gatherChunk(c, `BDAT ${sizeBytes}`, pieces)
  const said = yield* c.reply('data', c.limits.dataBlockMs)
  if (isFailure(said)) return said
  if (isPositive(said)) return 'taken'
  progress.data = said
  progress.settleAll({ stage: 'data', from: 'peer', reply: said })
  return yield* reset(c)
}

function gatherChunk(c: ClientContext, command: string, pieces: readonly Buffer[]): void {
  c.command(command)
  for (const bytes of pieces) c.wire.gather(bytes)
}

function* nextPiece(c: ClientContext): ClientFlow<Uint8Array | 'end' | 'abort'> {
  const answer = yield* c.wire.ask({ kind: 'body' }, undefined)
  assert(
    answer?.kind === 'bytes' || answer?.kind === 'end' || answer?.kind === 'abort',
    'body is answered by bytes, end or abort',
  )
  return answer.kind === 'bytes' ? answer.bytes : answer.kind
}

/** A server that speaks before the end of data, or leaves, wants no more of it. */
function* checkInterrupted(c: ClientContext): ClientFlow<Failure | undefined> {
  if (c.wire.expired)
    return localFailure('data', reply(451, '4.4.2', 'The server took no more content in time'))
  if (c.wire.input.length === 0 && !c.wire.ended) return undefined
  const said = yield* c.reply('data', c.limits.dataBlockMs)
  if (isFailure(said)) return said
  if (isPositive(said))
    return localFailure('data', reply(451, '4.5.0', 'The server broke the protocol: it spoke unasked'))
  return peerFailure('data', said, false)
}

/** SMTP: one reply for all. LMTP: one for each accepted recipient, in order (rfc2033 §4.2). */
function* readEnd(c: ClientContext, progress: Progress): ClientFlow<Failure | undefined> {
  const stage = 'end-of-data'
  if (c.options.protocol === 'smtp') {
    const said = yield* readFinal(c)
    if (isFailure(said)) return said
    progress.settleAll({ stage, from: 'peer', reply: said })
    return undefined
  }
  for (const index of progress.accepted) {
    const said = yield* readFinal(c)
    if (isFailure(said)) return said
    progress.settle(index, { stage, from: 'peer', reply: said })
  }
  return undefined
}

function* readFinal(c: ClientContext): ClientFlow<Reply | Failure> {
  const said = yield* c.reply('end-of-data', c.limits.endOfDataMs)
  return isFailure(said) ? said : (misplaced('end-of-data', said) ?? said)
}

function unreadable(): Failure {
  return localFailure('data', reply(451, '4.3.0', 'The content could not be read'))
}
