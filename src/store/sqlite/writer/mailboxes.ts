import {
  INBOX,
  isBelow,
  type MailboxName,
  mailboxAncestors,
  parentMailbox,
  parseMailboxName,
} from '../../../mail/mailbox-name.ts'
import { MAILBOXES_PER_ACCOUNT, SUBSCRIPTIONS_PER_ACCOUNT, WRITE_SLICE_ROWS } from '../../limits.ts'
import type { Operation } from '../operations.ts'
import { type Context, refuse, requireAccount, requireNamed } from './context.ts'
import { firstEntries, removeEntries } from './entries.ts'
import { transfer } from './flags.ts'
import type { AccountState, MailboxState } from './state.ts'

const INSERT_MAILBOX = `INSERT INTO mailboxes (id, account, name, special_use, selectable, uidvalidity, uidnext,
  highest_modseq, messages, unseen, deleted, size, tombstones, vanished_floor)
  VALUES (?, ?, ?, ?, ?, ?, 1, ?, 0, 0, 0, 0, 0, 0)`
const DELETE_MAILBOX = 'DELETE FROM mailboxes WHERE id = ?'
const DELETE_KEYWORDS = 'DELETE FROM keywords WHERE mailbox = ?'
const DOOM = 'INSERT INTO doomed (mailbox) VALUES (?)'
const RENAME = 'UPDATE mailboxes SET name = ? WHERE id = ?'
const SUBSCRIBE = 'INSERT OR IGNORE INTO subscriptions (account, name) VALUES (?, ?)'
const UNSUBSCRIBE = 'DELETE FROM subscriptions WHERE account = ? AND name = ?'
const COUNT_SUBSCRIPTIONS = 'SELECT count(*) FROM subscriptions WHERE account = ?'

/** The mailboxes of a new account (rfc6154 §2), all subscribed: clients that LSUB show them at once. */
const FIRST_MAILBOXES: readonly (readonly [name: string, specialUse: string | null])[] = [
  [INBOX, null],
  ['Drafts', '\\Drafts'],
  ['Sent', '\\Sent'],
  ['Junk', '\\Junk'],
  ['Trash', '\\Trash'],
  ['Archive', '\\Archive'],
]

const NOTHING_IN_IT = {
  uidNext: 1,
  messages: 0,
  unseen: 0,
  deleted: 0,
  size: 0,
  tombstones: 0,
  vanishedFloor: 0,
  keywords: [],
} as const

/** One name in the tree of an account. */
interface NewMailbox {
  readonly account: AccountState
  readonly name: string
  readonly specialUse: string | null
  readonly selectable: boolean
  readonly nowMs: number
}

function insertMailbox(context: Context, mailbox: NewMailbox): void {
  const { account, name, specialUse, selectable, nowMs } = mailbox
  const id = context.state.next('mailbox')
  const uidValidity = context.state.nextUidValidity(nowMs)
  const modseq = context.state.nextModseq(account)
  context.sql.run(INSERT_MAILBOX, id, account.id, name, specialUse, selectable ? 1 : 0, uidValidity, modseq)
  const place = { id, account: account.id, name, specialUse, selectable, uidValidity }
  context.state.addMailbox(account, { ...place, ...NOTHING_IN_IT, highestModseq: modseq })
}

function deleteRow(context: Context, account: AccountState, mailbox: MailboxState): void {
  context.sql.run(DELETE_MAILBOX, mailbox.id)
  context.state.dropMailbox(account, mailbox)
}

export function createFirstMailboxes(context: Context, owner: number, nowMs: number): void {
  const account = requireAccount(context, owner)
  for (const [name, specialUse] of FIRST_MAILBOXES) {
    insertMailbox(context, { account, name, specialUse, selectable: true, nowMs })
    context.sql.run(SUBSCRIBE, owner, name)
  }
}

export function createMailbox(context: Context, operation: Extract<Operation, { op: 'create' }>): undefined {
  const { name, owner, nowMs, specialUse } = operation
  const account = requireAccount(context, owner)
  const known = account.byName.get(name)
  if (known?.selectable) refuse({ kind: 'exists', what: name })
  if (known !== undefined) deleteRow(context, account, known)
  makeParents(context, account, { name: name as MailboxName, adds: 1, nowMs })
  insertMailbox(context, { account, name, specialUse, selectable: true, nowMs })
}

/** @param what.adds mailboxes that are made besides: none where one only gets another name. */
function makeParents(
  context: Context,
  account: AccountState,
  what: { readonly name: MailboxName; readonly adds: 0 | 1; readonly nowMs: number },
): void {
  const { name, adds, nowMs } = what
  const missing = mailboxAncestors(name).filter((above) => !account.byName.has(above))
  if (account.byId.size + missing.length + adds > MAILBOXES_PER_ACCOUNT)
    refuse({ kind: 'limit', what: `${MAILBOXES_PER_ACCOUNT} mailboxes` })
  for (const above of missing)
    insertMailbox(context, { account, name: above, specialUse: null, selectable: true, nowMs })
}

