import { isTraceId } from '../../../../mail/ids.ts'
import { budgetKey } from '../../../../mail/ip.ts'
import { holdOf, planOf } from '../../held-rows.ts'
import type { TrustRow } from '../../operations.ts'
import { trustEntry } from '../../trust-store.ts'
import type { Row } from '../check-database.ts'
import { SALVAGE } from '../finding.ts'
import type { Rule } from '../rule.ts'

/** Octets of the message, and of all that is kept with it. */
const ROOM = 'b.size + octet_length(q.hold) + octet_length(q.plan)'
/** The recipients in a plan, as rows; none where the plan is no JSON. */
const PLANNED = `json_each(CASE WHEN json_valid(q.plan) THEN q.plan ELSE '{}' END, '$.recipients') p`
const OF_PLAN = `json_extract(p.value, '$[0]') AS address, json_extract(p.value, '$[1]') AS account`

/** Held messages, and the exceptions of an operator. */
export const QUARANTINE_RULES: readonly Rule[] = [
  {
    kind: 'held-body',
    table: 'quarantine',
    sql: 'SELECT body AS id, body AS ofBody FROM quarantine WHERE body NOT IN (SELECT id FROM bodies)',
    says: ({ ofBody }) => `the content of the held message, body number ${ofBody}, is not there`,
    advice: 'restore a backup that has it, or take it out with `hikyaku quarantine delete`',
  },
  {
    kind: 'held-form',
    table: 'quarantine',
    sql: 'SELECT body AS id, trace, hold FROM quarantine',
    isWrong: ({ hold, trace }) =>
      typeof trace !== 'string' ||
      !isTraceId(trace) ||
      typeof hold !== 'string' ||
      holdOf(hold) === undefined,
    says: () => 'why the message was held, or its id, cannot be read',
    advice: 'look at it with `hikyaku quarantine show`; it can be released and deleted as it is',
  },
  {
    kind: 'held-plan',
    table: 'quarantine',
    sql: 'SELECT body AS id, plan FROM quarantine',
    isWrong: ({ plan }) => typeof plan !== 'string' || planOf(plan) === undefined,
    says: () => 'where the held message would go cannot be read, so that it cannot be released',
    advice: SALVAGE,
  },
  {
    kind: 'held-size',
    table: 'quarantine',
    sql: `SELECT q.body AS id, q.size AS has, q.room AS hasRoom, b.size AS should, ${ROOM} AS room
      FROM quarantine q JOIN bodies b ON b.id = q.body WHERE q.size != b.size OR q.room != ${ROOM}`,
    says: ({ has, hasRoom, room, should }) =>
      has === should
        ? `the held message is said to take ${hasRoom} octets, and takes ${room}`
        : `the held message is said to have ${has} octets, and has ${should}`,
    repair: ['UPDATE quarantine SET size = $should, room = $room WHERE body = $id'],
    repaired: ({ should }) => `it has ${should} octets`,
  },
  {
    // Others' mail would make room for it.
    kind: 'held-network',
    table: 'quarantine',
    sql: 'SELECT body AS id, network, hold FROM quarantine',
    isWrong: (row) => networkOf(row) !== undefined && networkOf(row) !== row.network,
    says: (row) => `the held message is said to come from ${row.network}, and came from ${networkOf(row)}`,
    repair: ['UPDATE quarantine SET network = $should WHERE body = $id'],
    values: (row) => ({ ...row, should: networkOf(row) ?? '' }),
    repaired: (row) => `it came from ${networkOf(row)}`,
  },
  {
    kind: 'held-recipient-stray',
    table: 'held_recipients',
    sql: `SELECT body || '/' || n AS row, body AS ofBody, n, address FROM held_recipients
      WHERE body NOT IN (SELECT body FROM quarantine)`,
    says: ({ address }) => `recipient ${address} of a message that is not held`,
    repair: ['DELETE FROM held_recipients WHERE body = $ofBody AND n = $n'],
    repaired: () => 'removed',
  },
  {
    // A wrong account would be told of another's mail.
    kind: 'held-recipients',
    table: 'quarantine',
    sql: `SELECT q.body AS id FROM quarantine q WHERE json_valid(q.plan)
      AND ((SELECT count(*) FROM ${PLANNED}) != (SELECT count(*) FROM held_recipients r WHERE r.body = q.body)
      OR EXISTS (SELECT p.key, ${OF_PLAN} FROM ${PLANNED} EXCEPT
        SELECT n, address, account FROM held_recipients r WHERE r.body = q.body))`,
    says: () => 'the recipients by whom the held message is found are not those that it would go to',
    repair: [
      `INSERT INTO held_recipients (body, n, address, account, told_ms)
        SELECT q.body, p.key, ${OF_PLAN}, NULL FROM quarantine q, ${PLANNED} WHERE q.body = $id
        ON CONFLICT DO UPDATE SET address = excluded.address, account = excluded.account`,
      `DELETE FROM held_recipients WHERE body = $id
        AND n NOT IN (SELECT p.key FROM quarantine q, ${PLANNED} WHERE q.body = $id)`,
    ],
    repaired: () => 'taken from where it would go',
  },
  {
    kind: 'trust-form',
    table: 'trust',
    sql: `SELECT id, kind, domain, list, host, why, added_ms AS addedMs, until_ms AS untilMs FROM trust`,
    isWrong: (row) => !isTrust(row),
    says: () => 'the exception cannot be read, and nobody is trusted by it',
    advice: 'remove it with `hikyaku trust remove` and add it anew',
  },
  {
    kind: 'language-form',
    table: 'languages',
    sql: `SELECT account AS id, language FROM languages WHERE language NOT IN ('en', 'ja')`,
    says: ({ language }) => `"${language}" is no language that the account could be written to in`,
    repair: ['DELETE FROM languages WHERE account = $id'],
    repaired: () => 'removed: it is written to in English',
  },
]

/** undefined where why it was held cannot be read: another rule says so. */
function networkOf({ hold }: Row): string | undefined {
  const client = typeof hold === 'string' ? holdOf(hold)?.client : undefined
  return client === undefined ? undefined : budgetKey(client)
}

function isTrust(row: Row): boolean {
  const { domain, host } = row
  const areTexts = typeof domain === 'string' && (host === null || typeof host === 'string')
  return areTexts && trustEntry(row as unknown as TrustRow) !== undefined
}
