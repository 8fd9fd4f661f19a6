import { DatabaseSync } from 'node:sqlite'
import type { Value } from '../pages/record.ts'
import { type Row, Sql } from '../sql.ts'
import type { TableName } from './shapes.ts'

/** How sure it is that a row is what its table holds now; the lowest wins. */
export const RANK = {
  /** In its table's tree. */
  tree: 0,
  /** On a page that no tree leads to any more. */
  found: 1,
  /** On an older state of a page whose newest one is damaged. */
  older: 2,
} as const
export type Rank = (typeof RANK)[keyof typeof RANK]

/** Where the octets of a row are. */
export interface Place {
  readonly page: number
  readonly offset: number
}

const TABLES = `
CREATE TABLE accounts (id INTEGER PRIMARY KEY, login, created_ms, quota, disabled, modseq, rank);
CREATE TABLE aliases (alias PRIMARY KEY, targets, rank) WITHOUT ROWID;
CREATE TABLE mailboxes (id INTEGER PRIMARY KEY, account, name, special_use, selectable, uidvalidity, modseq, rank);
CREATE TABLE keywords (mailbox, bit, name, rank, PRIMARY KEY (mailbox, bit)) WITHOUT ROWID;
CREATE TABLE doomed (mailbox INTEGER PRIMARY KEY);
CREATE TABLE bodies (id, rank, page, offset, PRIMARY KEY (id, rank)) WITHOUT ROWID;
CREATE TABLE texts (body, rank, page, offset, PRIMARY KEY (body, rank)) WITHOUT ROWID;
CREATE TABLE files (name PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE messages (id INTEGER PRIMARY KEY, account, body, size, arrived_ms, zone, id_hash, rank);
CREATE INDEX messages_body ON messages (body);
CREATE TABLE entries (mailbox, uid, message, flags, modseq, rank, PRIMARY KEY (mailbox, uid)) WITHOUT ROWID;
CREATE INDEX entries_message ON entries (message);
CREATE TABLE tombstones (mailbox, uid, message, PRIMARY KEY (mailbox, uid)) WITHOUT ROWID;
CREATE INDEX tombstones_message ON tombstones (message);
CREATE TABLE queue (id INTEGER PRIMARY KEY, body, trace, sender, skip, size, arrived_ms, rank);
CREATE INDEX queue_body ON queue (body);
CREATE TABLE quarantine (body INTEGER PRIMARY KEY, trace, held_ms, until_ms, sender, size, hold, plan);
CREATE TABLE recipients (queue, n, address, state, attempts, next_ms, detail, rank, PRIMARY KEY (queue, n)) WITHOUT ROWID;
`

/** Of a row that is found twice the surer one is kept; where a row has a MODSEQ, the newer. */
const SURER = 'DO UPDATE SET rank = excluded.rank'
const NEWER = 'WHERE excluded.modseq > modseq OR (excluded.modseq = modseq AND excluded.rank < rank)'

