import { assert } from '../../mail/assert.ts'
import type { Reply } from '../../mail/reply.ts'
import { isPositive, reply } from '../../mail/reply.ts'
import { ehloKeywords } from './ehlo.ts'
import type { Command, HeloVerb } from './parse.ts'
import type { Outcome, ServerContext, ServerFlow } from './server-context.ts'
import type { ServerAnswer } from './types.ts'

/* The commands that are one question and one reply. */

type Of<V> = Extract<Command, { verb: V }>

export const STARTTLS_FIRST = reply(530, '5.7.0', 'Must issue a STARTTLS command first')

export function* helo(c: ServerContext, command: Of<HeloVerb>): ServerFlow<Outcome> {
  const { verb, name, lenient } = command
  const answer = yield* c.ask({ kind: 'helo', verb, name, lenient })
  if (answer === undefined) return 'closed'
  const given = answerReply(answer)
  if (given !== undefined && !isPositive(given)) return yield* c.say(given)
  // rfc5321 §4.1.4: a second EHLO clears the buffers as RSET does.
  yield* c.dropTransaction('HELO')
  c.phase = 'ready'
  const { hostname, offers } = c.options
  const greeting = given?.lines ?? [hostname]
  if (verb === 'HELO') return yield* c.say({ code: 250, lines: greeting.slice(0, 1) })
  const keywords = ehloKeywords({ offers, tls: c.tls, mechanisms: c.mechanisms })
  return yield* c.say({ code: 250, lines: [greeting[0] ?? hostname, ...keywords] })
}

export function* mail(c: ServerContext, command: Of<'MAIL'>): ServerFlow<Outcome> {
  const refusal = mailRefusal(c, command)
  if (refusal !== undefined) return yield* c.refuse('MAIL', refusal)
  const { sender, text, route, authParam, lenient } = command
  const answer = yield* c.ask({ kind: 'mail', sender, text, route, authParam, lenient })
  if (answer === undefined) return 'closed'
  const said = answerReply(answer) ?? reply(250, '2.1.0', 'Sender ok')
  if (isPositive(said)) {
    c.sender = sender
    c.utf8Replies = sender.smtputf8
    c.phase = 'mail'
  }
  return yield* c.say(said)
}

function mailRefusal(c: ServerContext, { sender }: Of<'MAIL'>): Reply | undefined {
  const { offers, requireAuth } = c.options
  if (requireAuth && !c.authenticated) return reply(530, '5.7.0', 'Authentication required')
  if (c.messages >= Math.min(offers.mailMax ?? c.limits.messages, c.limits.messages))
    return reply(421, '4.7.0', 'Too many messages in one connection: open another')
  if ((sender.declaredSizeBytes ?? 0) > offers.sizeBytes)
    return reply(552, '5.3.4', `A message may have ${offers.sizeBytes} octets`)
  return undefined
}

export function* rcpt(c: ServerContext, command: Of<'RCPT'>): ServerFlow<Outcome> {
  const max = Math.min(c.options.offers.rcptMax ?? c.limits.recipients, c.limits.recipients)
  // rfc5321 §4.5.3.1.10: 452, so that the client sends the rest in another transaction.
  if (c.recipients >= max) return yield* c.refuse('RCPT', reply(452, '4.5.3', 'Too many recipients'))
  const { path, notify, orcpt, lenient } = command
  const answer = yield* c.ask({ kind: 'rcpt', path, notify, orcpt, accepted: c.recipients, lenient })
  if (answer === undefined) return 'closed'
  const said = answerReply(answer) ?? reply(250, '2.1.5', 'Recipient ok')
  if (isPositive(said)) {
    c.recipients++
    c.phase = 'rcpt'
  }
  return yield* c.say(said)
}

export function* rset(c: ServerContext): ServerFlow<Outcome> {
  yield* c.dropTransaction('RSET')
  return yield* c.say(reply(250, '2.0.0', 'Reset'))
}

export function* vrfy(c: ServerContext, command: Of<'VRFY' | 'EXPN'>): ServerFlow<Outcome> {
  const { verb, text } = command
  const answer = yield* c.ask({ kind: 'vrfy', verb, text })
  if (answer === undefined) return 'closed'
  // rfc5321 §3.5.3 and §7.3: 252 says nothing about who exists.
  const silent =
    verb === 'VRFY'
      ? reply(252, '2.1.5', 'Send some mail, I will try my best')
      : reply(502, '5.5.1', 'Lists are not told')
  return yield* c.say(answerReply(answer) ?? silent)
}

export function* noop(c: ServerContext): ServerFlow<Outcome> {
  return yield* c.say(reply(250, '2.0.0', 'Ok'))
}

export function* help(c: ServerContext): ServerFlow<Outcome> {
  return yield* c.say(reply(214, '2.0.0', 'See rfc5321'))
}

export function* quit(c: ServerContext): ServerFlow<Outcome> {
  return yield* c.sayAndClose('quit', reply(221, '2.0.0', `${c.options.hostname} Bye`))
}

/** The session's reply, or undefined for 'accept'. */
export function answerReply(answer: ServerAnswer): Reply | undefined {
  assert(
    answer.kind === 'accept' || answer.kind === 'reply',
    `the answer ${answer.kind} fits no such question`,
  )
  return answer.kind === 'reply' ? answer.reply : undefined
}
