import { latin1 } from '../../bytes/ascii.ts'
import { assert } from '../../mail/assert.ts'
import type { Reply } from '../../mail/reply.ts'
import { isPositive, reply } from '../../mail/reply.ts'
import { readInitialResponse, readResponse, writeChallenge } from '../sasl/wire.ts'
import { STARTTLS_FIRST } from './commands.ts'
import type { Command } from './parse.ts'
import type { Outcome, ServerContext, ServerFlow } from './server-context.ts'
import type { ServerAnswer } from './types.ts'

const BAD_BASE64 = reply(501, '5.5.2', 'That is no base64')

/** AUTH (rfc4954): carries SASL between the client and the session, knows no mechanism. */
export function* auth(
  c: ServerContext,
  { mechanism, initial }: Extract<Command, { verb: 'AUTH' }>,
): ServerFlow<Outcome> {
  const refusal = authRefusal(c, mechanism)
  if (refusal !== undefined) return yield* c.refuse('AUTH', refusal)
  const first = initial === undefined ? undefined : readInitialResponse(initial)
  if (first !== undefined && first.kind !== 'response') return yield* c.refuse('AUTH', BAD_BASE64)
  let answer = yield* c.ask({ kind: 'auth', mechanism, initial: first?.bytes })
  for (let round = 0; answer?.kind === 'challenge'; round++) {
    if (round >= c.limits.authRounds) return yield* broken(c, reply(501, '5.7.0', 'Too many steps'))
    const line = yield* exchange(c, answer.bytes)
    if (line.kind === 'closed') return 'closed'
    if (line.kind === 'broken') return yield* broken(c, line.reply)
    answer = yield* c.ask({ kind: 'auth-response', response: line.response })
  }
  return answer === undefined ? 'closed' : yield* finish(c, answer)
}

function authRefusal(c: ServerContext, mechanism: string): Reply | undefined {
  const { offers } = c.options
  if (c.authenticated) return reply(503, '5.5.1', 'Authenticated already')
  if (c.mechanisms.length === 0) {
    // rfc3207 §4 where TLS would help; else AUTH is not there at all.
    const tlsHelps = !c.tls && offers.starttls && offers.auth.tls.length > 0
    return tlsHelps ? STARTTLS_FIRST : reply(502, '5.5.1', 'AUTH is not offered here')
  }
  if (c.mechanisms.includes(mechanism)) return undefined
  return reply(504, '5.5.4', 'Unknown mechanism')
}

function* finish(c: ServerContext, answer: ServerAnswer): ServerFlow<Outcome> {
  assert(answer.kind === 'reply', `the answer ${answer.kind} ends no AUTH`)
  if (isPositive(answer.reply)) {
    c.authenticated = true
    return yield* c.say(answer.reply)
  }
  return yield* failed(c, answer.reply)
}

function* broken(c: ServerContext, said: Reply): ServerFlow<Outcome> {
  yield* c.wire.tell({ kind: 'auth-aborted', reply: said })
  return yield* failed(c, said)
}

function* failed(c: ServerContext, said: Reply): ServerFlow<Outcome> {
  const outcome = yield* c.say(said)
  if (outcome === 'closed' || ++c.authFailures < c.limits.authFailures) return outcome
  return yield* c.sayAndClose('refused', reply(421, '4.7.0', 'Too many failed attempts'))
}

type Exchanged =
  | { readonly kind: 'response'; readonly response: Uint8Array }
  | { readonly kind: 'broken'; readonly reply: Reply }
  | { readonly kind: 'closed' }

/** One challenge and the client's line to it. */
function* exchange(c: ServerContext, challenge: Uint8Array): ServerFlow<Exchanged> {
  c.wire.gather(Buffer.from(`334 ${writeChallenge(challenge)}\r\n`))
  c.wire.timer.start(c.limits.commandMs)
  for (;;) {
    const line = c.lines.next(c.limits.authLineBytes)
    if (line.kind === 'line') {
      const read = readResponse(latin1(line.bytes))
      if (read.kind === 'cancelled') return { kind: 'broken', reply: reply(501, '5.7.0', 'Cancelled') }
      const wrongEnd = line.ending === 'lf' && c.options.bareNewlines === 'refuse'
      if (wrongEnd || read.kind === 'malformed') return { kind: 'broken', reply: BAD_BASE64 }
      return { kind: 'response', response: read.bytes }
    }
    if (c.shutdown !== undefined) {
      yield* c.wire.tell({ kind: 'auth-aborted', reply: c.shutdown })
      yield* c.sayAndClose('shutdown', c.shutdown)
      return { kind: 'closed' }
    }
    if (line.kind === 'too-long') {
      yield* c.wire.tell({ kind: 'auth-aborted', reply: reply(500, '5.5.6', 'Line too long') })
      yield* c.attack('command-too-long', 'a line of an AUTH exchange')
      // rfc4954 §6: 500 5.5.6; where the line would end is not waited for.
      yield* c.sayAndClose('attack', reply(421, '4.5.6', 'Line too long'))
      return { kind: 'closed' }
    }
    const woken = yield* c.wire.wait()
    if (woken === 'expired' || woken === 'ended') {
      yield* c.wire.tell({ kind: 'auth-aborted', reply: reply(421, '4.4.2', 'Timeout') })
      yield* c.lost(woken)
      return { kind: 'closed' }
    }
  }
}
