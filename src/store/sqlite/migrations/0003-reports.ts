/**
 * DMARC reports. `report_rows` counts the messages of a day that were alike (`record` is JSON of a `ReportRecord`,
 * `hash` names it), `report_days` says what of and how many rows; its row with the empty domain counts the rows of the
 * whole day, and `tried_ms` is when a report was last put off (0: never). A day that is dealt with leaves both for
 * `reports_sent`. What others report is kept whole, as JSON; the one row of `reports_total` is the sum of its octets.
 */
export const REPORTS_SCHEMA = `
CREATE TABLE report_days (
  day TEXT NOT NULL, domain TEXT NOT NULL, policy TEXT NOT NULL, rows INTEGER NOT NULL, omitted INTEGER NOT NULL,
  tried_ms INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (day, domain)
) STRICT, WITHOUT ROWID;
CREATE TABLE report_rows (
  day TEXT NOT NULL, domain TEXT NOT NULL, hash TEXT NOT NULL, record TEXT NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (day, domain, hash)
) STRICT, WITHOUT ROWID;
CREATE TABLE reports_sent (
  day TEXT NOT NULL, domain TEXT NOT NULL, report_id TEXT NOT NULL, at_ms INTEGER NOT NULL,
  recipients INTEGER NOT NULL, PRIMARY KEY (day, domain)
) STRICT, WITHOUT ROWID;
CREATE TABLE reports_received (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, organization TEXT NOT NULL, report_id TEXT NOT NULL,
  domain TEXT NOT NULL, part TEXT NOT NULL, received_ms INTEGER NOT NULL, bytes INTEGER NOT NULL, report TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX reports_received_once ON reports_received (kind, organization, report_id, domain, part);
CREATE INDEX reports_received_when ON reports_received (received_ms, bytes);
CREATE TABLE reports_total (id INTEGER PRIMARY KEY, bytes INTEGER NOT NULL) STRICT;
INSERT INTO reports_total VALUES (1, 0);
`
