import { CACHED_MAILBOXES, LAST_CLOCK_SECONDS } from '../../limits.ts'
import type { Sql } from '../sql.ts'

export interface AccountState {
  readonly id: number
  readonly login: string
  readonly quota: number | null
  used: number
  modseq: number
  readonly byName: Map<string, MailboxState>
  readonly byId: Map<number, MailboxState>
}

export interface MailboxState {
  readonly id: number
  readonly account: number
  /** Changed by `State.renameMailbox` alone. */
  name: string
  readonly specialUse: string | null
  readonly selectable: boolean
  readonly uidValidity: number
  uidNext: number
  highestModseq: number
  messages: number
  unseen: number
  deleted: number
  size: number
  tombstones: number
  vanishedFloor: number
  /** In the order of their bits; replaced, never changed in place. */
  keywords: readonly string[]
}

export type CounterName = 'account' | 'mailbox' | 'body' | 'message' | 'queue' | 'trace' | 'uidvalidity'

const SELECT_ACCOUNT = 'SELECT id, login, quota, used, modseq FROM accounts WHERE id = ?'
const SELECT_MAILBOXES = `SELECT id, name, special_use, selectable, uidvalidity, uidnext, highest_modseq, messages, unseen,
  deleted, size, tombstones, vanished_floor FROM mailboxes WHERE account = ?`
const SELECT_KEYWORDS = `SELECT k.mailbox, k.name FROM keywords k JOIN mailboxes m ON m.id = k.mailbox
  WHERE m.account = ? ORDER BY k.mailbox, k.bit`
const UPDATE_ACCOUNT = 'UPDATE accounts SET used = ?, modseq = ? WHERE id = ?'
const UPDATE_MAILBOX = `UPDATE mailboxes SET uidnext = ?, highest_modseq = ?, messages = ?, unseen = ?,
  deleted = ?, size = ?, tombstones = ?, vanished_floor = ? WHERE id = ?`
const SELECT_COUNTERS =
  'SELECT account, mailbox, body, message, queue, trace, uidvalidity, trace_bytes FROM counters'
const UPDATE_COUNTERS = `UPDATE counters SET account = ?, mailbox = ?, body = ?, message = ?, queue = ?,
  trace = ?, uidvalidity = ?, trace_bytes = ?`

type Counters = Record<CounterName, number> & { traceBytes: number }

/**
 * The writer's own copy of accounts' and mailboxes' counters, written back once a group rather than once a
 * message. A refused operation is undone here as it is in the database; a lost group empties the copy.
 */
export class State {
  #sql: Sql
  readonly #accounts = new Map<number, AccountState>()
  #mailboxCount = 0
  #counters: Counters
  #countersChanged = false
  readonly #changed = new Set<AccountState | MailboxState>()
  readonly #usage = new Set<number>()
  readonly #undo = new Map<AccountState | MailboxState, AccountState | MailboxState>()
  /** What takes back each change of the tree of mailboxes, in the order of the changes. */
  readonly #undoTree: (() => void)[] = []
  #undoTraceBytes = 0

  constructor(sql: Sql) {
    this.#sql = sql
    this.#counters = readCounters(sql)
  }

  account(id: number): AccountState | undefined {
    const known = this.#accounts.get(id)
    return known ?? this.#load(id)
  }

  mailbox(owner: number, id: number): MailboxState | undefined {
    return this.account(owner)?.byId.get(id)
  }

  /** Numbers that are never given twice, whatever fails afterwards. */
  next(counter: CounterName): number {
    this.#countersChanged = true
    return ++this.#counters[counter]
  }

  /**
   * rfc3501 §2.3.1.1: larger than every one before, in the whole database. The clock makes it larger than
   * those of a database restored from a backup, too.
   */
  nextUidValidity(nowMs: number): number {
    this.#countersChanged = true
    const seconds = Math.floor(nowMs / 1000)
    const clock = seconds > LAST_CLOCK_SECONDS ? 0 : seconds
    this.#counters.uidvalidity = Math.max(this.#counters.uidvalidity + 1, clock)
    return this.#counters.uidvalidity
  }

