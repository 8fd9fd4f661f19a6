/**
 * Held messages, exceptions from DMARC policies, and the languages that accounts are written to in.
 *
 * A held message is known by its trace; its row has the number of its body, which is given once. `hold` is the JSON of
 * `NewHold` (ports/quarantine.ts), `plan` that of `HoldPlan` (hold-rows.ts): the deliveries and the queue item that
 * its release makes. `room` is what it takes in all, `network` where it came from (mail/ip.ts `budgetKey`); the indexes
 * let totals and the next to expire be found without touching the rows. A body that is held has one reference for it.
 *
 * `held_recipients` is by whom a held message is found: `account` is NULL where nobody here is meant, or nobody any
 * more; `told_ms` is when a digest told the account.
 */
export const QUARANTINE_SCHEMA = `
CREATE TABLE quarantine (
  body INTEGER PRIMARY KEY, trace TEXT NOT NULL UNIQUE, held_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,
  sender TEXT NOT NULL, network TEXT NOT NULL, size INTEGER NOT NULL, room INTEGER NOT NULL, hold TEXT NOT NULL,
  plan TEXT NOT NULL
) STRICT;
CREATE INDEX quarantine_until ON quarantine (until_ms);
CREATE INDEX quarantine_age ON quarantine (held_ms, room);
CREATE INDEX quarantine_network ON quarantine (network, held_ms, room);
CREATE TABLE held_recipients (
  body INTEGER NOT NULL, n INTEGER NOT NULL, address TEXT NOT NULL, account INTEGER, told_ms INTEGER,
  PRIMARY KEY (body, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX held_by_account ON held_recipients (account, body) WHERE account IS NOT NULL;
CREATE INDEX held_untold ON held_recipients (account, body) WHERE account IS NOT NULL AND told_ms IS NULL;

CREATE TABLE trust (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, domain TEXT NOT NULL, list TEXT, host TEXT, why TEXT,
  added_ms INTEGER NOT NULL, until_ms INTEGER
) STRICT;
CREATE TABLE languages (account INTEGER PRIMARY KEY, language TEXT NOT NULL) STRICT;
`
