/**
 * The first schema. Ids come from `counters` and are never used again, also after a deletion: object ids
 * (rfc8474 §4, §5) are made of them. A UIDVALIDITY is given once in the whole database.
 *
 * body → message (one account's; EMAILID and THREADID) → entry (mailbox, uid). `refs` of a body counts its
 * messages and queue items, `refs` of a message its entries and the tombstones that still pin it.
 *
 * Trace ids sort by time: their rows are appended, and the oldest stand first. Addresses stand apart in narrow
 * rows, which finding by a part of an address runs through.
 *
 * A body's header block stands apart from its text, so that headers are read without touching the text's pages:
 * octets are prefix ‖ head ‖ texts.bytes, or prefix ‖ file (head is then a copy of the file's beginning).
 * `crc` is that of head ‖ texts.bytes ‖ prefix, or of file ‖ prefix: see body-crc.ts.
 */
export const FIRST_SCHEMA = `
CREATE TABLE counters (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  account INTEGER NOT NULL, mailbox INTEGER NOT NULL, body INTEGER NOT NULL, message INTEGER NOT NULL,
  queue INTEGER NOT NULL, trace INTEGER NOT NULL, uidvalidity INTEGER NOT NULL, trace_bytes INTEGER NOT NULL
) STRICT;
INSERT INTO counters VALUES (1, 0, 0, 0, 0, 0, 0, 0, 0);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
  id INTEGER PRIMARY KEY, login TEXT NOT NULL UNIQUE, created_ms INTEGER NOT NULL, quota INTEGER,
  used INTEGER NOT NULL, modseq INTEGER NOT NULL, disabled INTEGER NOT NULL
) STRICT;
CREATE TABLE credentials (
  account INTEGER NOT NULL, name TEXT NOT NULL, argon2id TEXT NOT NULL, scram TEXT, created_ms INTEGER NOT NULL,
  PRIMARY KEY (account, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE aliases (alias TEXT PRIMARY KEY, targets TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE good_addresses (
  account INTEGER NOT NULL, address TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (account, address)
) STRICT, WITHOUT ROWID;

CREATE TABLE mailboxes (
  id INTEGER PRIMARY KEY, account INTEGER NOT NULL, name TEXT NOT NULL, special_use TEXT,
  selectable INTEGER NOT NULL, uidvalidity INTEGER NOT NULL UNIQUE, uidnext INTEGER NOT NULL,
  highest_modseq INTEGER NOT NULL, messages INTEGER NOT NULL, unseen INTEGER NOT NULL,
  deleted INTEGER NOT NULL, size INTEGER NOT NULL, tombstones INTEGER NOT NULL, vanished_floor INTEGER NOT NULL,
  UNIQUE (account, name)
) STRICT;
CREATE TABLE keywords (
  mailbox INTEGER NOT NULL, bit INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (mailbox, bit)
) STRICT, WITHOUT ROWID;
CREATE TABLE subscriptions (
  account INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (account, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE doomed (mailbox INTEGER PRIMARY KEY) STRICT;

CREATE TABLE bodies (
  id INTEGER PRIMARY KEY, refs INTEGER NOT NULL, size INTEGER NOT NULL, crc INTEGER NOT NULL, header_size INTEGER NOT NULL, sent_day TEXT,
  file TEXT, prefix BLOB NOT NULL, envelope BLOB NOT NULL, structure BLOB NOT NULL, body BLOB NOT NULL,
  parts BLOB NOT NULL, head BLOB NOT NULL
) STRICT;
CREATE INDEX bodies_file ON bodies (file) WHERE file IS NOT NULL;
CREATE TABLE texts (body INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
CREATE TABLE messages (
  id INTEGER PRIMARY KEY, account INTEGER NOT NULL, body INTEGER NOT NULL, thread INTEGER NOT NULL,
  refs INTEGER NOT NULL, size INTEGER NOT NULL, arrived_ms INTEGER NOT NULL, zone INTEGER NOT NULL, id_hash INTEGER
) STRICT;
CREATE TABLE thread_ids (
  account INTEGER NOT NULL, hash INTEGER NOT NULL, thread INTEGER NOT NULL, message INTEGER NOT NULL,
  PRIMARY KEY (account, hash)
) STRICT, WITHOUT ROWID;
CREATE TABLE entries (
  mailbox INTEGER NOT NULL, uid INTEGER NOT NULL, message INTEGER NOT NULL, flags INTEGER NOT NULL,
  modseq INTEGER NOT NULL, PRIMARY KEY (mailbox, uid)
) STRICT, WITHOUT ROWID;
CREATE TABLE tombstones (
  mailbox INTEGER NOT NULL, modseq INTEGER NOT NULL, uid INTEGER NOT NULL, message INTEGER,
  PRIMARY KEY (mailbox, modseq, uid)
) STRICT, WITHOUT ROWID;
CREATE INDEX tombstones_pinned ON tombstones (mailbox, modseq) WHERE message IS NOT NULL;

CREATE TABLE queue (
  id INTEGER PRIMARY KEY, body INTEGER NOT NULL, trace TEXT NOT NULL, sender TEXT NOT NULL,
  skip INTEGER NOT NULL, size INTEGER NOT NULL, arrived_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE queue_recipients (
  queue INTEGER NOT NULL, n INTEGER NOT NULL, address TEXT NOT NULL, state TEXT NOT NULL,
  attempts INTEGER NOT NULL, next_ms INTEGER NOT NULL, detail TEXT NOT NULL, PRIMARY KEY (queue, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX queue_due ON queue_recipients (next_ms) WHERE state = 'waiting';

CREATE TABLE traces (
  trace TEXT NOT NULL, id INTEGER NOT NULL, at_ms INTEGER NOT NULL, events TEXT NOT NULL, PRIMARY KEY (trace, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE trace_addresses (
  id INTEGER PRIMARY KEY, trace TEXT NOT NULL, senders TEXT NOT NULL, recipients TEXT NOT NULL
) STRICT;
`
