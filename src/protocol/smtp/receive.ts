import { assert } from '../../mail/assert.ts'
import type { Reply } from '../../mail/reply.ts'
import { isPositive, reply } from '../../mail/reply.ts'
import { answerReply } from './commands.ts'
import type { ContentFault } from './data.ts'
import { ContentScanner } from './data.ts'
import type { Command } from './parse.ts'
import { encodeReply } from './reply.ts'
import type { Outcome, ServerContext, ServerFlow } from './server-context.ts'

/* DATA and BDAT: how content comes in. Where it ends and which line ends it may have is decided in data.ts. */

/** A refusal of the content itself, told after the whole of it was read, so that the client hears it. */
const FAULT_REPLIES: Readonly<Record<ContentFault, (c: ServerContext) => Reply>> = {
  smuggling: () => reply(554, '5.6.0', 'A lone dot between bare CR or LF: ambiguous end of message'),
  'bare-newline': () =>
    reply(554, '5.6.0', 'Bare CR or LF in the message: lines end with CR LF (rfc5321 2.3.8)'),
  'too-large': (c) => reply(552, '5.3.4', `A message may have ${c.options.offers.sizeBytes} octets`),
  'header-too-large': (c) => reply(552, '5.3.4', `A header may have ${c.limits.headerBytes} octets`),
  'line-too-long': (c) => reply(554, '5.6.0', `A line may have ${c.limits.textLineBytes} octets`),
}

export function* data(c: ServerContext): ServerFlow<Outcome> {
  const answer = yield* c.ask({ kind: 'data', by: 'DATA', recipients: c.recipients })
  if (answer === undefined) return 'closed'
  const said = answerReply(answer) ?? reply(354, undefined, 'Go ahead, end with a dot alone in a line')
  if (!isPositive(said)) return yield* c.say(said)
  c.wire.gather(encodeReply(said))
  const scanner = begin(c, 'dot')
  const limitBytes = c.options.offers.sizeBytes + c.limits.discardBytes
  c.wire.timer.start(c.limits.dataIdleMs)
  let readBytes = 0
  while (!scanner.ended) {
    // Exactly so many octets: the verdict must not depend on how the input was cut.
    if (readBytes === limitBytes) return yield* endless(c, 'DATA')
    const read = yield* readChunk(c, scanner, limitBytes - readBytes)
    if (read === 'closed') return 'closed'
    readBytes += read
    if (scanner.fault === 'smuggling') return yield* smuggled(c)
  }
  return yield* complete(c, scanner, 'DATA')
}

/** rfc3030 §2. The octets of a chunk are read whatever becomes of the command, else they would be commands. */
export function* bdat(
  c: ServerContext,
  { sizeBytes, last }: Extract<Command, { verb: 'BDAT' }>,
  orderRefusal: Reply | undefined,
): ServerFlow<Outcome> {
  if (sizeBytes > c.options.offers.sizeBytes + c.limits.discardBytes) return yield* endless(c, 'BDAT')
  const refusal = orderRefusal ?? (c.content === undefined ? yield* mayBegin(c) : undefined)
  if (refusal === 'closed') return 'closed'
  if (refusal !== undefined) return yield* skipChunk(c, { sizeBytes, last }, refusal)
  const scanner = c.content ?? begin(c, 'counted')
  c.phase = 'chunks'
  if (++c.chunks > c.limits.chunks) {
    yield* c.attack('flood', `${c.chunks} chunks`)
    return yield* c.sayAndClose('attack', reply(421, '4.7.0', 'Too many chunks'))
  }
  if ((yield* readCounted(c, scanner, sizeBytes)) === 'closed') return 'closed'
  if (last) {
    scanner.finish()
    return yield* complete(c, scanner, 'BDAT')
  }
  const { fault } = scanner
  if (fault !== undefined) return yield* refuseContent(c, 'BDAT', fault, [FAULT_REPLIES[fault](c)])
  return yield* c.say(reply(250, '2.0.0', `${sizeBytes} octets received`))
}

function* mayBegin(c: ServerContext): ServerFlow<Reply | 'closed' | undefined> {
  if (!c.options.offers.chunking) return reply(502, '5.5.1', 'CHUNKING is not offered')
  const answer = yield* c.ask({ kind: 'data', by: 'BDAT', recipients: c.recipients })
  if (answer === undefined) return 'closed'
  const said = answerReply(answer)
  return said === undefined || isPositive(said) ? undefined : said
}

function begin(c: ServerContext, framing: 'dot' | 'counted'): ContentScanner {
  const { bareNewlines, offers } = c.options
  const { headerBytes, textLineBytes } = c.limits
  c.content = new ContentScanner({
    framing,
    bareNewlines,
    sizeBytes: offers.sizeBytes,
    headerBytes,
    textLineBytes,
  })
  c.wire.total.start(c.limits.dataTotalMs)
  return c.content
}

