// All that was asked of a server and what it answered: every account, mail for elsewhere, aliases.

import type { Chance } from './chance.ts'
import type { Deliveries } from './deliveries.ts'
import { type HeldDeed, HeldLedger } from './held.ts'
import { AccountLedger } from './ledger.ts'
import { addressOf, domain, letterId } from './letter.ts'

export const accountNames = ['anna', 'bert', 'cleo', 'dora'] as const
/** Everybody's; long enough for the server. */
export const password = 'a password for every one of them'
/** An alias that leads to the first two accounts. */
export const teamAlias = `team@${domain}`
export const team = accountNames.slice(0, 2)

export interface Outgoing {
  readonly id: string
  /** Who is told when it is refused; undefined: nobody of ours. */
  readonly sender: string | undefined
  acknowledged: boolean
}

/** Where a letter goes. */
export interface Targets {
  /** Names of accounts. */
  readonly accounts: readonly string[]
  readonly elsewhere: readonly string[]
}

export class Post {
  readonly accounts: ReadonlyMap<string, AccountLedger> = new Map(
    accountNames.map((name) => [name, new AccountLedger(addressOf(name))]),
  )
  readonly outgoing = new Map<string, Outgoing>()
  readonly deliveries: Deliveries
  readonly held = new HeldLedger()
  readonly problems: string[] = []
  /** What the server would not do. */
  readonly refusals: string[] = []
  /** The operator's things, by name: an alias with its targets, an account with nothing. */
  admin: ReadonlyMap<string, string> = new Map()
  /** One change of those under way: a name and what becomes of it. */
  adminPending: { readonly name: string; readonly value: string | undefined } | undefined
  acknowledged = 0
  /**
   * Whether answers count. While a disk is being taken away a sync that is under way may be said to be done and is not
   * (the ioctl of ext4 makes it so; a machine without power says nothing): `going`. What is asked for when it is gone
   * must not be acknowledged.
   */
  disk: 'there' | 'going' | 'gone' = 'there'
  readonly #sentWithout = new Set<string>()
  #letters = 0
  readonly #tag: string
  /** Told of each step before it is done here: what happens to this one can be done to another. */
  onStep: (step: PostStep) => void = () => {}

  constructor(deliveries: Deliveries, tag: string) {
    this.deliveries = deliveries
    this.#tag = tag
    for (const [name, ledger] of this.accounts)
      ledger.onStep = (step) => this.onStep((post) => step(post.account(name)))
    deliveries.onTaken = (recipients, run) => this.onStep((post) => post.deliveries.note(recipients, run))
  }

  /** A name that was never used before. */
  newLetter(sizeBytes: number, author?: string): string {
    return letterId(`${this.#tag}n${++this.#letters}`, sizeBytes, author)
  }

  account(name: string): AccountLedger {
    const ledger = this.accounts.get(name)
    if (ledger === undefined) throw new Error(`no account ${name}`)
    return ledger
  }

  /** The last octet goes out now. */
  sent(id: string, targets: Targets, sender: string | undefined): void {
    if (this.disk === 'gone') this.#sentWithout.add(id)
    this.#step((post) => post.#sent(id, targets, sender))
  }

  #sent(id: string, targets: Targets, sender: string | undefined): void {
    for (const name of targets.accounts) this.account(name).sent(id)
    for (const address of targets.elsewhere) this.outgoing.set(address, { id, sender, acknowledged: false })
  }

  /** What the server said of it, for these targets. 4xx leaves open what became of it. */
  answered(id: string, targets: Targets, reply: string): void {
    if (this.disk !== 'there' && reply.startsWith('2')) {
      if (this.#sentWithout.has(id)) this.problems.push(`${id}: acknowledged without a disk`)
    } else this.#step((post) => post.#answered(id, targets, reply))
  }

  #answered(id: string, targets: Targets, reply: string): void {
    const isYes = reply.startsWith('2')
    if (isYes) {
      this.acknowledged++
      for (const name of targets.accounts) this.account(name).delivered(id)
      for (const address of targets.elsewhere) {
        const outgoing = this.outgoing.get(address)
        if (outgoing !== undefined) outgoing.acknowledged = true
      }
      return
    }
    this.refusals.push(`${id}: ${reply}`)
    if (!reply.startsWith('5')) return
    for (const name of targets.accounts) this.account(name).bounced(id)
    for (const address of targets.elsewhere) this.outgoing.delete(address)
  }

  /** As `sent`, of a letter that will be held. */
  sentHeld(id: string, account: string): void {
    if (this.disk === 'gone') this.#sentWithout.add(id)
    this.#step((post) => post.held.sent(id, account))
  }

  answeredHeld(id: string, reply: string): void {
    const isYes = reply.startsWith('2')
    if (this.disk !== 'there' && isYes) {
      if (this.#sentWithout.has(id)) this.problems.push(`${id}: acknowledged without a disk`)
      return
    }
    this.#step((post) => {
      if (isYes) post.held.put(id, 'held')
      else if (reply.startsWith('5')) post.held.forget(id)
      if (isYes) post.acknowledged++
      else post.refusals.push(`${id}: ${reply}`)
    })
  }

  /** The operator asks for it. From now on its owner may see it. */
  beginHeld(id: string, deed: HeldDeed): void {
    this.#step((post) => {
      post.held.put(id, deed === 'release' ? 'releasing' : 'deleting')
      if (deed === 'release') post.account(post.held.accountOf(id)).sent(id)
    })
  }

  doneHeld(id: string, deed: HeldDeed): void {
    this.#step((post) => {
      post.held.put(id, 'gone')
      post.acknowledged++
      if (deed === 'release') post.account(post.held.accountOf(id)).delivered(id)
    })
  }

  /** The operator asks for it: undefined, that it be gone. */
  beginAdmin(name: string, value: string | undefined): void {
    this.#step((post) => {
      post.adminPending = { name, value }
    })
  }

  doneAdmin(): void {
    this.#step((post) => {
      const { adminPending } = post
      if (adminPending !== undefined) post.admin = withName(post.admin, adminPending.name, adminPending.value)
      post.adminPending = undefined
      post.acknowledged++
    })
  }

  #step(step: PostStep): void {
    this.onStep(step)
    step(this)
  }
}

export type PostStep = (post: Post) => void

export function withName(
  names: ReadonlyMap<string, string>,
  name: string,
  value: string | undefined,
): ReadonlyMap<string, string> {
  const changed = new Map(names)
  if (value === undefined) changed.delete(name)
  else changed.set(name, value)
  return changed
}

/** Sizes as mail has them: most are small, some go into files of their own. */
export function letterSize(chance: Chance, profile: 'usual' | 'fat'): number {
  const kind = chance.next()
  if (profile === 'fat') return chance.within(150_000, 250_000)
  if (kind < 0.75) return chance.within(500, 6_000)
  if (kind < 0.9) return chance.within(6_000, 200_000)
  return chance.within(262_000, 900_000)
}
