import { SALVAGE } from '../finding.ts'
import type { Rule } from '../rule.ts'

const PLACE = 'b.name AS mailbox, a.login AS account'
const ENTRY = `e.mailbox || '/' || e.uid AS row, e.mailbox AS ofMailbox, e.uid, e.message AS ofMessage`
const TOMBSTONE = `t.mailbox || '/' || t.modseq || '/' || t.uid AS row, t.mailbox AS ofMailbox, t.modseq,
  t.uid AS ofUid, t.message AS ofMessage`
const DELETE_TOMBSTONE =
  'DELETE FROM tombstones WHERE mailbox = $ofMailbox AND modseq = $modseq AND uid = $ofUid'

/** Entries of mailboxes and the tombstones of expunged ones. */
export const ENTRY_RULES: readonly Rule[] = [
  {
    kind: 'entry-mailbox',
    table: 'entries',
    sql: `SELECT ${ENTRY}, e.message AS message FROM entries e WHERE e.mailbox NOT IN (SELECT id FROM mailboxes)
      AND e.mailbox NOT IN (SELECT mailbox FROM doomed)`,
    says: ({ ofMailbox }) => `it stands in mailbox number ${ofMailbox}, which is not there`,
    advice: SALVAGE,
  },
  {
    // The message's row is lost: what is left of it is that it was there. Mail programs are told that it is gone.
    kind: 'entry-message',
    table: 'entries',
    sql: `SELECT ${ENTRY}, b.account AS ofAccount, ${PLACE} FROM entries e
      LEFT JOIN mailboxes b ON b.id = e.mailbox LEFT JOIN accounts a ON a.id = b.account
      WHERE e.message NOT IN (SELECT id FROM messages)`,
    says: ({ ofMessage }) => `its message, number ${ofMessage}, is not there`,
    repair: [
      'UPDATE accounts SET modseq = modseq + 1 WHERE id = $ofAccount',
      `INSERT OR IGNORE INTO tombstones (mailbox, modseq, uid, message)
        SELECT $ofMailbox, modseq, $uid, NULL FROM accounts WHERE id = $ofAccount`,
      `UPDATE mailboxes SET highest_modseq = (SELECT modseq FROM accounts WHERE id = $ofAccount)
        WHERE id = $ofMailbox AND $ofAccount IN (SELECT id FROM accounts)`,
      'DELETE FROM entries WHERE mailbox = $ofMailbox AND uid = $uid',
    ],
    repaired: () => 'removed from the mailbox, having nothing behind it',
  },
  {
    kind: 'entry-account',
    table: 'entries',
    sql: `SELECT ${ENTRY}, ${PLACE}, m.account AS of FROM mailboxes b CROSS JOIN entries e ON e.mailbox = b.id
      JOIN messages m ON m.id = e.message LEFT JOIN accounts a ON a.id = b.account WHERE m.account != b.account`,
    says: ({ of }) => `its message is that of another account, number ${of}`,
    advice: SALVAGE,
  },
  {
    kind: 'tombstone-mailbox',
    table: 'tombstones',
    sql: `SELECT ${TOMBSTONE} FROM tombstones t WHERE t.mailbox NOT IN (SELECT id FROM mailboxes)
      AND t.mailbox NOT IN (SELECT mailbox FROM doomed)`,
    says: ({ ofMailbox }) => `an expunged message of mailbox number ${ofMailbox}, which is not there`,
    isProven: ({ ofMessage }) => ofMessage === null,
    repair: [DELETE_TOMBSTONE],
    repaired: () => 'removed',
    advice: 'start the server, which lets go of expunged messages, stop it, and repair again',
  },
  {
    kind: 'tombstone-message',
    table: 'tombstones',
    sql: `SELECT ${TOMBSTONE}, ${PLACE} FROM tombstones t LEFT JOIN mailboxes b ON b.id = t.mailbox
      LEFT JOIN accounts a ON a.id = b.account
      WHERE t.message IS NOT NULL AND t.message NOT IN (SELECT id FROM messages)`,
    says: ({ ofUid }) =>
      `the expunged message with UID ${ofUid} is kept for sessions that show it, and is not there`,
    repair: [
      'UPDATE tombstones SET message = NULL WHERE mailbox = $ofMailbox AND modseq = $modseq AND uid = $ofUid',
    ],
    repaired: () => 'only the UID is remembered',
  },
  {
    kind: 'tombstone-alive',
    table: 'tombstones',
    sql: `SELECT ${TOMBSTONE}, t.uid, ${PLACE} FROM tombstones t
      JOIN entries e ON e.mailbox = t.mailbox AND e.uid = t.uid
      LEFT JOIN mailboxes b ON b.id = t.mailbox LEFT JOIN accounts a ON a.id = b.account`,
    says: () => 'it is in the mailbox and among the expunged as well',
    repair: [DELETE_TOMBSTONE],
    repaired: () => 'it stays in the mailbox',
  },
]
