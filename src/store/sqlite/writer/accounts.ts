import { GOOD_ADDRESSES_PER_ACCOUNT } from '../../limits.ts'
import type { AccountRow, CredentialRow, Operation } from '../operations.ts'
import { type Context, refuse, requireAccount } from './context.ts'
import { createFirstMailboxes, doomMailbox } from './mailboxes.ts'

type Of<Name extends Operation['op']> = Extract<Operation, { op: Name }>

const SELECT_BY_LOGIN = 'SELECT id FROM accounts WHERE login = ?'
const SELECT_ROW = 'SELECT id, login, created_ms, quota, used, disabled FROM accounts WHERE id = ?'
const SELECT_LANGUAGE = 'SELECT language FROM languages WHERE account = ?'
const SET_LANGUAGE = 'INSERT OR REPLACE INTO languages (account, language) VALUES (?, ?)'
const DROP_LANGUAGE = 'DELETE FROM languages WHERE account = ?'
const INSERT_ACCOUNT = `INSERT INTO accounts (id, login, created_ms, quota, used, modseq, disabled)
  VALUES (?, ?, ?, ?, 0, 1, 0)`
const DELETE_ACCOUNT = 'DELETE FROM accounts WHERE id = ?'
const SET_QUOTA = 'UPDATE accounts SET quota = ? WHERE id = ?'
const SET_CREDENTIAL = `INSERT OR REPLACE INTO credentials (account, name, argon2id, scram, created_ms)
  VALUES (?, ?, ?, ?, ?)`
const SELECT_ALIAS = 'SELECT 1 FROM aliases WHERE alias = ?'
const SET_ALIAS = 'INSERT OR REPLACE INTO aliases (alias, targets) VALUES (?, ?)'
const DELETE_ALIAS = 'DELETE FROM aliases WHERE alias = ?'
const SET_GOOD = 'INSERT OR REPLACE INTO good_addresses (account, address, at_ms) VALUES (?, ?, ?)'
const DROP_GOOD = `DELETE FROM good_addresses WHERE account = ?1 AND address IN
  (SELECT address FROM good_addresses WHERE account = ?1 ORDER BY at_ms DESC LIMIT -1 OFFSET ?2)`
/** Tables that name an account and hold nothing large. */
const SMALL_TABLES = ['credentials', 'good_addresses', 'subscriptions', 'languages']

/** The account, its mailboxes and its credential. */
export function addAccount(context: Context, operation: Of<'add-account'>): AccountRow {
  const { login, nowMs, quota, credential } = operation
  if (find(context, login) !== undefined || context.sql.get(SELECT_ALIAS, login) !== undefined)
    refuse({ kind: 'exists', what: login })
  const id = context.state.next('account')
  context.sql.run(INSERT_ACCOUNT, id, login, nowMs, quota)
  createFirstMailboxes(context, id, nowMs)
  if (credential !== null) writeCredential(context, id, credential, nowMs)
  return publish(context, id)
}

/** Its mailboxes are doomed: their messages are purged in slices. */
export function removeAccount(context: Context, operation: Of<'remove-account'>): undefined {
  const id = requireLogin(context, operation.login)
  const account = requireAccount(context, id)
  for (const mailbox of [...account.byId.values()]) doomMailbox(context, account, mailbox)
  context.state.reread(id)
  context.sql.run(DELETE_ACCOUNT, id)
  for (const table of SMALL_TABLES) context.sql.run(`DELETE FROM ${table} WHERE account = ?`, id)
  context.events.push({ e: 'account-gone', account: id, login: operation.login })
}

export function setQuota(context: Context, operation: Of<'set-quota'>): undefined {
  const id = requireLogin(context, operation.login)
  context.sql.run(SET_QUOTA, operation.quota, id)
  context.state.reread(id)
  publish(context, id)
}

export function setLanguage(context: Context, operation: Of<'set-language'>): undefined {
  const id = requireLogin(context, operation.login)
  if (operation.language === null) context.sql.run(DROP_LANGUAGE, id)
  else context.sql.run(SET_LANGUAGE, id, operation.language)
  publish(context, id)
}

export function setCredential(context: Context, operation: Of<'set-credential'>): undefined {
  const id = requireLogin(context, operation.login)
  writeCredential(context, id, operation.credential, operation.nowMs)
  context.events.push({ e: 'credential', login: operation.login })
}

export function setAlias(context: Context, operation: Of<'set-alias'>): undefined {
  const { alias, targets } = operation
  if (find(context, alias) !== undefined) refuse({ kind: 'exists', what: alias })
  context.sql.run(SET_ALIAS, alias, JSON.stringify(targets))
  context.events.push({ e: 'alias', alias, targets })
}

export function removeAlias(context: Context, operation: Of<'remove-alias'>): undefined {
  const { alias } = operation
  if (context.sql.get(SELECT_ALIAS, alias) === undefined) refuse({ kind: 'no-such-alias', what: alias })
  context.sql.run(DELETE_ALIAS, alias)
  context.events.push({ e: 'alias', alias, targets: null })
}

export function noteGoodAddress(context: Context, operation: Of<'good-address'>): undefined {
  const { account, address, atMs } = operation
  if (context.state.account(account) === undefined) return
  context.sql.run(SET_GOOD, account, address, atMs)
  context.sql.run(DROP_GOOD, account, GOOD_ADDRESSES_PER_ACCOUNT)
}

function writeCredential(context: Context, account: number, credential: CredentialRow, nowMs: number): void {
  const { name, argon2id, scram } = credential
  context.sql.run(SET_CREDENTIAL, account, name, argon2id, scram, nowMs)
}

function find(context: Context, login: string): number | undefined {
  return context.sql.get(SELECT_BY_LOGIN, login)?.[0] as number | undefined
}

function requireLogin(context: Context, login: string): number {
  return find(context, login) ?? refuse({ kind: 'no-such-account', what: login })
}

function publish(context: Context, id: number): AccountRow {
  const row = context.sql.get(SELECT_ROW, id) as [number, string, number, number | null, number, number]
  const language = context.sql.get(SELECT_LANGUAGE, id)?.[0] as string | undefined
  const account = { ...accountRow(row), language: language ?? null }
  context.events.push({ e: 'account', account })
  return account
}

export function accountRow(
  row: readonly [number, string, number, number | null, number, number],
): AccountRow {
  const [id, login, createdMs, quota, used, disabled] = row
  return { id, login, createdMs, quota, used, disabled: disabled !== 0 }
}
