/** Limits of the store, each with its reason. Nothing here is a protocol's own limit. */

/** Larger bodies are files: below this a row in the database is quicker than a file, above it the log doubles the work. */
export const INLINE_BODY_BYTES = 256 * 1024
/** Octets waiting to be written to a body file before a session is asked for patience: two socket reads of 64 KiB and room. */
export const FILE_WRITE_BACKLOG_BYTES = 1024 * 1024
/** The disk's room is looked at once for so much of a body file: a look costs 10 µs, and pieces may be of one octet. */
export const ROOM_CHECK_BYTES = 64 * 1024
/** What is kept of a header block beside the body, and what `StagedBody.header` shows. Real ones stay below 32 KiB. */
export const KEPT_HEADER_BYTES = 64 * 1024

/** Group commit: larger groups gain nothing (8.5 µs of SQLite a message at 64) and make everyone wait. */
export const GROUP_OPERATIONS = 512
export const GROUP_BYTES = 8 * 1024 * 1024

/** Body files whose commit failed, remembered until the disk works again; those beyond are swept at the next start. */
export const DOUBTFUL_FILES = 10_000
/** After a failed write the database is opened again so often until that works: a disk that is gone must not keep us busy. */
export const REOPEN_EVERY_MS = 2_000
/** Pages of the log from which it is to begin anew: some 32 MiB. Sooner costs more fsyncs of the database, … */
export const LOG_PAGES = 8000
/** … and so many are written back by another thread at a time. A commit beside that waits up to some 5 ms for the disk; fewer at a time cost more fsyncs. */
export const LOG_PASS_PAGES = 2000
/** The thread that writes the log back ends when so long there was nothing to do: it costs 10 MiB, and its start 40 ms. */
export const CHECKPOINT_THREAD_MS = 10_000

/** Rows of work that nobody waits for (purging, retention) in one slice: some 5 ms of the writer. */
export const SLICE_ROWS = 400

/**
 * Messages that one MOVE or EXPUNGE writes in one commit: some 30 ms of the writer. More are done in several, so
 * that other mail goes on between them; 100,000 at once held everyone up for a second.
 */
export const WRITE_SLICE_ROWS = 4000
/** The same for STORE, which is two statements for each range of UIDs: 10 ms of the writer for one range, 15 ms for as many as may be. */
export const STORE_SLICE_ROWS = 20_000
export const STORE_SLICE_RANGES = 4000
/** The same for COPY, which is wanted whole or not at all (rfc3501 §6.4.7): what is undone costs more than 50 ms of waiting. */
export const COPY_SLICE_ROWS = 10_000
/** Octets and operations that are on their way to the writer at once; what is beyond waits where it is, uncopied. */
export const IN_FLIGHT_BYTES = 16 * 1024 * 1024
export const IN_FLIGHT_OPERATIONS = 2048
/** Octets that wait for a slow disk before sessions are asked for patience: their sockets are no longer read then. */
export const WRITER_BACKLOG_BYTES = 64 * 1024 * 1024
/**
 * Traces of refused mail that wait for a slow disk, a KiB each, with evidence some more: as octets they count for
 * `WRITER_BACKLOG_BYTES`. Nobody waits for them, so those beyond are dropped and counted.
 */
export const POSTED_OPERATIONS = 10_000

/** Unused room in the database is given back where it is this much (a week of a household's mail, or one large folder emptied) … */
export const SHRINK_FLOOR_BYTES = 16 * 1024 * 1024
/** … and this share of the file: less is filled again by the next mail, and cutting and growing would be paid for both times. */
export const SHRINK_SHARE = 0.25
/** So much is left for the next mail, of the file and of the floor. */
export const SHRINK_REST_SHARE = 0.05
/** Pages given back in one slice: some 5 ms of the writer, so that a message which comes just then hardly waits. */
export const SHRINK_SLICE_PAGES = 256
/** A database made without room to shrink is rewritten at its opening up to this size, in memory and in about a second. */
export const REWRITE_AT_OPEN_BYTES = 64 * 1024 * 1024

/** Files of deleted mail that a running backup keeps from being deleted; each holds more than `INLINE_BODY_BYTES`. */
export const HELD_FILES = 100_000

