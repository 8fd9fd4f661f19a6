import type { Row } from './check-database.ts'
import type { FindingKind } from './finding.ts'

/**
 * One sentence about the rows of a healthy database, as a query for those that break it. Columns named `account`,
 * `mailbox`, `uid`, `row` (or `id`) and `file` say where; `message` or `body` let the message be looked up where it
 * stands in a mailbox.
 */
export interface Rule {
  readonly kind: FindingKind
  /** Rows of this table are looked at. */
  readonly table: string
  readonly sql: string
  /** Looks closer at each row of the query; without it each is wrong. */
  readonly isWrong?: ((row: Row) => boolean) | undefined
  /** What is wrong: goes on after the place and a colon. */
  says(row: Row): string
  /** Statements that put it right; the row's columns are their parameters. */
  readonly repair?: readonly string[] | undefined
  /** The parameters, where SQL can't tell all of them. */
  values?(row: Row): Row
  /** What the repair did: goes on after the place and a colon. */
  repaired?(row: Row): string
  /** Whether this row can be put right; without it each can where there is a `repair`. */
  readonly isProven?: ((row: Row) => boolean) | undefined
  /** What to do where it cannot be repaired. */
  readonly advice?: string | undefined
  /** The reading of bodies finds the same, and more surely. */
  readonly quickOnly?: boolean | undefined
}
