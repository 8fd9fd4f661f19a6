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

/** One name in the tree of an account. The account is read anew by the caller: structure is not kept in step. */
interface NewMailbox {
  readonly account: AccountState
  readonly name: string
  readonly specialUse: string | null
  readonly selectable: boolean
  readonly nowMs: number
}

function insertMailbox(context: Context, mailbox: NewMailbox): number {
  const { account, name, specialUse, selectable, nowMs } = mailbox
  const id = context.state.next('mailbox')
  const uidValidity = context.state.nextUidValidity(nowMs)
  const modseq = context.state.nextModseq(account)
  context.sql.run(INSERT_MAILBOX, id, account.id, name, specialUse, selectable ? 1 : 0, uidValidity, modseq)
  return id
}

export function createFirstMailboxes(context: Context, owner: number, nowMs: number): void {
  const account = requireAccount(context, owner)
  for (const [name, specialUse] of FIRST_MAILBOXES) {
    insertMailbox(context, { account, name, specialUse, selectable: true, nowMs })
    context.sql.run(SUBSCRIBE, owner, name)
  }
  context.state.reread(owner)
}

export function createMailbox(context: Context, operation: Extract<Operation, { op: 'create' }>): undefined {
  const { name, owner, nowMs, specialUse } = operation
  const account = requireAccount(context, owner)
  const known = account.byName.get(name)
  if (known?.selectable) refuse({ kind: 'exists', what: name })
  if (known !== undefined) context.sql.run(DELETE_MAILBOX, known.id)
  makeParents(context, account, name as MailboxName, nowMs)
  insertMailbox(context, { account, name, specialUse, selectable: true, nowMs })
  context.state.reread(owner)
}

function makeParents(context: Context, account: AccountState, name: MailboxName, nowMs: number): void {
  const missing = mailboxAncestors(name).filter((above) => !account.byName.has(above))
  if (account.byId.size + missing.length + 1 > MAILBOXES_PER_ACCOUNT)
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
  const hasChildren = childrenOf(account, name).length > 0
  if (hasChildren && !mailbox.selectable) refuse({ kind: 'has-children', what: name })
  doomMailbox(context, account, mailbox)
  if (hasChildren) insertMailbox(context, { account, name, specialUse: null, selectable: false, nowMs })
  else dropEmptyParents(context, account, mailbox)
  context.state.reread(owner)
}

/** The mailbox is gone at once; its entries are purged in slices once no session shows it. */
export function doomMailbox(context: Context, account: AccountState, mailbox: MailboxState): void {
  context.state.touch(account)
  account.used -= mailbox.size
  context.sql.run(DELETE_MAILBOX, mailbox.id)
  context.sql.run(DELETE_KEYWORDS, mailbox.id)
  context.sql.run(DOOM, mailbox.id)
  context.events.push({ e: 'gone', mailbox: mailbox.id })
}

/** A parent that only remained for the sake of its children goes with the last of them. */
function dropEmptyParents(
  context: Context,
  account: AccountState,
  gone: MailboxState,
  renamedTo?: string,
): void {
  const dropped = new Set([gone.name])
  const stays = (name: string): boolean =>
    !dropped.has(name) && !isBelow(name as MailboxName, gone.name as MailboxName)
  for (let name = parentMailbox(gone.name as MailboxName); name !== undefined; name = parentMailbox(name)) {
    const parent = account.byName.get(name)
    if (parent === undefined || parent.selectable) return
    if (renamedTo !== undefined && isBelow(renamedTo as MailboxName, name)) return
    if (childrenOf(account, name).some((child) => stays(child.name))) return
    context.sql.run(DELETE_MAILBOX, parent.id)
    dropped.add(name)
  }
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
  makeParents(context, account, to as MailboxName, nowMs)
  if (from === INBOX) {
    insertMailbox(context, { account, name: to, specialUse: null, selectable: true, nowMs })
    context.state.reread(owner)
    const upTo = mailbox.uidNext - 1
    return emptyInbox(context, { op: 'empty-inbox', owner, to, upTo }) ? { upTo } : undefined
  }
  const below = childrenOf(account, from).map(
    (child) => [child.id, to + child.name.slice(from.length)] as const,
  )
  for (const [id, name] of [[mailbox.id, to] as const, ...below]) {
    context.sql.run(RENAME, name, id)
    context.events.push({ e: 'renamed', mailbox: id, name })
  }
  dropEmptyParents(context, account, mailbox, to)
  context.state.reread(owner)
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
