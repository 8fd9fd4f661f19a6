// What a store was found to hold, however it was read, beside what was promised.

import { refusing } from './deliveries.ts'
import type { HeldFound } from './held.ts'
import { type Copy, INBOX } from './ledger.ts'
import type { Found } from './letter.ts'
import { accountNames, type Post, withName } from './post.ts'

/** One message as it was found; `flags` as in a ledger. */
export interface FoundCopy {
  readonly found: Found
  readonly flags: string
}

/** All of one account. */
export class AccountRead {
  readonly login: string
  readonly mailboxes = new Map<string, readonly Copy[]>()
  /** Recipients that reports in it tell of, each as often as it is told. */
  readonly reports: string[] = []
  readonly problems: string[] = []

  constructor(login: string) {
    this.login = login
  }

  put(mailbox: string, messages: readonly FoundCopy[]): void {
    const copies: Copy[] = []
    for (const { found, flags } of messages) {
      if (found.kind === 'letter') copies.push({ id: found.id, flags })
      else if (found.kind === 'report') this.reports.push(...found.about)
      else this.problems.push(`${this.login} ${mailbox}: ${found.why}`)
    }
    this.mailboxes.set(mailbox, copies)
  }
}

export interface AllRead {
  /** Aliases with their targets, accounts with ''. */
  readonly names: ReadonlyMap<string, string>
  readonly accounts: ReadonlyMap<string, AccountRead>
  readonly held: HeldFound
  /** Recipients that waited in the queue before and after the rest was read; undefined: too many to list. */
  readonly waitingFirst: ReadonlySet<string> | undefined
  readonly waitingAfter: ReadonlySet<string> | undefined
}

/** Gives what is wrong. Afterwards the ledger holds what is there. */
export function compareAll(
  post: Post,
  { names, accounts, held, waitingFirst, waitingAfter }: AllRead,
): readonly string[] {
  const problems = [...settleAdmin(post, names), ...settleHeld(post, held, accounts)]
  const reports = new Map<string, number>()
  for (const name of accountNames) {
    const read = accounts.get(name)
    if (read === undefined) continue
    problems.push(...read.problems, ...post.account(name).settle(read.mailboxes))
    for (const about of read.reports) reports.set(about, (reports.get(about) ?? 0) + 1)
  }
  if (waitingFirst === undefined || waitingAfter === undefined)
    problems.push('the queue is too long to be compared')
  else problems.push(...checkOutgoing(post, { waitingFirst, waitingAfter, reports }))
  problems.push(...post.problems.splice(0), ...post.deliveries.problems.splice(0))
  return problems
}

/** Before the accounts are settled: what arrives in them is known no more then. */
function settleHeld(post: Post, held: HeldFound, accounts: AllRead['accounts']): readonly string[] {
  return post.held.settle(held, (name, letter) =>
    post.account(name).isArriving(letter)
      ? (accounts
          .get(name)
          ?.mailboxes.get(INBOX)
          ?.filter(({ id }) => id === letter).length ?? 0)
      : undefined,
  )
}

function settleAdmin(post: Post, actual: ReadonlyMap<string, string>): readonly string[] {
  const pending = post.adminPending
  const before = compareNames(post.admin, actual)
  const after =
    pending === undefined ? before : compareNames(withName(post.admin, pending.name, pending.value), actual)
  post.admin = actual
  post.adminPending = undefined
  return after.length < before.length ? after : before
}

function compareNames(
  expected: ReadonlyMap<string, string>,
  actual: ReadonlyMap<string, string>,
): readonly string[] {
  return [...new Set([...expected.keys(), ...actual.keys()])].flatMap((name) =>
    expected.get(name) === actual.get(name)
      ? []
      : [
          `operator: ${name} is ${JSON.stringify(actual.get(name))}, not ${JSON.stringify(expected.get(name))}`,
        ],
  )
}

/** Mail for elsewhere waits or was taken; what was refused there waits or was reported, once. */
function checkOutgoing(
  post: Post,
  seen: {
    readonly waitingFirst: ReadonlySet<string>
    readonly waitingAfter: ReadonlySet<string>
    readonly reports: ReadonlyMap<string, number>
  },
): readonly string[] {
  const problems: string[] = []
  const { outgoing, deliveries } = post
  for (const [recipient, { id, acknowledged }] of outgoing) {
    const reports = seen.reports.get(recipient) ?? 0
    const isRefused = recipient.endsWith(`@${refusing}`)
    const isDone = isRefused ? reports > 0 : deliveries.taken.has(recipient)
    if (reports > 1) problems.push(`${recipient}: reported ${reports} times`)
    if (reports > 0 && !isRefused) problems.push(`${recipient}: reported though it was not refused`)
    if (reports > 0 && seen.waitingAfter.has(recipient)) problems.push(`${recipient}: reported, and it waits`)
    if (acknowledged && !isDone && !seen.waitingFirst.has(recipient))
      problems.push(`${recipient}: ${id} is neither in the queue nor was it delivered`)
    // Whatever exists now must go on existing. What waited at first may have gone since, and be reported to somebody
    // whose mail had been read by then.
    else if (isDone || seen.waitingFirst.has(recipient) || seen.waitingAfter.has(recipient))
      outgoing.set(recipient, { ...at(outgoing, recipient), acknowledged: true })
    // Never answered, and not there: it never was.
    else if (!acknowledged) outgoing.delete(recipient)
  }
  const known = (recipient: string): boolean => outgoing.has(recipient)
  for (const recipient of [...seen.waitingAfter, ...seen.reports.keys(), ...deliveries.taken.keys()])
    if (!known(recipient)) problems.push(`${recipient}: was never sent or was refused`)
  return problems
}

function at<K, V>(map: ReadonlyMap<K, V>, key: K): V {
  return map.get(key) as V
}
