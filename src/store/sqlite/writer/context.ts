import type { Refusal, StoreEvent } from '../operations.ts'
import type { Sql } from '../sql.ts'
import type { AccountState, MailboxState, State } from './state.ts'

/** What an operation works with. Events and file names are given up again where the operation is undone. */
export interface Context {
  readonly sql: Sql
  readonly state: State
  readonly events: StoreEvent[]
  /** Body files to delete after the commit. */
  readonly files: string[]
  /** Work to go on with after this group; see purge.ts. */
  readonly later: Release[]
  /** False where the traces' pages are damaged: mail goes before its trace. */
  readonly keepsTraces: boolean
}

/** Expunged messages of a mailbox up to a MODSEQ (null: all) are no longer seen by any session. */
export interface Release {
  readonly mailbox: number
  readonly upTo: number | null
}

/** Ends an operation with a stated answer; all that it wrote is undone. */
export class Refused extends Error {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(refusal.kind)
    this.refusal = refusal
  }
}

export function refuse(refusal: Refusal): never {
  throw new Refused(refusal)
}

export function requireAccount(context: Context, id: number): AccountState {
  return context.state.account(id) ?? refuse({ kind: 'no-such-account', cause: `account ${id} is gone` })
}

export function requireMailbox(context: Context, owner: number, id: number): MailboxState {
  return context.state.mailbox(owner, id) ?? refuse({ kind: 'no-such-mailbox', what: `mailbox ${id}` })
}

/** By name; a name without a mailbox behind it is told apart. */
export function requireNamed(context: Context, owner: number, name: string): MailboxState {
  const mailbox =
    requireAccount(context, owner).byName.get(name) ?? refuse({ kind: 'no-such-mailbox', what: name })
  return mailbox.selectable ? mailbox : refuse({ kind: 'not-selectable', what: name })
}
