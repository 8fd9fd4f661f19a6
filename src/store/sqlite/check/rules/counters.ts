import type { Rule } from '../rule.ts'

/** Each counter, and the highest number that a row has of it. */
const HIGHEST: readonly (readonly [counter: string, sql: string])[] = [
  ['account', 'SELECT max(id) FROM accounts'],
  ['mailbox', 'SELECT max(id) FROM (SELECT id FROM mailboxes UNION ALL SELECT mailbox FROM doomed)'],
  ['body', 'SELECT max(id) FROM bodies'],
  ['message', 'SELECT max(id) FROM messages'],
  ['queue', 'SELECT max(id) FROM queue'],
  ['trace', 'SELECT max(id) FROM traces'],
  ['uidvalidity', 'SELECT max(uidvalidity) FROM mailboxes WHERE uidvalidity < 4294967296'],
]
const TRACE_BYTES = 'SELECT coalesce(sum(octet_length(events)), 0) FROM traces'
/**
 * Which numbers were given to rows that are gone again is lost with the counters: so many are left out, since none
 * may be given twice (object ids, rfc8474 §4).
 */
const LEFT_OUT = 1_000_000
/** Numbers beyond this would soon no longer be told apart. */
const HIGH_ID = 2 ** 52
/** rfc3501 §2.3.1.1: 32 bits. */
const HIGH: Readonly<Record<string, number>> = { uidvalidity: 0xffff_fffe }

/** The last ones: they are put right when the rows are. */
export const COUNTER_RULES: readonly Rule[] = [
  {
    kind: 'counters-row',
    table: 'counters',
    sql: `SELECT 1 AS id, ${HIGHEST.map(([name, sql]) => `coalesce((${sql}), 0) AS ${name}`).join(', ')},
      (${TRACE_BYTES}) AS traceBytes WHERE NOT EXISTS (SELECT 1 FROM counters)`,
    says: () => 'the row of counters is not there, so that numbers would be given twice',
    repair: [
      `INSERT INTO counters (id, ${HIGHEST.map(([name]) => name).join(', ')}, trace_bytes) VALUES (1, ${HIGHEST.map(
        ([name]) => (name === 'uidvalidity' ? `$${name}` : `$${name} + ${LEFT_OUT}`),
      ).join(', ')}, $traceBytes)`,
    ],
    repaired: () => `made anew, ${LEFT_OUT} above what rows have`,
  },
  ...HIGHEST.map(
    ([name, sql]): Rule => ({
      kind: 'counter',
      table: 'counters',
      sql: `SELECT '${name}' AS row, c.${name} AS has, h.most, ${HIGH[name] ?? HIGH_ID} AS high,
          iif(c.${name} < h.most, h.most, h.most + ${name === 'uidvalidity' ? 0 : LEFT_OUT}) AS should
        FROM counters c JOIN (SELECT coalesce((${sql}), 0) AS most) h
        WHERE h.most <= ${HIGH_ID} AND (c.${name} < h.most OR c.${name} > high)`,
      says: ({ has, high, most }) =>
        Number(has) > Number(high)
          ? `it stands at ${has}, which no number may reach`
          : `it stands at ${has}, and a row has ${most} already`,
      repair: [`UPDATE counters SET ${name} = $should`],
      repaired: ({ should }) => `set to ${should}`,
    }),
  ),
  {
    kind: 'trace-bytes',
    table: 'traces',
    sql: `SELECT c.trace_bytes AS has, h.total AS should FROM counters c JOIN (SELECT (${TRACE_BYTES}) AS total) h
      WHERE c.trace_bytes != h.total`,
    says: ({ has, should }) => `traces are counted as ${has} octets, and have ${should}`,
    repair: ['UPDATE counters SET trace_bytes = $should'],
    repaired: () => 'counted anew',
  },
]
