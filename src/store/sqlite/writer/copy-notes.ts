import type { Operation } from '../operations.ts'
import type { Sql } from '../sql.ts'
import type { Context } from './context.ts'
import type { MailboxState } from './state.ts'

/*
 * A COPY of very many messages is written in several commits, and is wanted whole or not at all (rfc3501 §6.4.7). Each
 * commit but the last notes which UIDs have been entered so far, and the last one removes the note: one that is there
 * at a start is of a COPY that nobody finished.
 */

const PREFIX = 'copy '
const READ = 'SELECT value FROM settings WHERE name = ?'
const WRITE = 'INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)'
const REMOVE = 'DELETE FROM settings WHERE name = ?'
const ALL = `SELECT s.name, s.value, m.uidvalidity FROM settings s
  LEFT JOIN mailboxes m ON m.id = json_extract(s.value, '$.mailbox') WHERE s.name GLOB '${PREFIX}*'`

interface Note {
  readonly owner: number
  readonly mailbox: number
  /** Pairs first, last. */
  readonly ranges: readonly number[]
}

/** A COPY that was not finished. */
export interface UnfinishedCopy extends Note {
  readonly copy: string
  /** Of its target; null where that is gone. */
  readonly uidValidity: number | null
}

/** @param uids as one operation gave them: one after the other. */
export function noteCopy(
  { sql }: Context,
  copy: string,
  entered: { readonly target: MailboxState; readonly uids: readonly number[] },
): void {
  const { target, uids } = entered
  const [first, last] = [uids[0], uids.at(-1)]
  if (first === undefined || last === undefined) return
  const known = sql.get(READ, PREFIX + copy)?.[0] as string | undefined
  const ranges = known === undefined ? [] : (JSON.parse(known) as Note).ranges
  const note: Note = { owner: target.account, mailbox: target.id, ranges: [...ranges, first, last] }
  sql.run(WRITE, PREFIX + copy, JSON.stringify(note))
}

export function forgetCopy({ sql }: Pick<Context, 'sql'>, copy: string): void {
  sql.run(REMOVE, PREFIX + copy)
}

/** In no order. */
export function unfinishedCopies(sql: Sql): readonly UnfinishedCopy[] {
  const rows = sql.all(ALL) as unknown as readonly (readonly [string, string, number | null])[]
  return rows.map(([key, value, uidValidity]) => {
    return { ...(JSON.parse(value) as Note), copy: key.slice(PREFIX.length), uidValidity }
  })
}

export type TakeBack = Extract<Operation, { op: 'take-back' }>

/**
 * What undoes the COPYs that were not finished: of each a part for each commit that it had, the last one last.
 * @param wanted only this one.
 */
export function takeBacksOf(sql: Sql, wanted?: string): readonly TakeBack[] {
  return unfinishedCopies(sql)
    .filter(({ copy }) => wanted === undefined || copy === wanted)
    .flatMap(({ copy, owner, ranges, uidValidity }) => {
      const about = { op: 'take-back', owner, copy, uidValidity: uidValidity ?? 0 } as const
      // With its mailbox all that it had entered is gone.
      const starts = uidValidity === null ? [0] : ranges.flatMap((_, at) => (at % 2 === 0 ? [at] : []))
      return starts.map((at, index) => {
        return { ...about, ranges: ranges.slice(at, at + 2), isLast: index === starts.length - 1 }
      })
    })
}

/** COPYs that were to be undone when the disk took nothing: they are as soon as it does. */
export class OwedTakeBacks {
  readonly #copies = new Set<string>()
  #parts: readonly TakeBack[] = []

  get isEmpty(): boolean {
    return this.#copies.size === 0 && this.#parts.length === 0
  }

  /** One was refused, and is to be tried again. */
  add(refused: TakeBack): void {
    this.leave(refused)
    this.#copies.add(refused.copy)
  }

  /** One was refused: the last part of its COPY, which forgets the note, must not come before what it has left. */
  leave({ copy }: TakeBack): void {
    this.#parts = this.#parts.filter((part) => part.copy !== copy)
  }

  /** The next part to undo. Throws where the notes can't be read: that COPY is then left to the next start. */
  next(sql: Sql): TakeBack | undefined {
    for (const copy of this.#parts.length === 0 ? this.#copies : []) {
      this.#copies.delete(copy)
      this.#parts = takeBacksOf(sql, copy)
      if (this.#parts.length > 0) break
    }
    const [part, ...rest] = this.#parts
    this.#parts = rest
    return part
  }
}
