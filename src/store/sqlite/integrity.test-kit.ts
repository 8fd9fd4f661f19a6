import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Queries that give a row for each thing that is wrong. */
const WRONG: readonly (readonly [what: string, sql: string])[] = [
  [
    'counters of mailboxes',
    `SELECT m.name, m.messages, m.unseen, m.deleted, m.size FROM mailboxes m
      LEFT JOIN entries e ON e.mailbox = m.id LEFT JOIN messages s ON s.id = e.message GROUP BY m.id
      HAVING m.messages != count(e.uid) OR m.unseen != total(e.uid IS NOT NULL AND e.flags & 1 = 0)
        OR m.deleted != total(e.flags & 8 != 0) OR m.size != total(s.size)
        OR m.uidnext <= max(coalesce(e.uid, 0)) OR m.highest_modseq < max(coalesce(e.modseq, 0))`,
  ],
  [
    'use of accounts',
    `SELECT a.login, a.used FROM accounts a LEFT JOIN mailboxes m ON m.account = a.id
      GROUP BY a.id HAVING a.used != total(m.size) OR a.modseq < max(coalesce(m.highest_modseq, 0))`,
  ],
  [
    'references to messages',
    `SELECT m.id, m.refs FROM messages m WHERE m.refs != (SELECT count(*) FROM entries e WHERE e.message = m.id)
      + (SELECT count(*) FROM tombstones t WHERE t.message = m.id)`,
  ],
  [
    'references to bodies',
    `SELECT b.id, b.refs FROM bodies b WHERE b.refs != (SELECT count(*) FROM messages m WHERE m.body = b.id)
      + (SELECT count(*) FROM queue q WHERE q.body = b.id)`,
  ],
  [
    'octets of bodies',
    `SELECT b.id, b.size FROM bodies b LEFT JOIN texts t ON t.body = b.id WHERE b.file IS NULL
      AND b.size != length(b.prefix) + length(b.head) + coalesce(length(t.bytes), -1)`,
  ],
  ['entries without a message', 'SELECT * FROM entries WHERE message NOT IN (SELECT id FROM messages)'],
  ['messages without a body', 'SELECT * FROM messages WHERE body NOT IN (SELECT id FROM bodies)'],
  ['texts without a body', 'SELECT body FROM texts WHERE body NOT IN (SELECT id FROM bodies)'],
  ['recipients without an item', 'SELECT * FROM queue_recipients WHERE queue NOT IN (SELECT id FROM queue)'],
  ['keywords without a mailbox', 'SELECT * FROM keywords WHERE mailbox NOT IN (SELECT id FROM mailboxes)'],
  [
    'entries without a mailbox',
    `SELECT * FROM entries WHERE mailbox NOT IN (SELECT id FROM mailboxes)
      AND mailbox NOT IN (SELECT mailbox FROM doomed)`,
  ],
  [
    'counters of ids',
    `SELECT * FROM counters WHERE body < (SELECT max(id) FROM bodies) OR message < (SELECT max(id) FROM messages)
      OR mailbox < (SELECT max(id) FROM mailboxes) OR queue < (SELECT max(id) FROM queue)
      OR uidvalidity < (SELECT max(uidvalidity) FROM mailboxes) OR account < (SELECT max(id) FROM accounts)
      OR trace_bytes != (SELECT total(octet_length(events)) FROM traces)`,
  ],
]

/** Fails where rows, references, counters or files of a data folder do not agree. Purging may be under way. */
export function assertIntegrity(folder: string): void {
  const db = new DatabaseSync(join(folder, 'hikyaku.db'), { readOnly: true })
  try {
    assert.deepEqual(
      db
        .prepare('PRAGMA integrity_check')
        .all()
        .map((row) => row.integrity_check),
      ['ok'],
    )
    for (const [what, sql] of WRONG) assert.deepEqual(db.prepare(sql).all(), [], what)
    const files = new Set(readdirSync(join(folder, 'bodies')))
    for (const { file } of db.prepare('SELECT file FROM bodies WHERE file IS NOT NULL').all())
      assert(files.has(String(file)), `body file ${String(file)} is there`)
  } finally {
    db.close()
  }
}