/** Pages of the database copied into a backup at one go: some 4 MiB, 10 ms; between them it looks whether to stop. */
export const BACKUP_STEP_PAGES = 1000
/** A log of this size is usual; a backup that makes it longer than this and the database together gives up. */
export const BACKUP_LOG_BYTES = 256 * 1024 * 1024
/** A line about how far it is comes at most this often. */
export const BACKUP_LINE_MS = 2_000
/** Damaged messages that a backup names one by one. */
export const DAMAGED_NAMED = 100

/** Damaged files of a backup that a restore names one by one. */
export const DAMAGED_SHOWN = 10
/**
 * Ids that a restored store leaves out, since those after the backup may have been given to other things: more than a
 * store could have given (a thousand messages a second for 50 days), and 53 bits have room for two million restores.
 */
export const RESTORED_ID_JUMP = 2 ** 32
/** UIDVALIDITY goes by the clock's seconds; many mailboxes made at once run ahead of it, by less than this. */
export const RESTORED_UIDVALIDITY_JUMP = 86_400

/** IMAP flags are one 53-bit integer: 5 system flags and 48 keywords for each mailbox. */
export const KEYWORDS_PER_MAILBOX = 48
/** LIST and the writer's cache hold all of them; people have hundreds. */
export const MAILBOXES_PER_ACCOUNT = 10_000
export const SUBSCRIPTIONS_PER_ACCOUNT = 10_000
/** Expunged UIDs that a mailbox remembers; a client that was away longer gets them all by comparison (rfc7162 §3.2.5.1). */
export const TOMBSTONES_PER_MAILBOX = 20_000
/** rfc3501 §2.3.1.1: UIDs are 32 bits. */
export const MAX_UID_NEXT = 0xffff_ffff
/** References followed to find a message's thread: the last ones are nearest. */
export const THREAD_REFERENCES = 16
/** Known addresses of an account; a phone on the road shows a few dozen networks a month. */
export const GOOD_ADDRESSES_PER_ACCOUNT = 64
/** A known address is written again only when it was last seen this long ago. */
export const GOOD_ADDRESS_REFRESH_MS = 24 * 3600 * 1000

/** Rows of one FETCH batch; enough that the hop between threads (20 µs) does not show. */
export const FETCH_ROWS = 512
/** Octets of one FETCH batch: two of them are in memory for each session that fetches. */
export const FETCH_BYTES = 1024 * 1024
/** Section octets of one message in a batch; what is beyond is read when the client takes it. A hundred sections of one message would else be held at once. */
export const FETCH_ROW_BYTES = 1024 * 1024
/** Octets that are gone through for one batch: some 20 ms of the reader, in which others wait. A client may ask for one octet of each large message, or for header fields that none has. */
export const FETCH_LOOK_BYTES = 8 * 1024 * 1024
/** Messages in one slice of a SEARCH; the reader also stops after `SEARCH_SLICE_MS`. */
export const SEARCH_ROWS = 2000
/** Other reads wait at most about this long behind a SEARCH. */
export const SEARCH_SLICE_MS = 20
/** Trace rows looked at in one slice. */
export const TRACE_SCAN_ROWS = 20_000

/** Older states of a mailbox kept for sessions that lag; each costs a copy of the mailbox's columns. */
export const OLD_GENERATIONS = 64
/** Flag changes remembered one by one; a session further behind compares MODSEQs instead. */
export const FLAG_LOG_BATCHES = 256
/** Flag changes that a session makes a list of; of more it keeps none, and looks through the mailbox while it tells them. */
export const LISTED_FLAGS = 1000
/** Sets of flags whose names are kept ready; mailboxes have a few dozen in use. */
export const FLAG_SETS = 1000
/** Runs of UIDs that one session has as recent; the oldest are given up where sessions take turns that often. */
export const RECENT_RANGES = 500
/** Rows of mailboxes that no session has open but that are kept for the next SELECT: 28 octets each. */
export const CACHED_ROWS = 500_000
/** Sessions told of a change in one turn of the event loop: some 2 ms. */
export const FAN_OUT_SLICE = 64
/** No longer than this, where they have more to hear than one line. */
export const FAN_OUT_MS = 5

