import { isKeyword } from '../../../../mail/flags.ts'
import { type MailboxName, parentMailbox } from '../../../../mail/mailbox-name.ts'
import type { SpecialUse } from '../../../../ports/mailboxes.ts'
import { FIRST_KEYWORD_BIT } from '../../../flag-bits.ts'
import { KEYWORDS_PER_MAILBOX } from '../../../limits.ts'
import { SALVAGE } from '../finding.ts'
import type { Rule } from '../rule.ts'
import { isMailboxName } from './accounts.ts'

const MAX_SAFE = Number.MAX_SAFE_INTEGER
const NAMED = 'b.id, b.name AS mailbox, a.login AS account'
const FROM = 'FROM mailboxes b LEFT JOIN accounts a ON a.id = b.account'

/** rfc6154 §2; those of ports/mailboxes. */
const SPECIAL_USES: readonly SpecialUse[] = [
  '\\Drafts',
  '\\Sent',
  '\\Junk',
  '\\Trash',
  '\\Archive',
  '\\All',
  '\\Flagged',
]

/** What must be right before rows are removed or counted. */
export const MAILBOX_RULES: readonly Rule[] = [
  {
    // The next start would purge what stands in it.
    kind: 'mailbox-doomed',
    table: 'doomed',
    sql: `SELECT ${NAMED} ${FROM} JOIN doomed d ON d.mailbox = b.id`,
    says: () => 'it is there and yet waits to be purged with all its mail',
    repair: ['DELETE FROM doomed WHERE mailbox = $id'],
    repaired: () => 'it stays',
  },
  {
    kind: 'mailbox-modseq',
    table: 'mailboxes',
    sql: `SELECT ${NAMED}, b.highest_modseq AS has,
        max(1, b.vanished_floor, coalesce(e.most, 0), coalesce(t.most, 0)) AS should ${FROM}
      LEFT JOIN (SELECT mailbox, max(modseq) AS most FROM entries WHERE modseq <= ${MAX_SAFE} GROUP BY mailbox) e
        ON e.mailbox = b.id
      LEFT JOIN (SELECT mailbox, max(modseq) AS most FROM tombstones WHERE modseq <= ${MAX_SAFE} GROUP BY mailbox) t
        ON t.mailbox = b.id
      WHERE b.highest_modseq < max(1, b.vanished_floor, coalesce(e.most, 0), coalesce(t.most, 0))`,
    says: ({ has, should }) => `its HIGHESTMODSEQ is ${has}, and a message of it has ${should} already`,
    repair: ['UPDATE mailboxes SET highest_modseq = $should WHERE id = $id'],
    repaired: ({ should }) => `HIGHESTMODSEQ raised to ${should}`,
  },
  {
    kind: 'mailbox-uidnext',
    table: 'mailboxes',
    sql: `SELECT ${NAMED}, b.uidnext AS has, max(coalesce(e.most, 0), coalesce(t.most, 0)) + 1 AS should ${FROM}
      LEFT JOIN (SELECT mailbox, max(uid) AS most FROM entries WHERE uid < 4294967295 GROUP BY mailbox) e
        ON e.mailbox = b.id
      LEFT JOIN (SELECT mailbox, max(uid) AS most FROM tombstones WHERE uid < 4294967295 GROUP BY mailbox) t
        ON t.mailbox = b.id
      WHERE b.uidnext <= max(coalesce(e.most, 0), coalesce(t.most, 0))`,
    says: ({ has, should }) => `its UIDNEXT is ${has}, and must be ${should} at least`,
    repair: ['UPDATE mailboxes SET uidnext = $should WHERE id = $id'],
    repaired: ({ should }) => `UIDNEXT raised to ${should}`,
  },
  {
    kind: 'mailbox-stray',
    table: 'mailboxes',
    sql: `SELECT b.id, b.name AS mailbox, EXISTS (SELECT 1 FROM entries e WHERE e.mailbox = b.id) AS holds
      FROM mailboxes b WHERE b.account NOT IN (SELECT id FROM accounts)`,
    says: ({ holds }) => `its account is not there${holds === 0 ? '' : ', and it holds mail'}`,
    isProven: ({ holds }) => holds === 0,
    repair: ['DELETE FROM mailboxes WHERE id = $id', 'INSERT OR IGNORE INTO doomed (mailbox) VALUES ($id)'],
    repaired: () => 'removed, being empty',
    advice: SALVAGE,
  },
  {
    kind: 'mailbox-name',
    table: 'mailboxes',
    sql: `SELECT ${NAMED} ${FROM}`,
    isWrong: ({ mailbox }) => !isMailboxName(mailbox),
    says: () => 'the name is none that a mailbox can have',
    advice: SALVAGE,
  },
  {
    kind: 'mailbox-parent',
    table: 'mailboxes',
    sql: `SELECT ${NAMED}, b.account AS ofAccount, b.special_use FROM mailboxes b JOIN accounts a ON a.id = b.account
      WHERE instr(b.name, '/') > 0 AND NOT EXISTS (SELECT 1 FROM mailboxes p WHERE p.account = b.account
        AND p.name = rtrim(rtrim(b.name, replace(b.name, '/', '')), '/'))`,
    isWrong: ({ mailbox }) => isMailboxName(mailbox),
    says: ({ mailbox }) => `the mailbox above it, ${parentMailbox(mailbox as MailboxName)}, is not there`,
    advice: 'create the mailbox above it with any mail program',
  },
  {
    kind: 'mailbox-use',
    table: 'mailboxes',
    sql: `SELECT ${NAMED}, b.special_use AS use ${FROM} WHERE b.special_use IS NOT NULL
      AND b.special_use NOT IN (${SPECIAL_USES.map((use) => `'${use}'`).join()})`,
    says: ({ use }) => `its special use, "${use}", is none`,
    repair: ['UPDATE mailboxes SET special_use = NULL WHERE id = $id'],
    repaired: () => 'it has no special use now',
  },
  {
    kind: 'mailbox-hidden',
    table: 'mailboxes',
    sql: `SELECT ${NAMED} ${FROM} WHERE b.selectable = 0 AND EXISTS (SELECT 1 FROM entries e WHERE e.mailbox = b.id)`,
    says: () => 'it holds mail and cannot be selected',
    repair: ['UPDATE mailboxes SET selectable = 1 WHERE id = $id'],
    repaired: () => 'it can be selected again',
  },
  {
    kind: 'keyword-stray',
    table: 'keywords',
    sql: `SELECT mailbox || '/' || bit AS row, mailbox AS ofMailbox, bit, name FROM keywords
      WHERE mailbox NOT IN (SELECT id FROM mailboxes)`,
    says: ({ name }) => `the keyword ${name} of a mailbox that is not there`,
    repair: ['DELETE FROM keywords WHERE mailbox = $ofMailbox AND bit = $bit'],
    repaired: () => 'removed',
  },
  {
    kind: 'keyword-name',
    table: 'keywords',
    sql: `SELECT k.mailbox || '/' || k.bit AS row, k.name, k.bit, b.name AS mailbox, a.login AS account,
        EXISTS (SELECT 1 FROM keywords o WHERE o.mailbox = k.mailbox AND o.bit < k.bit
          AND lower(o.name) = lower(k.name)) AS twice
      FROM keywords k JOIN mailboxes b ON b.id = k.mailbox LEFT JOIN accounts a ON a.id = b.account`,
    isWrong: ({ name, twice, bit }) =>
      typeof name !== 'string' ||
      !isKeyword(name) ||
      twice === 1 ||
      typeof bit !== 'number' ||
      bit < 0 ||
      bit >= KEYWORDS_PER_MAILBOX,
    says: ({ name, bit }) => `its keyword number ${bit}, "${name}", is none or stands there twice`,
    advice: 'move its messages into a new mailbox with a mail program, then delete this one',
  },
  {
    // Readers number the names as they come: a gap gives all that follow another's meaning.
    kind: 'keyword-gap',
    table: 'keywords',
    sql: `SELECT ${NAMED}, count(*) AS has, max(k.bit) + 1 AS should FROM keywords k JOIN mailboxes b ON b.id = k.mailbox
      LEFT JOIN accounts a ON a.id = b.account WHERE k.bit BETWEEN 0 AND ${KEYWORDS_PER_MAILBOX - 1}
      GROUP BY k.mailbox HAVING count(*) != max(k.bit) + 1`,
    says: ({ has, should }) => `of its ${should} keywords only ${has} have names, and the others got theirs`,
    repair: [
      `WITH RECURSIVE bits (bit) AS (SELECT 0 UNION ALL SELECT bit + 1 FROM bits WHERE bit + 1 < $should)
        INSERT OR IGNORE INTO keywords (mailbox, bit, name) SELECT $id, bit, 'lost-' || bit FROM bits`,
    ],
    repaired: () => 'those without a name are called lost-N, the others have their own names again',
  },
]