const INSERTS: Readonly<Record<TableName, string>> = {
  accounts: `INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET login = excluded.login,
    created_ms = excluded.created_ms, quota = excluded.quota, disabled = excluded.disabled,
    modseq = excluded.modseq, rank = excluded.rank ${NEWER}`,
  aliases: `INSERT INTO aliases VALUES (?, ?, ?) ON CONFLICT ${SURER}, targets = excluded.targets
    WHERE excluded.rank < rank`,
  mailboxes: `INSERT INTO mailboxes VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    account = excluded.account, name = excluded.name, special_use = excluded.special_use,
    selectable = excluded.selectable, uidvalidity = excluded.uidvalidity, modseq = excluded.modseq,
    rank = excluded.rank ${NEWER}`,
  keywords: `INSERT INTO keywords VALUES (?, ?, ?, ?) ON CONFLICT ${SURER}, name = excluded.name
    WHERE excluded.rank < rank`,
  doomed: 'INSERT OR IGNORE INTO doomed VALUES (?)',
  bodies: 'INSERT OR IGNORE INTO bodies VALUES (?, ?, ?, ?)',
  texts: 'INSERT OR IGNORE INTO texts VALUES (?, ?, ?, ?)',
  messages: `INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT ${SURER}, account = excluded.account,
    body = excluded.body, size = excluded.size, arrived_ms = excluded.arrived_ms, zone = excluded.zone,
    id_hash = excluded.id_hash WHERE excluded.rank < rank`,
  entries: `INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET message = excluded.message,
    flags = excluded.flags, modseq = excluded.modseq, rank = excluded.rank ${NEWER}`,
  tombstones: 'INSERT OR IGNORE INTO tombstones VALUES (?, ?, ?)',
  queue: `INSERT INTO queue VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  quarantine: 'INSERT INTO quarantine VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  queue_recipients: 'INSERT INTO recipients VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
}

/** What was found in a damaged database, without the octets of messages. Thrown away at the end: nothing in it is synced. */
export class Catalog {
  readonly sql: Sql

  constructor(path: string) {
    const db = new DatabaseSync(path)
    this.sql = new Sql(db)
    for (const pragma of ['journal_mode = OFF', 'synchronous = OFF', 'cache_size = -65536'])
      db.exec(`PRAGMA ${pragma}`)
    db.exec(TABLES)
    db.exec('BEGIN')
  }

  /** A row of a damaged database. Tables that are read in the order of their ranks keep what came first. */
  add(
    table: TableName,
    row: readonly Value[],
    from: Place & { readonly rowid: number; readonly rank: Rank },
  ) {
    const insert = INSERTS[table]
    for (const values of rowOf(table, row, from)) this.sql.run(insert, ...values)
  }

  /** A body's file is known, whatever became of its row. */
  addFile(name: string): void {
    this.sql.run('INSERT OR IGNORE INTO files VALUES (?)', name)
  }

  /** Ends the collecting. An entry found outside its tree that was expunged since is none. */
  settle(): void {
    this.sql.run(`DELETE FROM entries WHERE rank > 0
      AND EXISTS (SELECT 1 FROM tombstones t WHERE t.mailbox = entries.mailbox AND t.uid = entries.uid)`)
    this.sql.db.exec('COMMIT')
  }

  places(table: 'bodies' | 'texts', id: number): readonly (Place & { readonly rank: Rank })[] {
    const key = table === 'bodies' ? 'id' : 'body'
    const rows = this.sql.all(`SELECT page, offset, rank FROM ${table} WHERE ${key} = ? ORDER BY rank`, id)
    return rows.map((row) => {
      const [page, offset, rank] = row as readonly [number, number, Rank]
      return { page, offset, rank }
    })
  }

  rows(sql: string, ...values: readonly (number | string)[]): Iterable<Row> {
    return this.sql.iterate(sql, ...values)
  }

  close(): void {
    this.sql.db.close()
  }
}

type Values = readonly (null | number | string)[]

function rowOf(
  table: TableName,
  row: readonly Value[],
  from: Place & { readonly rowid: number; readonly rank: Rank },
): readonly Values[] {
  const { page, offset, rank, rowid } = from
  const pick = (...columns: readonly number[]): Values =>
    columns.map((column) => row[column] as null | number | string)
  switch (table) {
    case 'accounts':
      return [[rowid, ...pick(1, 2, 3, 6, 5), rank]]
    case 'aliases':
      return [[...pick(0, 1), rank]]
    case 'mailboxes':
      return [[rowid, ...pick(1, 2, 3, 4, 5, 7), rank]]
    case 'keywords':
      return [[...pick(0, 1, 2), rank]]
    case 'doomed':
      return [[rowid]]
    case 'bodies':
    case 'texts':
      return [[rowid, rank, page, offset]]
    case 'messages':
      return [[rowid, ...pick(1, 2, 5, 6, 7, 8), rank]]
    case 'entries':
      return [[...pick(0, 1, 2, 3, 4), rank]]
    case 'tombstones':
      return [pick(0, 2, 3)]
    case 'queue':
      return [[rowid, ...pick(1, 2, 3, 4, 5, 6), rank]]
    case 'quarantine':
      return [[rowid, ...pick(1, 2, 3, 4, 6, 8, 9)]]
    case 'queue_recipients':
      return [[...pick(0, 1, 2, 3, 4, 5, 6), rank]]
  }
}
