import type { Address } from '../mail/address.ts'
import type { Notify } from '../mail/envelope.ts'
import type { LocalTarget } from '../ports/directory.ts'

/** An accepted recipient and where its copies go. */
export interface Accepted {
  readonly address: Address
  readonly local: readonly LocalTarget[]
  readonly remote: readonly Address[]
  readonly notify?: Notify | undefined
  readonly orcpt?: string | undefined
  /** Nobody here; taken from a backup server of ours only to be held. */
  readonly unknown?: boolean | undefined
}
