import { isPositive } from '../../mail/reply.ts'
import type { ClientContext, ClientFlow, Failure } from './client-context.ts'
import { isFailure, peerFailure } from './client-context.ts'

/** Closes a transaction that will not become a message, so that the next one can begin. */
export function* reset(c: ClientContext): ClientFlow<Failure | undefined> {
  const said = yield* c.exchange('rcpt', 'RSET', c.limits.mailMs)
  if (isFailure(said)) return said
  return isPositive(said) ? undefined : peerFailure('rcpt', said)
}
