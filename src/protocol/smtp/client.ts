import { assert } from '../../mail/assert.ts'
import type { ClientFlow, Failure } from './client-context.ts'
import { ClientContext } from './client-context.ts'
import { open } from './client-open.ts'
import { sendMessage } from './client-send.ts'
import type { ClientOptions, SmtpClient } from './client-types.ts'
import { FlowMachine } from './flow.ts'

/** One SMTP or LMTP connection, seen from the client's side; it can send several messages. */
export function smtpClient(options: ClientOptions): SmtpClient {
  const c = new ClientContext(options)
  return new FlowMachine(c.wire, converse(c))
}

function* converse(c: ClientContext): ClientFlow {
  const failure = (yield* open(c)) ?? (yield* sendAll(c))
  if (failure === undefined) yield* quit(c)
  else if (failure.polite) c.command('QUIT')
  yield* c.wire.flush()
  if (failure === undefined) yield* c.wire.tell({ kind: 'closing' })
  else {
    const { stage, from, reply } = failure
    yield* c.wire.tell({ kind: 'closing', failure: { stage, from, reply } })
  }
}

function* sendAll(c: ClientContext): ClientFlow<Failure | undefined> {
  for (;;) {
    const answer = yield* c.wire.ask({ kind: 'next', peer: c.peer, messagesSent: c.messagesSent }, undefined)
    assert(answer?.kind === 'send' || answer?.kind === 'quit', 'next is answered by send or quit')
    if (answer.kind === 'quit') return undefined
    const failure = yield* sendMessage(c, answer.transaction)
    if (failure !== undefined) return failure
    c.messagesSent++
  }
}

/** rfc5321 §4.1.1.10: the reply is waited for, but changes nothing any more. */
function* quit(c: ClientContext): ClientFlow {
  yield* c.exchange('quit', 'QUIT', c.limits.quitMs)
}
