import {
  chmodSync,
  chownSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { execute, readValue } from './damaged.test-kit.ts'
import type { FindingKind } from './finding.ts'

/** One damage of the store of `fillStore`, what is seen of it, and what a repair leaves. */
export interface Damage {
  readonly what: string
  /** SQL, or what is done to the folder. */
  readonly by: string | ((folder: string) => void | Promise<void>)
  readonly sees: readonly FindingKind[]
  /** What a quick check sees, where that is told apart. */
  readonly quick?: readonly FindingKind[]
  readonly says?: RegExp
  /** What stays after a repair; without it all is repaired and nothing is found any more. */
  readonly leaves?: readonly FindingKind[]
  /** Nothing can be repaired at all. */
  readonly refuses?: true
}

const INBOX = `(SELECT id FROM mailboxes WHERE account = 1 AND name = 'INBOX')`
const INBOX_OF_BEN = `(SELECT id FROM mailboxes WHERE account = 2 AND name = 'INBOX')`
// Not the held one: which of two files a bare search finds first hangs on their random names.
const LARGE = '(SELECT id FROM bodies WHERE file IS NOT NULL AND id NOT IN (SELECT body FROM quarantine))'
/** A message of anna's that stands in INBOX alone, content in the database, with a Message-ID. */
const ANSWER = '(SELECT max(message) FROM thread_ids)'
/** A held message whose content is in the database. */
const HELD = '(SELECT min(body) FROM held_recipients)'
const ANSWER_BODY = `(SELECT body FROM messages WHERE id = ${ANSWER})`

const ROWS: readonly Damage[] = [
  { what: 'the row of counters is lost', by: 'DELETE FROM counters', sees: ['counters-row'] },
  ...['account', 'mailbox', 'body', 'message', 'queue', 'trace', 'uidvalidity'].map(
    (counter): Damage => ({
      what: `counter ${counter} was set back`,
      by: `UPDATE counters SET ${counter} = 0`,
      sees: ['counter'],
    }),
  ),
  ...['uidvalidity', 'message'].map(
    (counter): Damage => ({
      what: `counter ${counter} was set too high`,
      by: `UPDATE counters SET ${counter} = 9007199254740000`,
      sees: ['counter'],
      says: /no number may reach/,
    }),
  ),
  {
    what: 'octets of traces are miscounted',
    by: 'UPDATE counters SET trace_bytes = 5',
    sees: ['trace-bytes'],
  },
  {
    what: 'an account has no address',
    by: `UPDATE accounts SET login = 'no address' WHERE id = 2`,
    sees: ['account-login'],
    leaves: ['account-login'],
  },
  {
    what: 'an account has an address that no log-in finds',
    by: `UPDATE accounts SET login = 'Ben@example.test' WHERE id = 2`,
    sees: ['account-login'],
    leaves: ['account-login'],
  },
  {
    what: 'use is miscounted',
    by: 'UPDATE accounts SET used = used + 1 WHERE id = 1',
    sees: ['account-used'],
  },
  { what: 'use is negative', by: 'UPDATE accounts SET used = -7 WHERE id = 1', sees: ['account-used'] },
  {
    what: 'the MODSEQ of an account was set back',
    by: 'UPDATE accounts SET modseq = 1 WHERE id = 1',
    sees: ['account-modseq'],
  },
  {
    what: 'the INBOX of an account is another mailbox',
    by: `UPDATE mailboxes SET name = 'Inbox-2' WHERE id = ${INBOX_OF_BEN}`,
    sees: ['account-inbox'],
    leaves: ['account-inbox'],
  },
  {
    what: 'an account is an alias, too',
    by: `INSERT INTO aliases VALUES ('ben@example.test', '["anna@example.test"]')`,
    sees: ['account-alias'],
    leaves: ['account-alias'],
  },
  {
    what: 'a password hash is cut',
    by: `UPDATE credentials SET argon2id = substr(argon2id, 1, 50)`,
    sees: ['credential-form'],
    leaves: ['credential-form'],
  },
  {
    what: 'SCRAM keys are no JSON',
    by: `UPDATE credentials SET scram = substr(scram, 2)`,
    sees: ['credential-form'],
    leaves: ['credential-form'],
  },
  {
    what: 'a SCRAM key is too short',
    by: `UPDATE credentials SET scram = replace(scram, 'Bwc=', '')`,
    sees: ['credential-form'],
    leaves: ['credential-form'],
  },
  {
    what: 'a password belongs to nobody',
    by: `INSERT INTO credentials VALUES (99, 'main', 'x', NULL, 1)`,
    sees: ['credential-stray'],
  },
  {
    what: 'an alias leads to no address',
    by: `UPDATE aliases SET targets = '["anna@example.test", 7]'`,
    sees: ['alias-form'],
    leaves: ['alias-form'],
  },
  {
    what: 'an alias leads nowhere',
    by: `UPDATE aliases SET targets = '[]'`,
    sees: ['alias-form'],
    leaves: ['alias-form'],
  },
  {
    what: 'a known address belongs to nobody',
    by: `INSERT INTO good_addresses VALUES (99, '192.0.2.1', 1)`,
    sees: ['good-address-stray'],
  },
  {
    what: 'a subscription belongs to nobody',
    by: `INSERT INTO subscriptions VALUES (99, 'INBOX')`,
    sees: ['subscription-stray'],
  },
  {
    what: 'a subscription to no name',
    by: `INSERT INTO subscriptions VALUES (1, 'a//b')`,
    sees: ['subscription-name'],
  },
  {
    what: 'a number cannot be',
    by: 'UPDATE entries SET modseq = -1 WHERE mailbox = (SELECT min(mailbox) FROM entries) AND uid = 1',
    sees: ['value'],
    says: /message UID 1 in INBOX of anna@example\.test .*modseq is -1/,
    leaves: ['value'],
  },
  {
    what: 'a number is larger than any that is counted',
    by: 'UPDATE messages SET arrived_ms = 9223372036854775807 WHERE id = 1',
    sees: ['value'],
    says: /arrived_ms is 9223372036854775807/,
    leaves: ['value'],
  },
]

const MAILBOXES: readonly Damage[] = [
  {
    what: 'an empty mailbox belongs to nobody',
    by: `INSERT INTO mailboxes SELECT 7000, 99, 'lost', NULL, 1, 7, 1, 1, 0, 0, 0, 0, 0, 0;
      UPDATE counters SET mailbox = 7000`,
    sees: ['mailbox-stray'],
  },
  {
    what: 'an account is lost with its mailboxes there',
    by: `DELETE FROM accounts WHERE id = 2; DELETE FROM subscriptions WHERE account = 2`,
    sees: ['mailbox-stray'],
    leaves: ['mailbox-stray'],
  },
  {
    what: 'a mailbox has no name',
    by: `UPDATE mailboxes SET name = 'a//b' WHERE name = 'Junk' AND account = 1`,
    sees: ['mailbox-name'],
    leaves: ['mailbox-name'],
  },
  {
    what: 'the mailbox above another is lost',
    by: `UPDATE mailboxes SET name = 'other' WHERE name = 'work' AND account = 1`,
    sees: ['mailbox-parent'],
    says: /mailbox work\/plans of anna@example\.test .*above it, work,/,
    leaves: ['mailbox-parent'],
  },
  {
    what: 'a mailbox has a special use that is none',
    by: `UPDATE mailboxes SET special_use = 'Sent' WHERE name = 'Sent' AND account = 1`,
    sees: ['mailbox-use'],
  },
  {
    what: 'a mailbox with mail cannot be selected',
    by: `UPDATE mailboxes SET selectable = 0 WHERE name = 'work/plans'`,
    sees: ['mailbox-hidden'],
  },
  ...['messages', 'unseen', 'deleted', 'size'].map(
    (column): Damage => ({
      what: `${column} of a mailbox are miscounted`,
      by: `UPDATE mailboxes SET ${column} = ${column} + 1 WHERE id = ${INBOX}`,
      sees: ['mailbox-counts'],
      says: /mailbox INBOX of anna@example\.test/,
    }),
  ),
  {
    what: 'tombstones are miscounted',
    by: `UPDATE mailboxes SET tombstones = 17 WHERE id = ${INBOX}`,
    sees: ['mailbox-tombstones'],
  },
  {
    what: 'UIDNEXT was set back to a UID that is there',
    by: `UPDATE mailboxes SET uidnext = 2 WHERE id = ${INBOX}`,
    sees: ['mailbox-uidnext'],
  },
  {
    what: 'UIDNEXT was set back to a UID that was expunged',
    by: `UPDATE mailboxes SET uidnext = (SELECT max(uid) FROM tombstones WHERE mailbox = ${INBOX}) WHERE id = ${INBOX}`,
    sees: ['mailbox-uidnext'],
  },
  {
    what: 'HIGHESTMODSEQ was set back',
    by: `UPDATE mailboxes SET highest_modseq = 1 WHERE id = ${INBOX}`,
    sees: ['mailbox-modseq'],
  },
  {
    what: 'a living mailbox waits to be purged',
    by: `INSERT INTO doomed VALUES (${INBOX})`,
    sees: ['mailbox-doomed'],
  },
  {
    what: 'a keyword belongs to no mailbox',
    by: `INSERT INTO keywords VALUES (7000, 0, 'Lost')`,
    sees: ['keyword-stray'],
  },
  {
    what: 'a keyword is none',
    by: `UPDATE keywords SET name = 'two words' WHERE bit = 1 AND mailbox = ${INBOX}`,
    sees: ['keyword-name'],
    leaves: ['keyword-name'],
  },
  {
    what: 'a keyword stands there twice',
    by: `INSERT INTO keywords VALUES (${INBOX}, 2, 'LATER')`,
    sees: ['keyword-name'],
    leaves: ['keyword-name'],
  },
  {
    what: 'the first of the keywords is lost',
    by: `DELETE FROM keywords WHERE bit = 0 AND mailbox = ${INBOX}`,
    sees: ['keyword-gap', 'entry-flags'],
  },
  {
    what: 'the keywords of a mailbox are lost',
    by: `DELETE FROM keywords WHERE mailbox = ${INBOX}`,
    sees: ['entry-flags'],
    says: /message UID \d+ in INBOX of anna@example\.test/,
  },
]

const MESSAGES: readonly Damage[] = [
  {
    what: 'a mailbox is lost with its mail there',
    by: `DELETE FROM mailboxes WHERE name = 'work/plans'; DELETE FROM keywords WHERE mailbox NOT IN (SELECT id FROM mailboxes)`,
    sees: ['entry-mailbox', 'account-used'],
    leaves: ['entry-mailbox'],
  },
  {
    what: 'a message is lost that a mailbox shows',
    by: `DELETE FROM messages WHERE id = ${ANSWER}`,
    sees: ['entry-message', 'thread-stray', 'body-unreferenced', 'mailbox-counts', 'account-used'],
    leaves: ['body-unreferenced'],
  },
  {
    what: 'a mailbox shows a message of another account',
    by: `UPDATE messages SET account = 2 WHERE id = (SELECT min(id) FROM messages WHERE account = 1 AND id_hash IS NULL)`,
    sees: ['entry-account'],
    leaves: ['entry-account'],
  },
  {
    what: 'a tombstone belongs to no mailbox',
    by: 'INSERT INTO tombstones VALUES (7000, 5, 5, NULL)',
    sees: ['tombstone-mailbox'],
  },
  {
    what: 'a tombstone that keeps a message belongs to no mailbox',
    by: `UPDATE tombstones SET mailbox = 7000 WHERE message IS NOT NULL;
      UPDATE mailboxes SET tombstones = (SELECT count(*) FROM tombstones t WHERE t.mailbox = mailboxes.id)`,
    sees: ['tombstone-mailbox'],
    leaves: ['tombstone-mailbox'],
  },
  {
    what: 'a tombstone keeps a message that is not there',
    by: 'UPDATE tombstones SET message = 999999 WHERE message IS NULL',
    sees: ['tombstone-message'],
  },
  {
    what: 'a message is expunged and there',
    by: `INSERT INTO tombstones VALUES (${INBOX}, 3, 1, NULL); UPDATE mailboxes SET tombstones = tombstones + 1 WHERE id = ${INBOX}`,
    sees: ['tombstone-alive'],
  },
  {
    what: 'the content of a message is lost',
    by: `DELETE FROM texts WHERE body = ${ANSWER_BODY}; DELETE FROM bodies WHERE id = ${ANSWER_BODY}`,
    sees: ['message-body'],
    says: /message UID \d+ in INBOX of anna@example\.test/,
    leaves: ['message-body'],
  },
  {
    what: 'a message stands in no mailbox',
    by: `DELETE FROM entries WHERE message = ${ANSWER}`,
    sees: ['message-unreferenced', 'mailbox-counts', 'account-used'],
    leaves: ['message-unreferenced'],
  },
  {
    what: 'references to a message are miscounted',
    by: `UPDATE messages SET refs = 9 WHERE id = ${ANSWER}`,
    sees: ['message-refs'],
  },
  {
    what: 'the size of a message is another than its content has',
    by: `UPDATE messages SET size = size + 5 WHERE id = ${ANSWER}`,
    sees: ['message-size', 'mailbox-counts', 'account-used'],
  },
  {
    what: 'a thread began after its message',
    by: `UPDATE messages SET thread = 5000 WHERE id = (SELECT max(id) FROM messages WHERE id_hash IS NULL)`,
    sees: ['message-thread'],
  },
  {
    what: 'a message is found by another Message-ID',
    by: `UPDATE messages SET id_hash = 5 WHERE id = (SELECT max(id) FROM messages WHERE id_hash IS NULL)`,
    sees: ['message-hash'],
    quick: [],
  },
  {
    what: 'a thread is found by a message that is not there',
    by: 'INSERT INTO thread_ids VALUES (1, 12345, 1, 99999)',
    sees: ['thread-stray'],
  },
  {
    what: 'answers join another thread',
    by: `UPDATE thread_ids SET thread = 1 WHERE message = ${ANSWER}`,
    sees: ['thread-id'],
  },
]

const BODIES: readonly Damage[] = [
  {
    what: 'content belongs to no message',
    by: `UPDATE messages SET body = (SELECT body FROM messages WHERE id = ${ANSWER}) WHERE id = (SELECT max(id) FROM messages WHERE account = 2)`,
    sees: ['body-unreferenced', 'body-refs', 'message-size', 'message-hash'],
    leaves: ['body-unreferenced'],
  },
  {
    what: 'references to a content are miscounted',
    by: `UPDATE bodies SET refs = 1 WHERE id = ${LARGE}`,
    sees: ['body-refs'],
  },
  {
    what: 'the text of a message is lost',
    by: `DELETE FROM texts WHERE body = ${ANSWER_BODY}`,
    sees: ['body-text'],
    says: /message UID \d+ in INBOX/,
    leaves: ['body-text'],
  },
  {
    what: 'a message has a file and a text',
    by: `INSERT INTO texts VALUES (${LARGE}, x'00')`,
    sees: ['body-text'],
    leaves: ['body-text'],
  },
  {
    what: 'a text has no message',
    by: `INSERT INTO texts VALUES (99999, x'00')`,
    sees: ['text-stray'],
    leaves: ['text-stray'],
  },
  {
    what: 'the size of a content is wrong, its messages know better',
    by: `UPDATE bodies SET size = size + 5 WHERE id = ${ANSWER_BODY}`,
    sees: ['body-size', 'message-size'],
    quick: ['body-size', 'message-size'],
  },
  {
    what: 'the size of a large content is wrong, its messages know better',
    by: `UPDATE bodies SET size = size + 5 WHERE id = ${LARGE}`,
    sees: ['body-size', 'message-size'],
    quick: ['body-size', 'message-size'],
  },
  {
    what: 'the trace fields of a message are cut',
    by: `UPDATE bodies SET prefix = substr(prefix, 3) WHERE id = ${ANSWER_BODY}`,
    sees: ['body-crc'],
    quick: ['body-size'],
    leaves: ['body-crc'],
  },
  {
    what: 'an octet of a text is another',
    by: `UPDATE texts SET bytes = CAST('No!!' || substr(CAST(bytes AS TEXT), 5) AS BLOB) WHERE body = ${ANSWER_BODY}`,
    sees: ['body-crc'],
    quick: [],
    says: /message UID \d+ in INBOX of anna@example\.test \(row \d+ of bodies\): its octets/,
    leaves: ['body-crc'],
  },
  {
    what: 'a checksum is another',
    by: `UPDATE bodies SET crc = crc + 1 WHERE id = ${LARGE}`,
    sees: ['body-crc'],
    leaves: ['body-crc'],
  },
  {
    what: 'the copy of the header of a large message is another',
    by: `UPDATE bodies SET head = x'00' WHERE id = ${LARGE}`,
    sees: ['body-head'],
  },
  {
    what: 'header and text of a message are divided elsewhere',
    by: `UPDATE texts SET bytes = CAST(substr((SELECT head FROM bodies b WHERE b.id = texts.body), 11) || bytes AS BLOB) WHERE body = ${ANSWER_BODY};
      UPDATE bodies SET head = substr(head, 1, 10) WHERE id = ${ANSWER_BODY}`,
    sees: ['body-head'],
  },
  ...['envelope', 'structure', 'body', 'parts'].map(
    (column): Damage => ({
      what: `what is kept as ${column} of a message is another`,
      by: `UPDATE bodies SET ${column} = x'2829' WHERE id = ${ANSWER_BODY}`,
      sees: ['body-mime'],
      says: new RegExp(`\\(${column}\\)`),
      quick: [],
    }),
  ),
  {
    what: 'where the header of a message ends is another',
    by: `UPDATE bodies SET header_size = header_size + 1 WHERE id = ${ANSWER_BODY}`,
    sees: ['body-mime'],
    says: /header_size/,
  },
  {
    what: 'the day when a message was sent is another',
    by: `UPDATE bodies SET sent_day = '2026-02-31' WHERE id = ${ANSWER_BODY}`,
    sees: ['body-mime'],
    says: /sent_day/,
  },
  {
    what: 'a message names no file',
    by: `UPDATE bodies SET file = '../../etc/passwd' WHERE id = ${LARGE}`,
    sees: ['file-name', 'file-stray'],
    leaves: ['file-name'],
  },
  {
    what: 'two contents name one file',
    by: `DELETE FROM texts WHERE body = ${ANSWER_BODY}; UPDATE bodies SET (file, size, crc, head, prefix, envelope, structure, body, parts, header_size, sent_day) =
      (SELECT file, size, crc, head, prefix, envelope, structure, body, parts, header_size, sent_day FROM bodies WHERE id = ${LARGE}) WHERE id = ${ANSWER_BODY}`,
    sees: ['file-shared', 'message-size', 'message-hash'],
    leaves: ['file-shared'],
  },
]

const QUEUE: readonly Damage[] = [
  {
    what: 'the content of a message that waits is lost',
    by: `DELETE FROM texts WHERE body = (SELECT body FROM queue); DELETE FROM bodies WHERE id = (SELECT body FROM queue)`,
    sees: ['queue-body'],
    leaves: ['queue-body'],
  },
  {
    what: 'the sender of a message that waits cannot be read',
    by: `UPDATE queue SET sender = '{"reversePath":7}'`,
    sees: ['queue-form'],
    leaves: ['queue-form'],
  },
  {
    what: 'a message that waits has no trace id',
    by: `UPDATE queue SET trace = 'no'`,
    sees: ['queue-form'],
    leaves: ['queue-form'],
  },
  {
    what: 'the size of a message that waits is wrong',
    by: 'UPDATE queue SET size = 1',
    sees: ['queue-size'],
  },
  {
    what: 'more than the trace fields would not go out',
    by: 'UPDATE queue SET skip = 200, size = size - 190',
    sees: ['queue-size'],
    leaves: ['queue-size'],
  },
  {
    what: 'the recipients of a message that waits are lost',
    by: 'DELETE FROM queue_recipients',
    sees: ['queue-recipients'],
    leaves: ['queue-recipients'],
  },
  {
    what: 'a message waits though all have it',
    by: `UPDATE queue_recipients SET state = 'delivered'`,
    sees: ['queue-recipients'],
    leaves: ['queue-recipients'],
  },
  {
    what: 'a recipient of no message',
    by: `INSERT INTO queue_recipients VALUES (99, 0, '["a","b.test"]', 'waiting', 0, 5, '{}')`,
    sees: ['recipient-stray'],
  },
  {
    what: 'how far a delivery is cannot be read',
    by: `UPDATE queue_recipients SET state = 'lost' WHERE n = 0`,
    sees: ['recipient-form'],
    leaves: ['recipient-form'],
  },
  {
    what: 'the address of a recipient cannot be read',
    by: `UPDATE queue_recipients SET address = 'far@away.test' WHERE n = 0`,
    sees: ['recipient-form'],
    leaves: ['recipient-form'],
  },
  {
    what: 'what a sender asked for cannot be read',
    by: `UPDATE queue_recipients SET detail = substr(detail, 3) WHERE n = 0`,
    sees: ['recipient-detail'],
  },
  {
    what: 'the content of a held message is lost',
    by: `DELETE FROM texts WHERE body = ${HELD}; DELETE FROM bodies WHERE id = ${HELD}`,
    sees: ['held-body'],
    leaves: ['held-body'],
  },
  {
    what: 'references of the content of a held message are miscounted',
    by: `UPDATE bodies SET refs = 3 WHERE id = ${HELD}`,
    sees: ['body-refs'],
  },
  {
    what: 'the row of a held message is lost',
    by: `DELETE FROM quarantine WHERE body = ${HELD}`,
    sees: ['body-unreferenced', 'held-recipient-stray'],
    leaves: ['body-unreferenced'],
  },
  {
    what: 'why a message was held cannot be read',
    by: `UPDATE quarantine SET hold = replace(hold, 'reasons', 'seasons')`,
    sees: ['held-form'],
    leaves: ['held-form'],
  },
  {
    what: 'a held message has no right id',
    by: `UPDATE quarantine SET trace = 'no' WHERE body = ${HELD}`,
    sees: ['held-form'],
    leaves: ['held-form'],
  },
  {
    what: 'where a held message would go is no JSON',
    by: `UPDATE quarantine SET plan = '[' || substr(plan, 2) WHERE body = ${HELD}`,
    sees: ['held-plan'],
    leaves: ['held-plan'],
  },
  {
    what: 'an owner of a held message is none',
    by: `UPDATE quarantine SET plan = json_set(plan, '$.deliveries[0].owner', 'ab'), room = room + 3 WHERE body = ${HELD}`,
    sees: ['held-plan'],
    leaves: ['held-plan'],
  },
  { what: 'the size of held messages is wrong', by: 'UPDATE quarantine SET size = 1', sees: ['held-size'] },
  {
    what: 'what a held message takes is wrong',
    by: 'UPDATE quarantine SET room = 1',
    sees: ['held-size'],
    says: /is said to take 1 octets/,
  },
  {
    what: 'a held message is said to come from elsewhere',
    by: `UPDATE quarantine SET network = '198.51.100.1'`,
    sees: ['held-network'],
    says: /come from 198\.51\.100\.1, and came from 192\.0\.2\.7/,
  },
  {
    what: 'recipients of held messages are lost',
    by: 'DELETE FROM held_recipients',
    sees: ['held-recipients'],
  },
  {
    what: 'a held message is found by the wrong account',
    by: 'UPDATE held_recipients SET account = 1 WHERE account = 2',
    sees: ['held-recipients'],
  },
  {
    what: 'a held message has one recipient too many',
    by: `INSERT INTO held_recipients VALUES (${HELD}, 9, 'a@b.test', NULL, NULL)`,
    sees: ['held-recipients'],
  },
  {
    what: 'a held message is kept until no time',
    by: 'UPDATE quarantine SET until_ms = 9007199254740993',
    sees: ['value'],
    leaves: ['value'],
  },
  {
    what: 'an exception is of no kind',
    by: `UPDATE trust SET kind = 'all'`,
    sees: ['trust-form'],
    leaves: ['trust-form'],
  },
  {
    what: 'the network of an exception cannot be read',
    by: `UPDATE trust SET host = '192.0.2.0/99'`,
    sees: ['trust-form'],
    leaves: ['trust-form'],
  },
  {
    what: 'the language of nobody',
    by: `INSERT INTO languages VALUES (99, 'en')`,
    sees: ['language-stray'],
  },
  { what: 'a language is none', by: `UPDATE languages SET language = 'xx'`, sees: ['language-form'] },
  {
    what: 'the policy of a counted day cannot be read',
    by: `UPDATE report_days SET policy = '{' WHERE domain = 'far.test'`,
    sees: ['report-day-form'],
  },
  {
    what: 'a counted row cannot be read',
    by: `UPDATE report_rows SET record = '{'`,
    sees: ['report-row-form'],
    says: /cannot be read/,
  },
  {
    what: 'a counted row of no day',
    by: `INSERT INTO report_rows VALUES ('2026-11-23', 'gone.test', 'x', '{}', 1)`,
    sees: ['report-day-rows', 'report-row-stray'],
  },
  {
    what: 'the rows of a day are miscounted',
    by: `UPDATE report_days SET rows = 7 WHERE domain = 'far.test'`,
    sees: ['report-day-rows'],
    says: /7 rows, and has 1/,
  },
  {
    what: 'a report that came in cannot be read',
    by: `UPDATE reports_received SET report = '['`,
    sees: ['report-received-form'],
  },
  {
    what: 'the octets of reports that came in are miscounted',
    by: 'UPDATE reports_total SET bytes = 5',
    sees: ['report-total'],
    says: /counted as 5 octets/,
  },
  {
    what: 'the octets of reports that came in are not counted',
    by: 'DELETE FROM reports_total',
    sees: ['report-total'],
  },
  {
    what: 'a trace cannot be read',
    by: `UPDATE traces SET events = replace(events, '[', '{') WHERE id = 1`,
    sees: ['trace-form'],
    leaves: ['trace-form'],
  },
  {
    what: 'addresses of no trace',
    by: `UPDATE trace_addresses SET trace = 'gone' WHERE id = (SELECT max(id) FROM trace_addresses)`,
    sees: ['trace-address-stray'],
  },
]

const bodyFile = (folder: string): string =>
  join(folder, 'bodies', String(readValue(folder, `SELECT file FROM bodies WHERE id = ${LARGE}`)))

const FILES: readonly Damage[] = [
  {
    what: 'a body file is lost',
    by: (folder) => rmSync(bodyFile(folder)),
    sees: ['file-missing'],
    quick: ['file-missing'],
    says: /message UID \d+ in INBOX of \w+@example\.test, bodies\/\w+ \(row \d+ of bodies\): the file/,
    leaves: ['file-missing'],
  },
  {
    what: 'the folder of body files is lost',
    by: (folder) => rmSync(join(folder, 'bodies'), { recursive: true }),
    sees: ['file-missing'],
    quick: ['file-missing'],
    says: /^bodies: the folder/m,
    leaves: ['file-missing'],
  },
  {
    what: 'a body file is cut',
    by: (folder) => truncateSync(bodyFile(folder), 300_000),
    sees: ['body-crc'],
    quick: ['body-size'],
    leaves: ['body-crc'],
  },
  {
    what: 'an octet of a body file is another',
    by(folder) {
      const octets = readFileSync(bodyFile(folder))
      octets[200_000] = 0x2a
      writeFileSync(bodyFile(folder), octets)
    },
    sees: ['body-crc'],
    quick: [],
    leaves: ['body-crc'],
  },
  {
    what: 'a body file that no message has',
    by: (folder) => writeFileSync(join(folder, 'bodies', 'ab'.repeat(16)), 'mail', { mode: 0o600 }),
    sees: ['file-stray'],
  },
  {
    what: 'a file of somebody else',
    by: (folder) => writeFileSync(join(folder, 'bodies', 'notes.txt'), 'x', { mode: 0o600 }),
    sees: ['file-stray'],
  },
  {
    what: 'others may read a body file',
    by: (folder) => chmodSync(bodyFile(folder), 0o644),
    sees: ['file-mode'],
  },
  { what: 'others may read the folder', by: (folder) => chmodSync(folder, 0o755), sees: ['file-mode'] },
  {
    what: 'others may read the database',
    by: (folder) => chmodSync(join(folder, 'hikyaku.db'), 0o640),
    sees: ['file-mode'],
  },
  {
    what: 'a body file is a link',
    by(folder) {
      const file = bodyFile(folder)
      renameSync(file, join(folder, 'elsewhere'))
      symlinkSync(join(folder, 'elsewhere'), file)
    },
    sees: ['file-type'],
    leaves: ['file-type'],
  },
  ...(process.getuid?.() === 0
    ? [
        {
          what: 'a body file belongs to another user',
          by: (folder: string) => chownSync(bodyFile(folder), 65534, 65534),
          sees: ['file-owner'],
          leaves: ['file-owner'],
        } satisfies Damage,
      ]
    : []),
]

/** Changes the text of the schema: what SQLite itself then believes. */
function reschema(folder: string, sql: string): void {
  execute(folder, `PRAGMA writable_schema = ON; ${sql}`)
}

const PAGE_BYTES = 4096

/** Overwrites the root page of a table or index. */
function spoilRoot(folder: string, name: string): void {
  const page = Number(readValue(folder, `SELECT rootpage FROM sqlite_schema WHERE name = '${name}'`))
  const path = join(folder, 'hikyaku.db')
  const octets = readFileSync(path)
  octets.fill(0x5a, (page - 1) * PAGE_BYTES, page * PAGE_BYTES)
  writeFileSync(path, octets)
}

const PAGES: readonly Damage[] = [
  {
    what: 'the pages of a table are overwritten',
    by: (folder) => spoilRoot(folder, 'aliases'),
    sees: ['page', 'unreadable'],
    refuses: true,
  },
  {
    what: 'the beginning of the file is overwritten',
    by(folder) {
      const octets = readFileSync(join(folder, 'hikyaku.db'))
      octets.fill(0, 0, 100)
      writeFileSync(join(folder, 'hikyaku.db'), octets)
    },
    sees: ['page'],
    refuses: true,
  },
  {
    what: 'an index has lost a row',
    by(folder) {
      reschema(
        folder,
        `UPDATE sqlite_schema SET sql = replace(sql, 'IS NOT NULL', 'IS NULL') WHERE name = 'bodies_file'`,
      )
      execute(
        folder,
        'UPDATE bodies SET refs = refs, file = file WHERE file IS NOT NULL; REINDEX bodies_file',
      )
      reschema(
        folder,
        `UPDATE sqlite_schema SET sql = replace(sql, 'IS NULL', 'IS NOT NULL') WHERE name = 'bodies_file'`,
      )
    },
    sees: ['index'],
  },
  { what: 'an index is lost', by: 'DROP INDEX queue_due', sees: ['schema'] },
  {
    what: 'a table is lost',
    by: 'DROP TABLE good_addresses',
    sees: ['schema', 'unreadable'],
    refuses: true,
  },
  { what: 'a table of somebody else', by: 'CREATE TABLE mine (a)', sees: ['schema'], leaves: ['schema'] },
]

export const DAMAGES: readonly Damage[] = [
  ...ROWS,
  ...MAILBOXES,
  ...MESSAGES,
  ...BODIES,
  ...QUEUE,
  ...FILES,
  ...PAGES,
]