/** Room on the disk that mail may not take: an EXPUNGE of a large mailbox needs some MiB of log. */
export const FREE_SPACE_BYTES = 32 * 1024 * 1024
/** On a disk so small that this is much, a share of it. */
export const FREE_SPACE_SHARE = 0.25

/** Aliases that name aliases, followed this deep: people use one or two levels. */
export const ALIAS_DEPTH = 10
/** Addresses one address can lead to; beyond this it is a mailing list and wants other software. */
export const ALIAS_TARGETS = 200

/** Cached mailboxes in the writer before it starts afresh: some 20 MiB. */
export const CACHED_MAILBOXES = 50_000

/** Body files that were proved by their checksums and are believed for `PROVED_FILE_MS`: some 200 octets each. */
export const PROVED_FILES = 4096
/** A phone takes a large message in pieces for minutes; what breaks after that is seen at the next look. */
export const PROVED_FILE_MS = 10 * 60 * 1000
/** Damaged messages told of one by one; the log is no place for a hundred thousand of them. */
export const DAMAGE_NEWS_PER_MINUTE = 20
/** Damaged messages remembered as told; with more of them nobody reads the log for single ones. */
export const TOLD_DAMAGE = 10_000

/** A clock is set by seconds; a machine that slept shows as a jump too, and then nothing is lost by waiting. */
export const CLOCK_JUMP_MS = 3_600_000
/** Between two starts: a server that gets mail has a trace for each day; one that was off longer waits a day for nothing. */
export const CLOCK_GAP_MS = 2 * 24 * 3_600_000
/** So long nothing is deleted by a clock that jumped: somebody notices, or a time server sets it right. */
export const CLOCK_DOUBT_MS = 24 * 3_600_000
/** UIDVALIDITY is 32 bits (rfc3501 §2.3.1.1): a clock beyond this (the year 2097) is wrong, and would use up the numbers. */
export const LAST_CLOCK_SECONDS = 4_000_000_000

/** Held messages that one slice of an expiry removes: each some pages and a trace row, so some 20 ms of the writer. */
export const HELD_SLICE_ROWS = 100
/**
 * One network that holds more than this part of what all held messages may take makes room before others do. Below it
 * nobody is a flood, and a single large message of somebody must not go before a hundred small ones of a hundred senders.
 */
export const HELD_NETWORK_PART = 16
/** Networks that one expiry tells apart: no more than HELD_NETWORK_PART of them can be above the part, beside what came since the last. */
export const HELD_NETWORKS = 64
/** A slice takes at least this part of that, or two networks alike would lose a message each in turn, with a commit each. */
export const HELD_NETWORK_SLICE_PART = 16
/** Held messages, with their evidence, that one question is answered with: some MB at most. */
export const HELD_LIST_ROWS = 200
/** Exceptions from DMARC policies: each message is held against all of them in memory. */
export const TRUST_ENTRIES = 1000

/** Kinds of mail of one domain and day that are told apart in a report: each is a record of some 1 KiB of XML. */
export const REPORT_ROWS_PER_DOMAIN = 5000
/** Of all domains on one day: 100 MiB at most. Whoever publishes a record for each of a million names gets no further. */
export const REPORT_ROWS_PER_DAY = 100_000
/** Policy domains of one day, each a report to send. */
export const REPORT_DOMAINS_PER_DAY = 2000
/** Reports of others are kept a year, and a month to compare it with the year before. */
export const REPORTS_KEPT_MS = 400 * 24 * 3_600_000
/** Of them all; the oldest go first. */
export const REPORTS_KEPT_BYTES = 256 * 1024 * 1024
/** One of them: 10,000 records of 300 octets; what is more is left out. */
export const REPORT_KEPT_BYTES = 4 * 1024 * 1024
/** Reports deleted for their age or for want of room when another comes. */
export const REPORTS_DELETED_AT_ONCE = 50
/** Octets of reports in one answer of the reader, and how many at most. */
export const REPORT_PAGE_BYTES = 4 * 1024 * 1024
export const REPORT_PAGE_ROWS = 200
/** Days of a report that are listed at once. */
export const REPORT_DAYS_ROWS = 10_000
