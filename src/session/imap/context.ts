import { assert } from '../../mail/assert.ts'
import type { AccountId } from '../../mail/ids.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Credentials } from '../../ports/credentials.ts'
import type { Log } from '../../ports/log.ts'
import type { Mailboxes, MailboxView } from '../../ports/mailboxes.ts'
import type { Random } from '../../ports/random.ts'
import type { Access, Intake } from '../../ports/store.ts'
import { FlagListCache } from '../../protocol/imap/responses/flag-list.ts'
import type { ImapAnswer, ImapServerMachine } from '../../protocol/imap/types.ts'
import type { ClientFacts, Link } from '../link.ts'
import { PENDING_BYTES } from './limits.ts'

export interface ImapSettings {
  readonly maxMessageBytes: number
}

export interface ImapDeps {
  readonly mailboxes: Mailboxes
  readonly intake: Intake
  readonly credentials: Credentials
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly settings: () => ImapSettings
  /** False where the listener has no certificate to show: STARTTLS is then not offered. */
  readonly tlsReady: boolean
}

export interface ImapLogin {
  readonly account: AccountId
  readonly login: string
}

/** A selected mailbox. */
export interface Selected {
  readonly view: MailboxView
  readonly flagLists: FlagListCache
}

/** What the commands of one connection share. */
export class ImapContext {
  readonly deps: ImapDeps
  readonly client: ClientFacts
  readonly machine: ImapServerMachine
  #link: Link | undefined
  #login: ImapLogin | undefined
  #selected: Selected | undefined
  idling = false
  /** Changes that are being told to a client in IDLE. */
  telling: Promise<void> | undefined
  /** The mailbox that the last APPEND of this connection went to. */
  appendTarget: string | undefined

  constructor(deps: ImapDeps, client: ClientFacts, machine: ImapServerMachine) {
    this.deps = deps
    this.client = client
    this.machine = machine
  }

  get link(): Link {
    assert(this.#link !== undefined, 'a command before the connection')
    return this.#link
  }

  attach(link: Link): void {
    this.#link = link
  }

  get login(): ImapLogin | undefined {
    return this.#login
  }

  /** False where the account has too many connections. */
  loggedIn(login: ImapLogin): boolean {
    if (!this.link.belongsTo(login.login)) return false
    this.#login = login
    return true
  }

  /** Between the pieces of a long answer: false when the client is gone. A client that does not read is waited for. */
  hasRoom(): boolean | Promise<boolean> {
    if (this.machine.pendingWriteBytes < PENDING_BYTES) return true
    this.link.pump()
    return this.link.drained()
  }

  /** The same where nothing may have been said: others have their turn. False when the client is gone. */
  takeTurns(): Promise<boolean> {
    this.link.pump()
    return this.link.drained()
  }

  /** Of the account that logged in; the core lets no command through before. */
  get access(): Access {
    assert(this.#login !== undefined, 'a mailbox command before login')
    const { account } = this.#login
    return { actor: { kind: 'account', account }, owner: account }
  }

  get selectedOrNone(): Selected | undefined {
    return this.#selected
  }

  /** The core lets no command of the selected state through without one. */
  get selected(): Selected {
    assert(this.#selected !== undefined, 'a message command without a mailbox')
    return this.#selected
  }

  select(view: MailboxView): Selected {
    this.unselect()
    this.#selected = { view, flagLists: new FlagListCache() }
    return this.#selected
  }

  unselect(): void {
    this.#selected?.view.close()
    this.#selected = undefined
  }
}

type Done = Extract<ImapAnswer, { kind: 'done' }>

export function done(status: Done['status'], text: string, code?: Done['code']): Done {
  return { kind: 'done', status, text, code }
}
