// What must be in the store, may be in it, and must not be: kept by those who sent it, and compared with what is there.

/** One message in one mailbox. `flags`: sorted, joined by blanks, without \Recent. */
export interface Copy {
  readonly id: string
  readonly flags: string
}

export type Mailboxes = ReadonlyMap<string, readonly Copy[]>

/** Something that an account's owner asks for: what it makes of the mailboxes once it is done. */
export interface Change {
  readonly what: string
  apply(mailboxes: Mailboxes): Mailboxes
}

export const INBOX = 'INBOX'

/** One account. Its owner has one change under way at a time; mail arrives whenever it likes. */
export class AccountLedger {
  readonly login: string
  /** As of the last answer. */
  mailboxes: Mailboxes = new Map([[INBOX, []]])
  /** Whether the mailboxes that it was born with are known. */
  isKnown = false
  /** Told of each step of the owner before it is done here. */
  onStep: (step: (ledger: AccountLedger) => void) => void = () => {}
  /** Asked for and not answered: it may have been done or not, but not half. */
  #pending: Change | undefined
  /** Letters that were sent whole and not answered. */
  readonly #arriving = new Set<string>()

  constructor(login: string) {
    this.login = login
  }

  /** The mailboxes of a new account: empty, all of them. */
  adopt(names: readonly string[]): void {
    if (this.isKnown) return
    this.onStep((other) => other.adopt(names))
    this.isKnown = true
    this.mailboxes = new Map(names.map((name) => [name, this.copies(name)]))
  }

  copies(mailbox: string): readonly Copy[] {
    return this.mailboxes.get(mailbox) ?? []
  }