/** One piece of input of at most `maxBytes` through the scanner and out as tells. */
function* readChunk(
  c: ServerContext,
  scanner: ContentScanner,
  maxBytes: number,
): ServerFlow<number | 'closed'> {
  if ((yield* waitForInput(c)) === 'closed') return 'closed'
  const { input } = c.wire
  const chunk = input.takeChunk(maxBytes)
  const pieces: Buffer[] = []
  const used = scanner.scan(chunk, pieces)
  if (used < chunk.length) input.unshift(chunk.subarray(used))
  // A message of nothing but dots comes in thousands of pieces: as one they cost what any other does.
  const [first] = pieces
  if (first !== undefined)
    yield* c.wire.tell({ kind: 'body', bytes: pieces.length === 1 ? first : Buffer.concat(pieces) })
  // The time that a slow disk took is not the peer's.
  c.wire.timer.touch()
  return used
}

function* readCounted(c: ServerContext, scanner: ContentScanner, sizeBytes: number): ServerFlow<Outcome> {
  c.wire.timer.start(c.limits.dataIdleMs)
  let missing = sizeBytes
  while (missing > 0) {
    const read = yield* readChunk(c, scanner, missing)
    if (read === 'closed') return 'closed'
    missing -= read
  }
  return 'go-on'
}

function* waitForInput(c: ServerContext): ServerFlow<Outcome> {
  while (c.wire.input.length === 0) {
    const woken = yield* c.wire.wait()
    if (woken === 'ended' || woken === 'expired') return yield* c.lost(woken)
  }
  return 'go-on'
}

/** The chunk of a refused BDAT: read, forgotten, then answered. */
function* skipChunk(
  c: ServerContext,
  { sizeBytes, last }: { readonly sizeBytes: number; readonly last: boolean },
  refusal: Reply,
): ServerFlow<Outcome> {
  c.wire.timer.start(c.limits.dataIdleMs)
  let missing = sizeBytes
  while (missing > 0) {
    if ((yield* waitForInput(c)) === 'closed') return 'closed'
    missing -= c.wire.input.takeChunk(missing).length
    c.wire.timer.touch()
  }
  c.lines.reset()
  // rfc3030 §2: after a refused chunk the transaction is lost, whatever else was sent behind it.
  if (c.phase !== 'rcpt') return yield* c.refuse('BDAT', refusal)
  // rfc2033 §4.3: LMTP answers the last chunk as it answers the end of data.
  const replies = last ? perRecipient(c, refusal) : [refusal]
  yield* c.wire.tell({ kind: 'refused', verb: 'BDAT', reply: refusal })
  yield* c.dropTransaction('refused', refusal)
  return yield* c.sayAll(replies)
}

/** The whole content is there. The session decides, unless the content itself is at fault. */
function* complete(c: ServerContext, scanner: ContentScanner, verb: 'DATA' | 'BDAT'): ServerFlow<Outcome> {
  c.wire.total.stop()
  c.lines.reset()
  const { fault } = scanner
  if (fault !== undefined)
    return yield* refuseContent(c, verb, fault, perRecipient(c, FAULT_REPLIES[fault](c)))
  const count = c.recipients
  const answer = yield* c.ask({ kind: 'message', facts: scanner.facts(), recipients: count })
  if (answer === undefined) return 'closed'
  assert(answer.kind === 'reply' || answer.kind === 'replies', `the answer ${answer.kind} ends no message`)
  const replies = answer.kind === 'replies' ? answer.replies : perRecipient(c, answer.reply)
  const expected = c.options.protocol === 'lmtp' ? count : 1
  assert(replies.length === expected, `${replies.length} replies to a message that needs ${expected}`)
  c.messages++
  c.idleCommands = 0
  if (replies.some(isPositive)) c.errors = 0
  c.clearTransaction()
  return yield* c.sayAll(replies)
}

function* refuseContent(
  c: ServerContext,
  verb: 'DATA' | 'BDAT',
  fault: ContentFault,
  replies: readonly Reply[],
): ServerFlow<Outcome> {
  const said = FAULT_REPLIES[fault](c)
  c.lines.reset()
  if (fault === 'bare-newline') yield* c.attack('bare-newline', 'in the content of a message')
  yield* c.wire.tell({ kind: 'refused', verb, reply: said })
  c.idleCommands = 0
  yield* c.dropTransaction('refused', said)
  return yield* c.sayAll(replies)
}

/** rfc2033 §4.2, §4.3: LMTP answers the end of data once for each recipient that it had accepted. */
function perRecipient(c: ServerContext, said: Reply): readonly Reply[] {
  return c.options.protocol === 'lmtp' ? new Array<Reply>(c.recipients).fill(said) : [said]
}

/** Nothing behind an ambiguous end may be read as a command, so the connection ends here. */
function* smuggled(c: ServerContext): ServerFlow<Outcome> {
  yield* c.attack('smuggling', 'a lone dot between line ends of which one is a bare CR or LF')
  return yield* lastWords(c, 'DATA', FAULT_REPLIES.smuggling(c))
}

/** More than is worth reading to its end. */
function* endless(c: ServerContext, verb: 'DATA' | 'BDAT'): ServerFlow<Outcome> {
  yield* c.attack('flood', 'a message without end')
  return yield* lastWords(c, verb, FAULT_REPLIES['too-large'](c))
}

function* lastWords(c: ServerContext, verb: 'DATA' | 'BDAT', said: Reply): ServerFlow<Outcome> {
  yield* c.wire.tell({ kind: 'refused', verb, reply: said })
  for (const each of perRecipient(c, said).slice(1)) c.wire.gather(encodeReply(each))
  yield* c.dropTransaction('refused', said)
  return yield* c.sayAndClose('attack', said)
}
