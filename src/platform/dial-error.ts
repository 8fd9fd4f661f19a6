import type { DialFailure } from '../ports/dialer.ts'
import { errorCode, errorText } from './socket-events.ts'

/** What `Connection.read` and `startTls` reject with. */
export class DialError extends Error implements DialFailure {
  override readonly name = 'DialError'
  readonly kind: DialFailure['kind']

  constructor(failure: DialFailure) {
    super(failure.cause)
    this.kind = failure.kind
  }

  override get cause(): string {
    return this.message
  }
}

const KINDS: Readonly<Record<string, DialFailure['kind']>> = {
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timeout',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ECONNABORTED: 'reset',
}

/** A connection that could not be made or broke; what is neither refused, late nor reset can't be reached. */
export function socketFailure(error: unknown): DialFailure {
  return { kind: KINDS[errorCode(error) ?? ''] ?? 'unreachable', cause: errorText(error) }
}
