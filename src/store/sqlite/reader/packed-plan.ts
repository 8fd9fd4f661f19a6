export type NamedColumn = readonly [name: string, sql: string]

/** A question whose one row holds what is wanted of many messages. */
export interface PackedPlan {
  /** Gives: numbers as JSON, octets, how many messages, how many of them have a file, how many columns are wrong. */
  readonly sql: string
  /** Of each message, in this order: its numbers, then the lengths of its octets. */
  readonly numbers: readonly string[]
  readonly octets: readonly string[]
}

const KNOWN: ReadonlySet<string> = new Set(['index', 'message'])
const OCTETS: ReadonlySet<string> = new Set([
  'envelope',
  'structure',
  'body',
  'parts',
  'prefix',
  'head',
  'text',
])

/**
 * Reading a row costs twice what SQLite needs for it: every value becomes an object. So SQLite joins the rows of many
 * messages into one.
 */
export function planPacked(all: readonly NamedColumn[], from: string): PackedPlan {
  const hasText = all.some(([name]) => name === 'text')
  // Each number costs a twentieth of a row: what the list of messages tells, and the size, which only files need.
  const needed = all.filter(([name]) => !KNOWN.has(name) && (name !== 'octets' || hasText))
  const columns = needed.length > 0 ? needed : all
  const octets = columns.filter(([name]) => OCTETS.has(name))
  const numbers = columns.filter(([name]) => name !== 'file' && !OCTETS.has(name))
  const file = columns.find(([name]) => name === 'file')
  const lengths = octets.map(([, sql]) => `octet_length(${sql})`)
  const joined = (list: readonly string[], empty: string): string =>
    list.length === 0 ? empty : list.join(' || ')
  const values = [...numbers.map(([, sql]) => sql), ...lengths].join(', ')
  // What is no octets is less than the shortest of them; to compare costs less than to name the type.
  const wrong = octets.map(([, sql]) => `${sql} < X''`).join(' OR ')
  return {
    sql: `SELECT '[' || group_concat(concat_ws(',', ${values}), ',') || ']',
      CAST(group_concat(${joined(
        octets.map(([, sql]) => sql),
        "''",
      )}, '') AS BLOB),
      count(*), ${file === undefined ? '0' : `count(${file[1]})`},
      ${wrong === '' ? '0' : `count(*) FILTER (WHERE ${wrong})`} ${from}`,
    numbers: numbers.map(([name]) => name),
    octets: octets.map(([name]) => name),
  }
}
