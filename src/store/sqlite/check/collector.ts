import { sqliteFault } from '../sql.ts'
import type { CheckDatabase, Row } from './check-database.ts'
import {
  type Finding,
  type FindingKind,
  isHarmless,
  placeText,
  SALVAGE,
  text,
  type Where,
  whereOf,
} from './finding.ts'
import { FINDINGS_PER_KIND } from './limits.ts'
import type { Rule } from './rule.ts'

export type CheckStep =
  | { readonly kind: 'finding'; readonly finding: Finding }
  | {
      readonly kind: 'progress'
      readonly phase: 'pages' | 'rows' | 'bodies' | 'files'
      readonly done: number
      readonly of: number
    }

export interface Found {
  readonly kind: FindingKind
  readonly where: Where
  readonly says: string
  readonly repairable?: boolean
  readonly advice?: string | undefined
}

/** Counts findings of each kind; the first ones of each are told. */
export class Collector {
  readonly counts = new Map<FindingKind, number>()

  /** Whether one more of this kind would be told. */
  hasRoom(kind: FindingKind): boolean {
    return (this.counts.get(kind) ?? 0) < FINDINGS_PER_KIND
  }

  /** One that is only counted. */
  count(kind: FindingKind): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
  }

  *found(found: Found): Generator<CheckStep, void> {
    const { advice = SALVAGE, kind, repairable = false, says, where } = found
    const isTold = this.hasRoom(kind)
    this.count(kind)
    if (!isTold) return
    const sentence = `${placeText(where)}: ${says}.`
    yield {
      kind: 'finding',
      finding: { kind, where, sentence, repairable, harmless: isHarmless(kind), advice },
    }
  }
}

/** Finds where messages stand, for rows that name a message or a body. */
export function locate(
  db: CheckDatabase,
  by: 'message' | 'body',
  ids: readonly (number | bigint)[],
): ReadonlyMap<string, Where> {
  const places = new Map<string, Where>()
  if (ids.length === 0) return places
  try {
    for (const row of db.rows(by === 'message' ? LOCATE_MESSAGES : LOCATE_BODIES, {
      ids: `[${ids.join()}]`,
    })) {
      const key = String(row.key)
      if (!places.has(key)) places.set(key, whereOf('', row))
    }
  } catch (error) {
    if (sqliteFault(error) === undefined) throw error
    // Where entries cannot be read the finding still says which row it is.
    return places
  }
  return places
}

const LOCATE = `b.name AS mailbox, a.login AS account, e.uid FROM messages m
  LEFT JOIN entries e ON e.message = m.id LEFT JOIN mailboxes b ON b.id = e.mailbox
  LEFT JOIN accounts a ON a.id = m.account`
const LOCATE_MESSAGES = `SELECT m.id AS key, ${LOCATE} WHERE m.id IN (SELECT value FROM json_each($ids))`
const LOCATE_BODIES = `SELECT m.body AS key, ${LOCATE} WHERE m.body IN (SELECT value FROM json_each($ids))`

/** Place of each row of a rule, as the rule's own columns and the mailboxes tell. */
export function placesOf(db: CheckDatabase, rule: Rule, rows: readonly Row[]): Where[] {
  const by = rows.some((row) => 'message' in row) ? 'message' : 'body'
  const ids = rows.map((row) => row[by]).filter((id) => typeof id === 'number' || typeof id === 'bigint')
  const places = locate(db, by, ids)
  return rows.map((row) => joinPlaces(whereOf(rule.table, row), places.get(text(row[by]) ?? '')))
}

export function joinPlaces(where: Where, place: Where | undefined): Where {
  if (place === undefined) return where
  const { account, mailbox, uid } = place
  return {
    ...where,
    account: where.account ?? account,
    mailbox: where.mailbox ?? mailbox,
    uid: where.uid ?? uid,
  }
}
