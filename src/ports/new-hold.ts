import type { Evidence } from '../mail/authentication.ts'
import type { Reason } from '../mail/trace.ts'

/** What is kept with a message that is held instead of delivered. */
export interface NewHold {
  readonly reasons: readonly Reason[]
  readonly evidence: Evidence
  readonly untilMs: number
  /** Decoded, cut: what a list shows. */
  readonly from: string
  readonly subject: string
  readonly client: string
  readonly helo: string
  /** Of the List-Id field, where there is one. */
  readonly list?: string | undefined
  /** Recipients who do not exist here: kept only to be shown. */
  readonly unknown?: readonly string[] | undefined
}
