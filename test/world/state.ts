import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SYSTEM_FLAGS } from '../../src/mail/flags.ts'
import type { TraceEvent } from '../../src/mail/trace.ts'
import { FIRST_KEYWORD_BIT, hasBit } from '../../src/store/flag-bits.ts'
import { type Report, readReport, tokenOf } from './message.ts'

/* What is in a data folder, read past the store: the truth that everything told is compared with. */

export interface StoredMessage {
  readonly uid: number
  readonly flags: string
  readonly token: string
  readonly octets: Uint8Array
  readonly report: Report | undefined
}

export interface StoredMailbox {
  readonly login: string
  readonly name: string
  readonly uidValidity: number
  readonly uidNext: number
  readonly highestModseq: number
  readonly messages: readonly StoredMessage[]
}

export interface State {
  readonly mailboxes: readonly StoredMailbox[]
  readonly traces: ReadonlyMap<string, readonly TraceEvent[]>
  readonly queued: number
  /** Files in bodies/ that no row names, and rows whose file is missing. */
  readonly strayFiles: readonly string[]
}

type Rows = readonly (readonly (number | string | Uint8Array | null)[])[]

export function readState(folder: string): State {
  const db = new DatabaseSync(join(folder, 'hikyaku.db'), { readOnly: true })
  try {
    const rows = (sql: string): Rows => {
      const statement = db.prepare(sql)
      statement.setReturnArrays(true)
      return statement.all() as unknown as Rows
    }
    return {
      mailboxes: readMailboxes(rows, folder),
      traces: readTraces(rows),
      queued: rows('SELECT count(*) FROM queue')[0]?.[0] as number,
      strayFiles: strayFiles(rows, folder),
    }
  } finally {
    db.close()
  }
}

/** Only what must never go back: read after each death. */
export function readNumbers(folder: string): readonly (readonly [string, number])[] {
  const db = new DatabaseSync(join(folder, 'hikyaku.db'), { readOnly: true })
  try {
    const all = db.prepare('SELECT uidvalidity, uidnext, highest_modseq FROM mailboxes').all()
    return all.flatMap(({ uidvalidity, uidnext, highest_modseq }) => [
      [`UIDNEXT of UIDVALIDITY ${uidvalidity}`, uidnext as number] as const,
      [`HIGHESTMODSEQ of UIDVALIDITY ${uidvalidity}`, highest_modseq as number] as const,
    ])
  } finally {
    db.close()
  }
}

/** Messages that wait to go out. */
export function countQueued(database: string): number {
  const db = new DatabaseSync(database, { readOnly: true })
  try {
    return Number(db.prepare('SELECT count(*) AS n FROM queue').get()?.n)
  } finally {
    db.close()
  }
}

function readMailboxes(rows: (sql: string) => Rows, folder: string): StoredMailbox[] {
  const keywords = new Map<number, [bit: number, name: string][]>()
  for (const [mailbox, bit, name] of rows('SELECT mailbox, bit, name FROM keywords ORDER BY mailbox, bit'))
    keywords.set(mailbox as number, [
      ...(keywords.get(mailbox as number) ?? []),
      [bit as number, name as string],
    ])
  const octets = bodyReader(rows, folder)
  const entries = Map.groupBy(
    rows(`SELECT e.mailbox, e.uid, e.flags, m.body FROM entries e JOIN messages m ON m.id = e.message
      ORDER BY e.mailbox, e.uid`),
    ([mailbox]) => mailbox as number,
  )
  return rows(`SELECT m.id, a.login, m.name, m.uidvalidity, m.uidnext, m.highest_modseq
    FROM mailboxes m JOIN accounts a ON a.id = m.account ORDER BY m.id`).map((row) => ({
    login: row[1] as string,
    name: row[2] as string,
    uidValidity: row[3] as number,
    uidNext: row[4] as number,
    highestModseq: row[5] as number,
    messages: (entries.get(row[0] as number) ?? []).map(([, uid, flags, body]) => ({
      uid: uid as number,
      flags: flagNames(flags as number, keywords.get(row[0] as number) ?? []),
      ...octets(body as number),
    })),
  }))
}

type Body = Pick<StoredMessage, 'octets' | 'token' | 'report'>

/** Each body is read once, however many messages have it. */
function bodyReader(rows: (sql: string) => Rows, folder: string): (body: number) => Body {
  const bodies = new Map<number, Body>()
  for (const [id, prefix, head, text, file] of rows(
    'SELECT b.id, b.prefix, b.head, t.bytes, b.file FROM bodies b LEFT JOIN texts t ON t.body = b.id',
  )) {
    const path = join(folder, 'bodies', String(file))
    const rest = file === null ? [head, text] : [existsSync(path) ? readFileSync(path) : new Uint8Array()]
    const octets = Buffer.concat([prefix, ...rest].filter((piece) => piece instanceof Uint8Array))
    bodies.set(id as number, { octets, token: tokenOf(octets), report: readReport(octets) })
  }
  const none: Body = { octets: new Uint8Array(), token: '?', report: undefined }
  return (body) => bodies.get(body) ?? none
}

function flagNames(bits: number, keywords: readonly (readonly [bit: number, name: string])[]): string {
  const system = SYSTEM_FLAGS.filter(([, bit]) => (bits & bit) !== 0).map(([name]) => name)
  const own = keywords.filter(([bit]) => hasBit(bits, FIRST_KEYWORD_BIT + bit)).map(([, name]) => name)
  return [...system, ...own].sort().join(' ')
}

function readTraces(rows: (sql: string) => Rows): Map<string, TraceEvent[]> {
  const traces = new Map<string, TraceEvent[]>()
  for (const [trace, events] of rows('SELECT trace, events FROM traces ORDER BY trace, id')) {
    const all = traces.get(trace as string) ?? []
    all.push(...(JSON.parse(events as string) as TraceEvent[]))
    traces.set(trace as string, all)
  }
  return traces
}

function strayFiles(rows: (sql: string) => Rows, folder: string): string[] {
  const named = new Set(rows('SELECT file FROM bodies WHERE file IS NOT NULL').map(([file]) => String(file)))
  const there = new Set(readdirSync(join(folder, 'bodies')))
  return [...named.difference(there), ...there.difference(named)]
}
