import { SALVAGE } from '../finding.ts'
import type { Rule } from '../rule.ts'

/** How often a message is named: by entries, and by the tombstones that still keep it for a session. */
const NAMED_MESSAGES = `(SELECT message, count(*) AS n FROM (SELECT message FROM entries UNION ALL
  SELECT message FROM tombstones WHERE message IS NOT NULL) GROUP BY message)`
const NAMED_BODIES = `(SELECT body, count(*) AS n FROM (SELECT body FROM messages UNION ALL SELECT body FROM queue
  UNION ALL SELECT body FROM quarantine) GROUP BY body)`
/** Octets of a body that has no file. octet_length reads no octets. */
const INLINE_SIZE = `octet_length(b.prefix) + octet_length(b.head) + octet_length(t.bytes)`

/** Bodies, texts and messages: rows and what they name. What the octets say is read elsewhere. */
export const MESSAGE_RULES: readonly Rule[] = [
  {
    kind: 'message-body',
    table: 'messages',
    sql: `SELECT m.id, m.id AS message, m.body AS ofBody FROM messages m WHERE m.body NOT IN (SELECT id FROM bodies)`,
    says: ({ ofBody }) => `its content, body number ${ofBody}, is not there`,
    advice: 'restore a backup that has it, or expunge the message; the others are not concerned',
  },
  {
    kind: 'message-unreferenced',
    table: 'messages',
    sql: `SELECT m.id, a.login AS account FROM messages m LEFT JOIN accounts a ON a.id = m.account
      WHERE m.id NOT IN (SELECT message FROM ${NAMED_MESSAGES})`,
    says: () => 'the message stands in no mailbox, so that nobody can see it',
    advice: SALVAGE,
  },
  {
    kind: 'message-refs',
    table: 'messages',
    sql: `SELECT m.id, m.id AS message, m.refs AS has, r.n AS should FROM messages m
      JOIN ${NAMED_MESSAGES} r ON r.message = m.id WHERE m.refs != r.n`,
    says: ({ has, should }) => `${has} mailboxes are said to have the message, and they are ${should}`,
    repair: ['UPDATE messages SET refs = $should WHERE id = $id'],
    repaired: () => 'counted anew',
  },
  {
    kind: 'message-thread',
    table: 'messages',
    sql: 'SELECT m.id, m.id AS message, m.thread FROM messages m WHERE m.thread NOT BETWEEN 1 AND m.id',
    says: ({ thread }) => `its thread, number ${thread}, began after it`,
    repair: ['UPDATE messages SET thread = $id WHERE id = $id'],
    repaired: () => 'it begins a thread of its own',
  },
  {
    kind: 'thread-stray',
    table: 'thread_ids',
    sql: `SELECT i.account || '/' || i.hash AS row, i.account AS ofAccount, i.hash FROM thread_ids i
      LEFT JOIN messages m ON m.id = i.message
      WHERE m.id IS NULL OR m.account != i.account OR m.id_hash IS NOT i.hash`,
    says: () => 'no message of the account has this Message-ID any more',
    repair: ['DELETE FROM thread_ids WHERE account = $ofAccount AND hash = $hash'],
    repaired: () => 'removed',
  },
  {
    kind: 'thread-id',
    table: 'thread_ids',
    sql: `SELECT i.account || '/' || i.hash AS row, i.account AS ofAccount, i.hash, i.thread AS has, m.thread AS should
      FROM thread_ids i JOIN messages m ON m.id = i.message
      WHERE m.account = i.account AND m.id_hash = i.hash AND m.thread != i.thread`,
    says: ({ has, should }) => `answers would join thread ${has}, and the message is in thread ${should}`,
    repair: ['UPDATE thread_ids SET thread = $should WHERE account = $ofAccount AND hash = $hash'],
    repaired: ({ should }) => `answers join thread ${should}`,
  },
  {
    kind: 'body-unreferenced',
    table: 'bodies',
    sql: `SELECT b.id, b.file FROM bodies b WHERE b.id NOT IN (SELECT body FROM ${NAMED_BODIES})`,
    says: () => 'the content belongs to no message, waits in no queue and is not held',
    advice: SALVAGE,
  },
  {
    kind: 'body-refs',
    table: 'bodies',
    sql: `SELECT b.id, b.id AS body, b.refs AS has, r.n AS should FROM bodies b
      JOIN ${NAMED_BODIES} r ON r.body = b.id WHERE b.refs != r.n`,
    says: ({ has, should }) => `${has} messages are said to share the content, and they are ${should}`,
    repair: ['UPDATE bodies SET refs = $should WHERE id = $id'],
    repaired: () => 'counted anew',
  },
  {
    kind: 'body-text',
    table: 'bodies',
    sql: `SELECT b.id, b.id AS body, b.file AS ofFile FROM bodies b LEFT JOIN texts t ON t.body = b.id
      WHERE (b.file IS NULL) = (t.body IS NULL)`,
    says: ({ ofFile }) =>
      ofFile === null
        ? 'the text of its content is not there'
        : `its content is a file, ${ofFile}, and a text as well`,
    advice: SALVAGE,
  },
  {
    kind: 'body-size',
    quickOnly: true,
    table: 'bodies',
    sql: `SELECT b.id, b.id AS body, b.size AS has, ${INLINE_SIZE} AS should FROM bodies b
      JOIN texts t ON t.body = b.id WHERE b.file IS NULL AND b.size != ${INLINE_SIZE}`,
    says: ({ has, should }) => `it is said to have ${has} octets, and has ${should}`,
    advice: 'check without --quick, which reads the octets',
  },
  {
    kind: 'message-size',
    table: 'messages',
    sql: `SELECT m.id, m.id AS message, m.size AS has, b.size AS should,
        (b.file IS NOT NULL OR b.size = ${INLINE_SIZE}) AS isSure
      FROM messages m JOIN bodies b ON b.id = m.body LEFT JOIN texts t ON t.body = b.id WHERE m.size != b.size`,
    says: ({ has, should }) => `the message is said to have ${has} octets, and its content ${should}`,
    isProven: ({ isSure }) => isSure === 1,
    repair: ['UPDATE messages SET size = $should WHERE id = $id'],
    repaired: ({ should }) => `it has ${should} octets`,
    advice: SALVAGE,
  },
  {
    kind: 'text-stray',
    table: 'texts',
    sql: 'SELECT t.body AS id, octet_length(t.bytes) AS size FROM texts t WHERE t.body NOT IN (SELECT id FROM bodies)',
    says: ({ size }) => `${size} octets of text whose message is not there`,
    advice: SALVAGE,
  },
  {
    kind: 'file-name',
    table: 'bodies',
    sql: 'SELECT b.id, b.id AS body, b.file AS ofFile FROM bodies b WHERE b.file IS NOT NULL',
    isWrong: ({ ofFile }) => typeof ofFile !== 'string' || !/^[0-9a-f]{32}$/.test(ofFile),
    says: ({ ofFile }) => `its content is said to be in a file called "${ofFile}", which is no name of one`,
    advice: SALVAGE,
  },
  {
    // The first of them that goes would take the file along.
    kind: 'file-shared',
    table: 'bodies',
    sql: `SELECT b.id, b.id AS body, b.file AS ofFile, f.n FROM bodies b
      JOIN (SELECT file, count(*) AS n FROM bodies WHERE file IS NOT NULL GROUP BY file HAVING n > 1) f
        ON f.file = b.file`,
    says: ({ n, ofFile }) => `${n} contents say that they are in the one file ${ofFile}`,
    advice: `${SALVAGE}; delete none of the messages before`,
  },
]
