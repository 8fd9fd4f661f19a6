import { isPositive, reply } from '../../mail/reply.ts'
import { answerReply } from './commands.ts'
import type { Outcome, ServerContext, ServerFlow } from './server-context.ts'

/** STARTTLS (rfc3207): nothing said before TLS is known after it, nothing sent behind the command is read. */
export function* starttls(c: ServerContext): ServerFlow<Outcome> {
  if (c.tls) return yield* c.refuse('STARTTLS', reply(503, '5.5.1', 'TLS stands already'))
  if (!c.options.offers.starttls)
    return yield* c.refuse('STARTTLS', reply(502, '5.5.1', 'STARTTLS is not offered'))
  const answer = yield* c.ask({ kind: 'starttls' })
  if (answer === undefined) return 'closed'
  const said = answerReply(answer) ?? reply(220, '2.0.0', 'Ready to start TLS')
  const before = yield* c.say(said)
  if (!isPositive(said) || before === 'closed') return before
  const { started, droppedBytes } = yield* c.wire.startTls(c.limits.commandMs)
  c.lines.reset()
  if (droppedBytes > 0) yield* c.attack('behind-starttls', `${droppedBytes} octets of clear text dropped`)
  if (!started) return yield* c.close(c.wire.ended ? 'peer-closed' : 'timeout')
  // rfc3207 §4.2: back to the state after the greeting.
  yield* c.dropTransaction('STARTTLS')
  c.phase = 'greeted'
  c.tls = true
  c.authenticated = false
  c.mechanisms = c.options.offers.auth.tls
  if (c.wire.tls !== undefined) yield* c.wire.tell({ kind: 'tls', facts: c.wire.tls })
  return 'go-on'
}
