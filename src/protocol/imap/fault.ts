import type { ResponseCode } from './responses/code.ts'

/** Why a command is refused before anybody is asked: the peer's fault, as a value. */
export interface CommandFault {
  readonly status: 'BAD' | 'NO'
  readonly code?: ResponseCode | undefined
  readonly text: string
}
