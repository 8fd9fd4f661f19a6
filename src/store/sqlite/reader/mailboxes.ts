import type { Answers, DirectoryRows, InfoRow, LoadedMailbox, MailboxRow, StatusRow } from '../questions.ts'
import { isUnreadable, type Sql } from '../sql.ts'
import { accountRow } from '../writer/accounts.ts'

const SELECT_MAILBOXES = 'SELECT id, name, special_use, selectable FROM mailboxes WHERE account = ?'
const SELECT_SUBSCRIPTIONS = 'SELECT name FROM subscriptions WHERE account = ? ORDER BY name'
const SELECT_STATUS = `SELECT id, selectable, messages, unseen, uidnext, uidvalidity, size, highest_modseq
  FROM mailboxes WHERE account = ? AND name = ?`
const SELECT_HEAD = `SELECT name, uidnext, uidvalidity, highest_modseq FROM mailboxes
  WHERE account = ? AND id = ? AND selectable = 1`
// Children sort between `name/` and `name0`: 0 is the character after the separator.
const SELECT_INFO = `SELECT id, special_use, selectable,
  EXISTS (SELECT 1 FROM mailboxes c WHERE c.account = m.account AND c.name > m.name || '/'
    AND c.name < m.name || '0')
  FROM mailboxes m WHERE account = ? AND name = ?`
const SELECT_SUBSCRIBED = 'SELECT 1 FROM subscriptions WHERE account = ? AND name = ?'
const SELECT_KEYWORDS = 'SELECT name FROM keywords WHERE mailbox = ? ORDER BY bit'
const SELECT_ENTRIES = 'SELECT uid, message, flags, modseq FROM entries WHERE mailbox = ?'
const COUNT_FROM = 'SELECT count(*) FROM entries WHERE mailbox = ? AND uid >= ?'
const SELECT_ACCOUNTS = 'SELECT id, login, created_ms, quota, used, disabled FROM accounts ORDER BY id'
const SELECT_LANGUAGES = 'SELECT account, language FROM languages'
const SELECT_ALIASES = 'SELECT alias, targets FROM aliases'
const SELECT_GOOD = 'SELECT account, address, at_ms FROM good_addresses'
const SELECT_CREDENTIALS =
  'SELECT name, argon2id, scram, created_ms FROM credentials WHERE account = ? ORDER BY created_ms'

export function listMailboxes(sql: Sql, owner: number): Answers['mailboxes'] {
  const rows = sql.all(SELECT_MAILBOXES, owner) as unknown as readonly MailboxRow[]
  const names = orNone(() => sql.all(SELECT_SUBSCRIPTIONS, owner)) as unknown as readonly [string][]
  return { rows, subscriptions: names.map(([name]) => name) }
}

export function mailboxStatus(sql: Sql, owner: number, name: string): StatusRow | undefined {
  const row = sql.get(SELECT_STATUS, owner, name) as readonly number[] | undefined
  if (row === undefined) return undefined
  const [id, selectable, messages, unseen, uidNext, uidValidity, size, highestModseq] = row as StatusTuple
  return { id, selectable: selectable === 1, messages, unseen, uidNext, uidValidity, size, highestModseq }
}

type StatusTuple = readonly [number, number, number, number, number, number, number, number]

export function countFrom(sql: Sql, mailbox: number, uid: number): number {
  return sql.get(COUNT_FROM, mailbox, uid)?.[0] as number
}

export function mailboxInfo(sql: Sql, owner: number, name: string): InfoRow | undefined {
  const row = sql.get(SELECT_INFO, owner, name)
  if (row === undefined) return undefined
  const [id, specialUse, selectable, hasChildren] = row as InfoTuple
  const subscribed = orNone(() => sql.all(SELECT_SUBSCRIBED, owner, name))
  return {
    id,
    name,
    specialUse,
    selectable: selectable === 1,
    subscribed: subscribed.length > 0,
    hasChildren: hasChildren === 1,
  }
}

type InfoTuple = readonly [number, string | null, number, number]

/** A whole mailbox as columns, for a view. Must run in a transaction: row, keywords and entries belong together. */
export function loadMailbox(sql: Sql, owner: number, mailbox: number): LoadedMailbox | undefined {
  const row = sql.get(SELECT_HEAD, owner, mailbox)
  if (row === undefined) return undefined
  const [name, uidNext, uidValidity, highestModseq] = row as readonly [string, number, number, number]
  const keywords = sql.all(SELECT_KEYWORDS, mailbox) as unknown as readonly [string][]
  const rows = sql.all(SELECT_ENTRIES, mailbox) as unknown as readonly (readonly number[])[]
  const uids = new Uint32Array(rows.length)
  const messageIds = new Float64Array(rows.length)
  const flags = new Float64Array(rows.length)
  const modseqs = new Float64Array(rows.length)
  for (let i = 0; i < rows.length; i++) {
    const entry = rows[i] as readonly number[]
    uids[i] = entry[0] as number
    messageIds[i] = entry[1] as number
    flags[i] = entry[2] as number
    modseqs[i] = entry[3] as number
  }
  const columns = { uids, messageIds, flags, modseqs }
  const names = keywords.map(([keyword]) => keyword)
  return { id: mailbox, name, uidNext, uidValidity, highestModseq, keywords: names, ...columns }
}

export function readDirectory(sql: Sql): DirectoryRows {
  const accounts = sql.all(SELECT_ACCOUNTS) as unknown as readonly Parameters<typeof accountRow>[0][]
  const aliases = sql.all(SELECT_ALIASES) as unknown as readonly [string, string][]
  const spoken = orNone(() => sql.all(SELECT_LANGUAGES)) as unknown as readonly [number, string][]
  const languages = new Map(spoken)
  return {
    accounts: accounts.map((row) => ({ ...accountRow(row), language: languages.get(row[0]) ?? null })),
    aliases: aliases.map(([alias, targets]) => [alias, JSON.parse(targets) as string[]]),
    good: orNone(() => sql.all(SELECT_GOOD)) as unknown as DirectoryRows['good'],
  }
}

/** Nothing, where the rows are damaged: these only add to what can be used without them. */
function orNone<T>(read: () => readonly T[]): readonly T[] {
  try {
    return read()
  } catch (error) {
    if (!isUnreadable(error)) throw error
    return []
  }
}

export function readCredentials(sql: Sql, account: number): Answers['credentials'] {
  return sql.all(SELECT_CREDENTIALS, account) as unknown as Answers['credentials']
}
