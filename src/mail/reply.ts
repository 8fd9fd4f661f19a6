/**
 * What a peer is told, and what only we know. The public text goes on the wire (it is cleaned and cut by
 * the encoder); the private cause goes into the trace and the log, never to the peer.
 */
export interface Reply {
  readonly code: number
  /** rfc3463: `5.1.1`; absent on greetings, EHLO and 3xx. */
  readonly enhanced?: string | undefined
  /** One element a line. */
  readonly lines: readonly string[]
  readonly cause?: string | undefined
}

export function reply(code: number, enhanced: string | undefined, text: string, cause?: string): Reply {
  return { code, enhanced, lines: text.split('\n'), cause }
}

export const isPositive = (r: Reply): boolean => r.code < 400
export const isPermanent = (r: Reply): boolean => r.code >= 500

/** One line for logs and traces: `550 5.1.1 no such user here`. */
export function formatReply(r: Reply): string {
  return [String(r.code), r.enhanced, r.lines.join(' ')]
    .filter((part) => part !== undefined && part !== '')
    .join(' ')
}
