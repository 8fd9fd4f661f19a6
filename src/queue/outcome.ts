import { reply as makeReply, type Reply } from '../mail/reply.ts'
import type { Delivery } from '../ports/deliverer.ts'
import { MAX_REPLY_CHARS, MAX_REPLY_LINES } from './limits.ts'

/** What an attempt means for one recipient. This file alone decides what a reply means. */
export type Outcome = 'delivered' | 'deferred' | 'failed'

/** What a reply to RCPT, DATA or the end of data means. */
export function outcomeOf(reply: Reply): Outcome {
  if (reply.code >= 200 && reply.code < 300) return 'delivered'
  if (isMisread(reply)) return 'deferred'
  return reply.code >= 500 && reply.code < 600 ? 'failed' : 'deferred'
}

/**
 * Permanent by their number, temporary by what they mean: 552 "too many recipients" (rfc5321 §4.5.3.1.10);
 * 530 and 535 at a smarthost, where our own settings are at fault and the mail should wait for their owner;
 * 521 and 554 with 4.x.x, which contradict themselves.
 */
function isMisread(reply: Reply): boolean {
  if (reply.enhanced?.startsWith('4.') === true) return true
  if (reply.code === 552)
    return reply.enhanced === '5.5.3' || /too many recipients/i.test(reply.lines.join(' '))
  return reply.code === 530 || reply.code === 535
}

/** Whether the next host of the route may be tried after this. */
export function mayTryNext(delivery: Delivery): boolean {
  // 'unknown': the host may have the message, and a second copy by another way is worse than a wait.
  return delivery.kind === 'no-contact'
}

/** A reply as it is kept: a hostile host's may have a megabyte (attack 11). */
export function boundedReply(reply: Reply): Reply {
  const lines: string[] = []
  let room = MAX_REPLY_CHARS
  for (const line of reply.lines.slice(0, MAX_REPLY_LINES)) {
    if (room <= 0) break
    lines.push(line.slice(0, room).toWellFormed())
    room -= line.length
  }
  return { ...reply, lines }
}

/** What stands in the trace where no host of the route could be reached: always temporary. */
export function noContactReply(last: Reply): Reply {
  return outcomeOf(last) === 'deferred'
    ? last
    : makeReply(
        451,
        '4.4.1',
        `No host of the destination took the connection; the last one said: ${last.code} ${last.lines.join(' ')}`,
        last.cause,
      )
}