/** What is counted from other rows, when those are right. */
export const MAILBOX_COUNT_RULES: readonly Rule[] = [
  {
    kind: 'entry-flags',
    table: 'entries',
    sql: `SELECT e.mailbox || '/' || e.uid AS row, e.mailbox AS ofMailbox, e.uid, b.name AS mailbox, a.login AS account,
        (1 << (${FIRST_KEYWORD_BIT} + k.n)) - 1 AS mask
      FROM mailboxes b
      JOIN (SELECT b.id, count(k.bit) AS n FROM mailboxes b LEFT JOIN keywords k ON k.mailbox = b.id GROUP BY b.id) k
        ON k.id = b.id
      CROSS JOIN entries e ON e.mailbox = b.id
      LEFT JOIN accounts a ON a.id = b.account
      WHERE e.flags BETWEEN 0 AND ${MAX_SAFE} AND e.flags >= (1 << (${FIRST_KEYWORD_BIT} + k.n))`,
    says: () => 'it has a keyword that the mailbox has no name for',
    repair: ['UPDATE entries SET flags = flags & $mask WHERE mailbox = $ofMailbox AND uid = $uid'],
    repaired: () => 'the keyword without a name is taken away',
  },
  {
    kind: 'mailbox-counts',
    table: 'mailboxes',
    sql: `SELECT ${NAMED}, b.messages, b.unseen, b.deleted, b.size, coalesce(c.messages, 0) AS shouldMessages,
        coalesce(c.unseen, 0) AS shouldUnseen, coalesce(c.deleted, 0) AS shouldDeleted,
        coalesce(c.size, 0) AS shouldSize ${FROM}
      LEFT JOIN (SELECT e.mailbox, count(*) AS messages, sum(e.flags & 1 = 0) AS unseen,
          sum(e.flags & 8 != 0) AS deleted, coalesce(sum(m.size), 0) AS size
        FROM entries e LEFT JOIN messages m ON m.id = e.message GROUP BY e.mailbox) c ON c.mailbox = b.id
      WHERE b.messages != shouldMessages OR b.unseen != shouldUnseen OR b.deleted != shouldDeleted
        OR b.size != shouldSize`,
    says: (row) =>
      COUNTED.filter(([has, should]) => row[has] !== row[should])
        .map(([has, should, what]) => `it counts ${row[has]} ${what}, and they are ${row[should]}`)
        .join('; '),
    repair: [
      `UPDATE mailboxes SET messages = $shouldMessages, unseen = $shouldUnseen, deleted = $shouldDeleted,
        size = $shouldSize WHERE id = $id`,
    ],
    repaired: () => 'counted anew',
  },
  {
    kind: 'mailbox-tombstones',
    table: 'mailboxes',
    sql: `SELECT ${NAMED}, b.tombstones AS has, coalesce(t.n, 0) AS should ${FROM}
      LEFT JOIN (SELECT mailbox, count(*) AS n FROM tombstones GROUP BY mailbox) t ON t.mailbox = b.id
      WHERE b.tombstones != coalesce(t.n, 0)`,
    says: ({ has, should }) => `it counts ${has} expunged messages that it remembers, and they are ${should}`,
    repair: ['UPDATE mailboxes SET tombstones = $should WHERE id = $id'],
    repaired: () => 'counted anew',
  },
  {
    kind: 'account-used',
    table: 'accounts',
    sql: `SELECT a.id, a.login AS account, a.used AS has, coalesce(u.used, 0) AS should FROM accounts a
      LEFT JOIN (SELECT b.account, sum(m.size) AS used FROM mailboxes b CROSS JOIN entries e ON e.mailbox = b.id
        JOIN messages m ON m.id = e.message GROUP BY b.account) u ON u.account = a.id
      WHERE a.used != coalesce(u.used, 0)`,
    says: ({ has, should }) => `it counts ${has} octets of mail, and they are ${should}`,
    repair: ['UPDATE accounts SET used = $should WHERE id = $id'],
    repaired: () => 'counted anew',
  },
]

const COUNTED = [
  ['messages', 'shouldMessages', 'messages'],
  ['unseen', 'shouldUnseen', 'unseen ones'],
  ['deleted', 'shouldDeleted', 'deleted ones'],
  ['size', 'shouldSize', 'octets'],
] as const