/** rfc3501 §6.3.4: a name with children stays, without its messages. */
export function deleteMailbox(context: Context, operation: Extract<Operation, { op: 'delete' }>): undefined {
  const { name, owner, nowMs } = operation
  const account = requireAccount(context, owner)
  if (name === INBOX) refuse({ kind: 'is-inbox', what: name })
  const mailbox = account.byName.get(name) ?? refuse({ kind: 'no-such-mailbox', what: name })
  const hasChildren = isParent(account, name)
  if (hasChildren && !mailbox.selectable) refuse({ kind: 'has-children', what: name })
  doomMailbox(context, account, mailbox)
  if (hasChildren) insertMailbox(context, { account, name, specialUse: null, selectable: false, nowMs })
  else dropEmptyParents(context, account, name)
}

/** The mailbox is gone at once; its entries are purged in slices once no session shows it. */
export function doomMailbox(context: Context, account: AccountState, mailbox: MailboxState): void {
  context.state.touch(account)
  account.used -= mailbox.size
  deleteRow(context, account, mailbox)
  context.sql.run(DELETE_KEYWORDS, mailbox.id)
  context.sql.run(DOOM, mailbox.id)
  context.events.push({ e: 'gone', mailbox: mailbox.id })
}

/** A parent that only remained for the sake of its children goes with the last of them. */
function dropEmptyParents(context: Context, account: AccountState, gone: string): void {
  for (let name = parentMailbox(gone as MailboxName); name !== undefined; name = parentMailbox(name)) {
    const parent = account.byName.get(name)
    if (parent === undefined || parent.selectable || isParent(account, name)) return
    deleteRow(context, account, parent)
  }
}

function isParent(account: AccountState, name: string): boolean {
  for (const other of account.byName.keys())
    if (isBelow(other as MailboxName, name as MailboxName)) return true
  return false
}

function childrenOf(account: AccountState, name: string): MailboxState[] {
  return [...account.byName.values()].filter((one) => isBelow(one.name as MailboxName, name as MailboxName))
}

/**
 * rfc3501 §6.3.5. UIDVALIDITY stays: each is given once in the database, so no pair with a name returns.
 * @returns up to which UID messages of INBOX have still to be moved; undefined where all is done.
 */
export function renameMailbox(
  context: Context,
  operation: Extract<Operation, { op: 'rename' }>,
): { readonly upTo: number } | undefined {
  const { from, to, owner, nowMs } = operation
  const account = requireAccount(context, owner)
  const mailbox = account.byName.get(from) ?? refuse({ kind: 'no-such-mailbox', what: from })
  if (account.byName.has(to)) refuse({ kind: 'exists', what: to })
  if (to === from || isBelow(to as MailboxName, from as MailboxName))
    refuse({ kind: 'invalid-name', what: to })
  // Names below grow with it: one too long or too deep could never be selected again.
  const tooLong =
    from !== INBOX && childrenOf(account, from).some(({ name }) => !canBe(to + name.slice(from.length)))
  if (tooLong) refuse({ kind: 'invalid-name', what: to })
  makeParents(context, account, { name: to as MailboxName, adds: from === INBOX ? 1 : 0, nowMs })
  if (from === INBOX) {
    insertMailbox(context, { account, name: to, specialUse: null, selectable: true, nowMs })
    const upTo = mailbox.uidNext - 1
    return emptyInbox(context, { op: 'empty-inbox', owner, to, upTo }) ? { upTo } : undefined
  }
  for (const one of [mailbox, ...childrenOf(account, from)]) {
    const name = to + one.name.slice(from.length)
    context.sql.run(RENAME, name, one.id)
    context.state.renameMailbox(account, one, name)
    context.events.push({ e: 'renamed', mailbox: one.id, name })
  }
  dropEmptyParents(context, account, from)
  return undefined
}

const canBe = (name: string): boolean => parseMailboxName(name) === name

/** INBOX stays, empty; its children stay where they are. One slice: true where more is to do. */
export function emptyInbox(context: Context, operation: Extract<Operation, { op: 'empty-inbox' }>): boolean {
  const { owner, to, upTo } = operation
  const account = requireAccount(context, owner)
  const [source, target] = [requireNamed(context, owner, INBOX), requireNamed(context, owner, to)]
  const rows = firstEntries(context, source, { ranges: [1, upTo], flags: 0, limit: WRITE_SLICE_ROWS })
  if (rows.length === 0) return false
  transfer(context, { account, source, target }, rows)
  const modseq = context.state.nextModseq(account)
  removeEntries(context, { account, mailbox: source, modseq }, rows)
  return rows.length === WRITE_SLICE_ROWS
}

export function subscribe(context: Context, operation: Extract<Operation, { op: 'subscribe' }>): undefined {
  const { owner, name, on } = operation
  requireAccount(context, owner)
  if (!on) {
    context.sql.run(UNSUBSCRIBE, owner, name)
    return
  }
  const count = context.sql.get(COUNT_SUBSCRIPTIONS, owner)?.[0] as number
  if (count >= SUBSCRIPTIONS_PER_ACCOUNT)
    refuse({ kind: 'limit', what: `${SUBSCRIPTIONS_PER_ACCOUNT} subscriptions` })
  context.sql.run(SUBSCRIBE, owner, name)
}