  begin(change: Change): void {
    this.onStep((other) => other.begin(change))
    if (this.#pending !== undefined) throw new Error(`${this.login}: two changes at once`)
    this.#pending = change
  }

  done(): void {
    this.onStep((other) => other.done())
    const change = this.#pending
    if (change === undefined) throw new Error(`${this.login}: no change was under way`)
    this.#pending = undefined
    this.mailboxes = change.apply(this.mailboxes)
  }

  /** The last octet of a letter to this account goes out now. */
  sent(id: string): void {
    this.#arriving.add(id)
  }

  /** It was acknowledged. Its owner may have seen it, and moved it, before. */
  delivered(id: string): void {
    if (!this.#arriving.delete(id)) return
    this.mailboxes = withCopies(this.mailboxes, INBOX, [{ id, flags: '' }])
  }

  /** Sent whole, neither answered nor seen. */
  isArriving(id: string): boolean {
    return this.#arriving.has(id)
  }

  /** It was refused for good. */
  bounced(id: string): void {
    this.#arriving.delete(id)
  }

  /** The owner sees INBOX: what is seen is there to stay, answered or not. Gives what must not be seen. */
  seen(copies: readonly Copy[]): readonly string[] {
    this.onStep((other) => other.seen(copies))
    const known = new Set(this.copies(INBOX).map(({ id }) => id))
    const problems: string[] = []
    for (const { id } of copies) {
      if (known.has(id)) continue
      if (this.#arriving.has(id)) this.delivered(id)
      else problems.push(`${this.login} ${INBOX}: ${id} was never sent there or is there twice`)
    }
    return problems
  }

  /** Compares with what is there after a crash, and takes it for granted from now on. Gives what is wrong. */
  settle(actual: Mailboxes): readonly string[] {
    this.adopt([...actual.keys()])
    const change = this.#pending
    const before = compare(this.login, this.mailboxes, actual, this.#arriving)
    const after =
      change === undefined
        ? undefined
        : compare(this.login, change.apply(this.mailboxes), actual, this.#arriving)
    this.#pending = undefined
    this.#arriving.clear()
    this.mailboxes = actual
    if (before.length === 0 || after === undefined) return before
    if (after.length === 0) return []
    const best = after.length < before.length ? after : before
    return [...best, `${this.login}: neither before nor after: ${change?.what}`]
  }
}

/** @param optional letters of which INBOX may have one more copy each. */
export function compare(
  login: string,
  expected: Mailboxes,
  actual: Mailboxes,
  optional: ReadonlySet<string> = new Set(),
): readonly string[] {
  const problems: string[] = []
  for (const name of new Set([...expected.keys(), ...actual.keys()])) {
    const wanted = expected.get(name)
    const there = actual.get(name)
    const at = `${login} ${name}`
    if (wanted === undefined) problems.push(`${at}: this mailbox must not be there`)
    else if (there === undefined) problems.push(`${at}: this mailbox is missing`)
    else problems.push(...compareCopies(at, wanted, there, name === INBOX ? optional : new Set()))
  }
  return problems
}

function compareCopies(
  at: string,
  expected: readonly Copy[],
  actual: readonly Copy[],
  optional: ReadonlySet<string>,
): readonly string[] {
  const left = new Map<string, Copy[]>()
  for (const copy of expected) left.set(copy.id, [...(left.get(copy.id) ?? []), copy])
  const problems: string[] = []
  const surprises = new Map<string, number>()
  for (const { id, flags } of actual) {
    const wanted = left.get(id) ?? []
    const same = wanted.findIndex((copy) => copy.flags === flags)
    if (same >= 0) wanted.splice(same, 1)
    else if (wanted.length > 0)
      problems.push(`${at}: ${id} has the flags (${flags}), not (${wanted.shift()?.flags})`)
    else surprises.set(id, (surprises.get(id) ?? 0) + 1)
  }
  for (const [id, count] of surprises) {
    if (count === 1 && optional.has(id)) continue
    const known = expected.some((copy) => copy.id === id)
    problems.push(
      known || count > 1 ? `${at}: ${id} is there ${count} times more` : `${at}: ${id} must not be there`,
    )
  }
  for (const [id, missing] of left) for (const _ of missing) problems.push(`${at}: ${id} is missing`)
  return problems
}

/* Changes */

export function withCopies(mailboxes: Mailboxes, mailbox: string, copies: readonly Copy[]): Mailboxes {
  return new Map(mailboxes).set(mailbox, [...(mailboxes.get(mailbox) ?? []), ...copies])
}

function withoutIds(mailboxes: Mailboxes, mailbox: string, ids: ReadonlySet<string>): Mailboxes {
  const left = (mailboxes.get(mailbox) ?? []).filter(({ id }) => !ids.has(id))
  return new Map(mailboxes).set(mailbox, left)
}

export function appended(mailbox: string, copy: Copy): Change {
  return { what: `APPEND ${mailbox} ${copy.id}`, apply: (all) => withCopies(all, mailbox, [copy]) }
}

/** Copies of letters that are not in the other mailbox yet: they keep their flags. */
export function copied(from: string, ids: ReadonlySet<string>, to: string): Change {
  return {
    what: `COPY ${[...ids]} from ${from} to ${to}`,
    apply: (all) =>
      withCopies(
        all,
        to,
        (all.get(from) ?? []).filter(({ id }) => ids.has(id)),
      ),
  }
}

export function moved(from: string, ids: ReadonlySet<string>, to: string): Change {
  const copy = copied(from, ids, to)
  return {
    what: `MOVE ${[...ids]} from ${from} to ${to}`,
    apply: (all) => withoutIds(copy.apply(all), from, ids),
  }
}

export function flagged(mailbox: string, ids: ReadonlySet<string>, flags: string): Change {
  return {
    what: `STORE ${mailbox} ${[...ids]} (${flags})`,
    apply: (all) =>
      new Map(all).set(
        mailbox,
        (all.get(mailbox) ?? []).map((copy) => (ids.has(copy.id) ? { ...copy, flags } : copy)),
      ),
  }
}

export function expunged(mailbox: string, ids: ReadonlySet<string>): Change {
  return {
    what: `EXPUNGE ${mailbox} ${[...ids]}`,
    apply: (all) => withoutIds(all, mailbox, ids),
  }
}

export function created(mailbox: string): Change {
  return { what: `CREATE ${mailbox}`, apply: (all) => new Map(all).set(mailbox, []) }
}

export function renamed(mailbox: string, to: string): Change {
  return {
    what: `RENAME ${mailbox} ${to}`,
    apply: (all) => new Map([...all].map(([name, copies]) => [name === mailbox ? to : name, copies])),
  }
}

export function deleted(mailbox: string): Change {
  return { what: `DELETE ${mailbox}`, apply: (all) => new Map([...all].filter(([name]) => name !== mailbox)) }
}
