import type { Rule } from '../rule.ts'

const ALL_ROWS = 'SELECT count(*) FROM report_rows r WHERE r.day = t.day'

/** What is counted for reports, and what others report. No mail hangs on it. */
export const REPORT_RULES: readonly Rule[] = [
  {
    kind: 'report-day-form',
    table: 'report_days',
    sql: `SELECT day || '/' || domain AS row, day, domain FROM report_days WHERE NOT json_valid(policy) OR omitted < 0`,
    says: () => 'the policy that the counts of a day stand on cannot be read',
    repair: [
      'DELETE FROM report_rows WHERE day = $day AND domain = $domain',
      'DELETE FROM report_days WHERE day = $day AND domain = $domain',
    ],
    repaired: () => 'removed: no report is sent about it',
  },
  {
    kind: 'report-row-form',
    table: 'report_rows',
    sql: `SELECT day || '/' || domain || '/' || hash AS row, day, domain, hash FROM report_rows
      WHERE NOT json_valid(record) OR count < 1`,
    says: () => 'what is counted for a report cannot be read',
    repair: ['DELETE FROM report_rows WHERE day = $day AND domain = $domain AND hash = $hash'],
    repaired: () => 'removed: the report will not tell of it',
  },
  {
    kind: 'report-row-stray',
    table: 'report_rows',
    sql: `SELECT r.day || '/' || r.domain || '/' || r.hash AS row, r.day, r.domain, r.hash FROM report_rows r
      WHERE NOT EXISTS (SELECT 1 FROM report_days d WHERE d.day = r.day AND d.domain = r.domain)`,
    says: () => 'counted for a day that no report is made of',
    repair: ['DELETE FROM report_rows WHERE day = $day AND domain = $domain AND hash = $hash'],
    repaired: () => 'removed',
  },
  {
    kind: 'report-day-rows',
    table: 'report_days',
    // The row of the whole day counts what came, also of domains that are closed by now.
    sql: `SELECT t.day || '/' || t.domain AS row, t.day, t.domain, t.rows AS has,
        (${ALL_ROWS} AND (t.domain = '' OR r.domain = t.domain)) AS should FROM report_days t
      WHERE CASE t.domain WHEN '' THEN t.rows < (${ALL_ROWS})
        ELSE t.rows != (${ALL_ROWS} AND r.domain = t.domain) END`,
    says: ({ has, should }) => `it is said to have ${has} rows, and has ${should}`,
    repair: ['UPDATE report_days SET rows = $should WHERE day = $day AND domain = $domain'],
    repaired: ({ should }) => `it has ${should}`,
  },
  {
    kind: 'report-received-form',
    table: 'reports_received',
    sql: `SELECT id FROM reports_received WHERE NOT json_valid(report) OR bytes != octet_length(report)
      OR kind NOT IN ('dmarc', 'tls')`,
    says: () => 'a report that came in cannot be read',
    repair: ['DELETE FROM reports_received WHERE id = $id'],
    repaired: () => 'removed; the mail that brought it is still where it was delivered',
  },
  {
    // After the rule that removes some of them.
    kind: 'report-total',
    table: 'reports_total',
    sql: `SELECT 1 AS id, t.bytes AS has, h.total AS should
      FROM (SELECT coalesce(sum(bytes), 0) AS total FROM reports_received) h
      LEFT JOIN reports_total t ON t.id = 1 WHERE t.bytes IS NOT h.total`,
    says: ({ has, should }) =>
      has === null
        ? 'how many octets the reports have that came in is not there'
        : `the reports that came in are counted as ${has} octets, and have ${should}`,
    repair: [
      'INSERT INTO reports_total VALUES (1, $should) ON CONFLICT DO UPDATE SET bytes = excluded.bytes',
    ],
    repaired: () => 'counted anew',
  },
]