  get traceBytes(): number {
    return this.#counters.traceBytes
  }

  addTraceBytes(bytes: number): void {
    this.#countersChanged = true
    this.#counters.traceBytes += bytes
  }

  /** The account's next MODSEQ; one for all that an operation changes. */
  nextModseq(account: AccountState): number {
    this.touch(account)
    return ++account.modseq
  }

  /** Must be called before a record is changed. */
  touch(record: AccountState | MailboxState): void {
    this.#changed.add(record)
    if (!this.#undo.has(record)) this.#undo.set(record, { ...record })
  }

  /** It has been inserted, or is about to be. */
  addMailbox(account: AccountState, mailbox: MailboxState): void {
    this.#link(account, mailbox)
    this.#undoTree.push(() => this.#unlink(account, mailbox))
  }

  /** Its row has been deleted, or is about to be. */
  dropMailbox(account: AccountState, mailbox: MailboxState): void {
    this.#unlink(account, mailbox)
    this.#undoTree.push(() => this.#link(account, mailbox))
  }

  renameMailbox(account: AccountState, mailbox: MailboxState, name: string): void {
    const before = mailbox.name
    this.#setName(account, mailbox, name)
    this.#undoTree.push(() => this.#setName(account, mailbox, before))
  }

  beginOperation(): void {
    this.#undo.clear()
    this.#undoTree.length = 0
    this.#undoTraceBytes = this.#counters.traceBytes
  }

  undoOperation(): void {
    for (const [record, before] of this.#undo) Object.assign(record, before)
    this.#undo.clear()
    for (const takeBack of this.#undoTree.reverse()) takeBack()
    this.#undoTree.length = 0
    this.#counters.traceBytes = this.#undoTraceBytes
  }

  /** Writes everything back. Accounts come, go and change their quota only after this: see `reread`. */
  flush(): void {
    for (const record of this.#changed)
      if ('login' in record) {
        this.#usage.add(record.id)
        this.#sql.run(UPDATE_ACCOUNT, record.used, record.modseq, record.id)
      } else writeMailbox(this.#sql, record)
    this.#changed.clear()
    if (this.#countersChanged) writeCounters(this.#sql, this.#counters)
    this.#countersChanged = false
  }

  /** Accounts written since the last call, with what they use now. */
  takeUsage(): { readonly account: number; readonly used: number }[] {
    const usage: { account: number; used: number }[] = []
    for (const id of this.#usage) {
      const account = this.account(id)
      if (account !== undefined) usage.push({ account: id, used: account.used })
    }
    this.#usage.clear()
    return usage
  }

  /** Reads the account anew at its next use: it has changed in the database, or is gone. */
  reread(account: number): void {
    this.flush()
    const known = this.#accounts.get(account)
    if (known === undefined) return
    this.#mailboxCount -= known.byId.size
    this.#accounts.delete(account)
  }

  /**
   * What is known may be wrong: the group is lost, or an operation on an account was undone (everything
   * had been written before it). Only counters that never go back are kept.
   */
  forgetAll(): void {
    this.#accounts.clear()
    this.#mailboxCount = 0
    this.#changed.clear()
    this.#undo.clear()
    this.#undoTree.length = 0
    const stored = readCounters(this.#sql)
    this.#counters = { ...maxCounters(this.#counters, stored), traceBytes: stored.traceBytes }
    this.#countersChanged = true
  }

  /** The database was opened again: all is read anew from there. */
  reopen(sql: Sql): void {
    this.#sql = sql
    this.#usage.clear()
    this.forgetAll()
  }

  /** Between groups, when all is written. */
  trim(): void {
    if (this.#mailboxCount <= CACHED_MAILBOXES) return
    this.#accounts.clear()
    this.#mailboxCount = 0
  }

  #link(account: AccountState, mailbox: MailboxState): void {
    account.byId.set(mailbox.id, mailbox)
    account.byName.set(mailbox.name, mailbox)
    this.#mailboxCount++
  }

  #unlink(account: AccountState, mailbox: MailboxState): void {
    account.byId.delete(mailbox.id)
    account.byName.delete(mailbox.name)
    this.#mailboxCount--
  }

  #setName(account: AccountState, mailbox: MailboxState, name: string): void {
    // Names may pass through each other where a whole branch is renamed; only our own entry goes.
    if (account.byName.get(mailbox.name) === mailbox) account.byName.delete(mailbox.name)
    mailbox.name = name
    account.byName.set(name, mailbox)
  }

  #load(id: number): AccountState | undefined {
    const row = this.#sql.get(SELECT_ACCOUNT, id)
    if (row === undefined) return undefined
    const [, login, quota, used, modseq] = row as [number, string, number | null, number, number]
    const account: AccountState = { id, login, quota, used, modseq, byName: new Map(), byId: new Map() }
    const keywords = this.#keywords(id)
    for (const each of this.#sql.all(SELECT_MAILBOXES, id)) {
      const mailbox = mailboxOf(id, each as MailboxRow, keywords)
      account.byName.set(mailbox.name, mailbox)
      account.byId.set(mailbox.id, mailbox)
    }
    this.#mailboxCount += account.byId.size
    this.#accounts.set(id, account)
    return account
  }

  #keywords(account: number): Map<number, string[]> {
    const byMailbox = new Map<number, string[]>()
    for (const [mailbox, name] of this.#sql.all(SELECT_KEYWORDS, account) as readonly [number, string][]) {
      const names = byMailbox.get(mailbox)
      if (names === undefined) byMailbox.set(mailbox, [name])
      else names.push(name)
    }
    return byMailbox
  }
}

type MailboxRow = [
  id: number,
  name: string,
  specialUse: string | null,
  selectable: number,
  uidValidity: number,
  uidNext: number,
  highestModseq: number,
  messages: number,
  unseen: number,
  deleted: number,
  size: number,
  tombstones: number,
  vanishedFloor: number,
]

function mailboxOf(account: number, row: MailboxRow, keywords: Map<number, string[]>): MailboxState {
  return {
    id: row[0],
    account,
    name: row[1],
    specialUse: row[2],
    selectable: row[3] === 1,
    uidValidity: row[4],
    uidNext: row[5],
    highestModseq: row[6],
    messages: row[7],
    unseen: row[8],
    deleted: row[9],
    size: row[10],
    tombstones: row[11],
    vanishedFloor: row[12],
    keywords: keywords.get(row[0]) ?? [],
  }
}

function writeMailbox(sql: Sql, m: MailboxState): void {
  const numbers = [m.uidNext, m.highestModseq, m.messages, m.unseen, m.deleted, m.size, m.tombstones]
  sql.run(UPDATE_MAILBOX, ...numbers, m.vanishedFloor, m.id)
}

function readCounters(sql: Sql): Counters {
  const row = sql.get(SELECT_COUNTERS) as readonly number[] | undefined
  const [
    account = 0,
    mailbox = 0,
    body = 0,
    message = 0,
    queue = 0,
    trace = 0,
    uidvalidity = 0,
    traceBytes = 0,
  ] = row ?? []
  return { account, mailbox, body, message, queue, trace, uidvalidity, traceBytes }
}

function writeCounters(sql: Sql, c: Counters): void {
  const ids = [c.account, c.mailbox, c.body, c.message, c.queue, c.trace]
  sql.run(UPDATE_COUNTERS, ...ids, c.uidvalidity, c.traceBytes)
}

function maxCounters(a: Counters, b: Counters): Counters {
  const names = Object.keys(a) as (keyof Counters)[]
  return Object.fromEntries(names.map((name) => [name, Math.max(a[name], b[name])])) as unknown as Counters
}
