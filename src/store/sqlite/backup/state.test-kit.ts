import { hash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'

/** What clients, operators and the queue can see of a store: each query's rows in a fixed order. */
const VISIBLE: readonly (readonly [name: string, sql: string])[] = [
  ['counters', 'SELECT * FROM counters'],
  ['accounts', 'SELECT * FROM accounts ORDER BY id'],
  ['aliases', 'SELECT * FROM aliases ORDER BY alias'],
  ['mailboxes', 'SELECT * FROM mailboxes ORDER BY id'],
  ['keywords', 'SELECT * FROM keywords ORDER BY mailbox, bit'],
  ['subscriptions', 'SELECT * FROM subscriptions ORDER BY account, name'],
  ['entries', 'SELECT * FROM entries WHERE mailbox IN (SELECT id FROM mailboxes) ORDER BY mailbox, uid'],
  [
    'tombstones',
    `SELECT mailbox, modseq, uid FROM tombstones WHERE mailbox IN (SELECT id FROM mailboxes)
      ORDER BY mailbox, modseq, uid`,
  ],
  [
    // When nobody shows an expunged message any more its row goes, at a moment that no operation fixes.
    'messages',
    `SELECT id, account, body, thread, size, arrived_ms, zone, id_hash FROM messages
      WHERE id IN (SELECT message FROM entries WHERE mailbox IN (SELECT id FROM mailboxes)) ORDER BY id`,
  ],
  [
    'bodies',
    `SELECT b.id, b.size, b.crc, b.header_size, b.sent_day, b.file, b.prefix, b.envelope, b.structure, b.body,
      b.parts, b.head, t.bytes FROM bodies b LEFT JOIN texts t ON t.body = b.id
      WHERE b.id IN (SELECT m.body FROM messages m JOIN entries e ON e.message = m.id
        WHERE e.mailbox IN (SELECT id FROM mailboxes)) OR b.id IN (SELECT body FROM queue) OR b.id IN (SELECT body FROM quarantine) ORDER BY b.id`,
  ],
  ['queue', 'SELECT * FROM queue ORDER BY id'],
  ['quarantine', 'SELECT * FROM quarantine ORDER BY body'],
  ['held', 'SELECT * FROM held_recipients ORDER BY body, n'],
  ['trust', 'SELECT * FROM trust ORDER BY id'],
  ['reports', 'SELECT * FROM reports_received ORDER BY id'],
  ['report rows', 'SELECT * FROM report_rows ORDER BY day, domain, hash'],
  ['reports sent', 'SELECT * FROM reports_sent ORDER BY day, domain'],
  ['languages', 'SELECT * FROM languages ORDER BY account'],
  ['recipients', 'SELECT * FROM queue_recipients ORDER BY queue, n'],
  ['traces', 'SELECT * FROM traces ORDER BY trace, id'],
  ['trace addresses', 'SELECT * FROM trace_addresses ORDER BY id'],
]

/** Looks at a database by a connection of its own. */
export class StateReader {
  readonly #db: DatabaseSync

  constructor(path: string) {
    this.#db = new DatabaseSync(path, { readOnly: true })
  }

  /** Numbers that hardly any two states share: what most operations count up. */
  pulse(): string {
    return JSON.stringify([
      this.#db.prepare('SELECT * FROM counters').all(),
      this.#db.prepare('SELECT id, modseq, used FROM accounts').all(),
      this.#db.prepare('SELECT count(*), sum(attempts) FROM queue_recipients').all(),
      this.#db.prepare('SELECT count(*) FROM aliases').all(),
    ])
  }

  /** Each table's rows, blobs as their SHA-256. */
  state(): ReadonlyMap<string, readonly string[]> {
    return new Map(VISIBLE.map(([name, sql]) => [name, this.#rows(sql)]))
  }

  rows(sql: string): readonly Record<string, unknown>[] {
    return this.#db.prepare(sql).all()
  }

  close(): void {
    this.#db.close()
  }

  #rows(sql: string): readonly string[] {
    return this.#db
      .prepare(sql)
      .all()
      .map((row) =>
        JSON.stringify(
          Object.values(row).map((value) => (value instanceof Uint8Array ? hash('sha256', value) : value)),
        ),
      )
  }
}
