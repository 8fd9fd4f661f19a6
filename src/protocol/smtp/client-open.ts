import { decodeBase64Strict, encodeBase64 } from '../../bytes/base64.ts'
import { assert } from '../../mail/assert.ts'
import type { Reply } from '../../mail/reply.ts'
import { isPermanent, reply } from '../../mail/reply.ts'
import type { ClientContext, ClientFlow, Failure } from './client-context.ts'
import { isFailure, localFailure, peerFailure } from './client-context.ts'
import { plainPeer, readPeer } from './client-peer.ts'

/* From the greeting to the point where messages can be sent: EHLO, STARTTLS, AUTH. */

/** rfc5321 §4.5.3.1.4: a longer AUTH command is sent without its initial response. */
const COMMAND_OCTETS = 510

export function* open(c: ClientContext): ClientFlow<Failure | undefined> {
  const greeting = yield* c.reply('connect', c.limits.greetingMs)
  if (isFailure(greeting)) return greeting
  yield* c.wire.tell({ kind: 'greeting', reply: greeting })
  if (greeting.code !== 220) return peerFailure('connect', greeting)
  return (yield* hello(c)) ?? (yield* startTls(c)) ?? (yield* authenticate(c))
}

function* hello(c: ClientContext): ClientFlow<Failure | undefined> {
  const { protocol, heloName } = c.options
  const verb = protocol === 'lmtp' ? 'LHLO' : 'EHLO'
  const said = yield* c.exchange('helo', `${verb} ${heloName}`, c.limits.heloMs)
  if (isFailure(said)) return said
  // rfc5321 §3.2: a server that does not know EHLO is asked with HELO.
  if (protocol === 'smtp' && isPermanent(said)) return yield* plainHello(c)
  if (said.code !== 250) return peerFailure('helo', said)
  c.peer = readPeer(said)
  yield* c.wire.tell({ kind: 'peer', peer: c.peer })
  return undefined
}

function* plainHello(c: ClientContext): ClientFlow<Failure | undefined> {
  const said = yield* c.exchange('helo', `HELO ${c.options.heloName}`, c.limits.heloMs)
  if (isFailure(said)) return said
  if (said.code !== 250) return peerFailure('helo', said)
  c.peer = plainPeer((said.lines[0] ?? '').split(' ', 1)[0] as string)
  yield* c.wire.tell({ kind: 'peer', peer: c.peer })
  return undefined
}

function* startTls(c: ClientContext): ClientFlow<Failure | undefined> {
  const policy = c.options.starttls
  if (c.wire.tls !== undefined || policy === 'none') return undefined
  if (!c.peer.starttls) {
    if (policy === 'may') return undefined
    return localFailure(
      'starttls',
      reply(451, '4.7.4', 'TLS is required and the server does not offer it'),
      true,
    )
  }
  const said = yield* c.exchange('starttls', 'STARTTLS', c.limits.heloMs)
  if (isFailure(said)) return said
  if (said.code !== 220) return policy === 'must' ? peerFailure('starttls', said) : undefined
  const { started, droppedBytes } = yield* c.wire.startTls(c.limits.heloMs)
  c.replies.reset()
  if (!started) return localFailure('starttls', reply(451, '4.7.5', 'TLS could not be started'))
  // Somebody between us and the server put replies behind its 220 (rfc3207 §6).
  if (droppedBytes > 0)
    return localFailure('starttls', reply(451, '4.7.0', 'Clear text came behind the answer to STARTTLS'))
  if (c.wire.tls !== undefined) yield* c.wire.tell({ kind: 'tls', facts: c.wire.tls })
  return yield* hello(c)
}

function* authenticate(c: ClientContext): ClientFlow<Failure | undefined> {
  const policy = c.options.auth
  if (policy === 'none') return undefined
  if (c.peer.auth.length === 0) {
    if (policy === 'may') return undefined
    return localFailure('auth', reply(451, '4.7.0', 'The server does not offer AUTH'), true)
  }
  const chosen = yield* c.wire.ask({ kind: 'auth', mechanisms: c.peer.auth, tls: c.wire.tls }, undefined)
  assert(chosen?.kind === 'sasl' || chosen?.kind === 'skip', 'auth is answered by sasl or skip')
  if (chosen.kind === 'skip') {
    if (policy === 'may') return undefined
    return localFailure('auth', reply(451, '4.7.0', 'The server offers no mechanism that we use'), true)
  }
  const initial = chosen.initial === undefined ? undefined : encodeBase64(chosen.initial) || '='
  const whole = initial === undefined ? '' : ` ${initial}`
  const short = chosen.mechanism.length + whole.length + 5 <= COMMAND_OCTETS
  const said = yield* c.exchange('auth', `AUTH ${chosen.mechanism}${short ? whole : ''}`, c.limits.heloMs)
  if (isFailure(said)) return said
  const last = yield* exchangeSasl(c, said, short ? undefined : chosen.initial)
  if (isFailure(last)) return last
  if (last.code !== 235) return peerFailure('auth', last)
  yield* c.wire.tell({ kind: 'authenticated', mechanism: chosen.mechanism, reply: last })
  return undefined
}

/** Answers challenges until the server says something else than 334. */
function* exchangeSasl(
  c: ClientContext,
  first: Reply,
  held: Uint8Array | undefined,
): ClientFlow<Reply | Failure> {
  let said = first
  for (let round = 0; said.code === 334; round++) {
    const challenge = decodeBase64Strict(said.lines[0] ?? '')
    if (round >= c.limits.authRounds || challenge === undefined)
      return localFailure('auth', reply(451, '4.5.0', 'The server broke the protocol: not a SASL exchange'))
    let line = '*'
    if (held !== undefined && round === 0) line = encodeBase64(held)
    else {
      const answer = yield* c.wire.ask({ kind: 'auth-challenge', challenge }, undefined)
      assert(
        answer?.kind === 'response' || answer?.kind === 'cancel',
        'a challenge is answered by response or cancel',
      )
      if (answer.kind === 'response') line = encodeBase64(answer.bytes)
    }
    const next = yield* c.exchange('auth', line, c.limits.heloMs)
    if (isFailure(next)) return next
    said = next
  }
  return said
}
