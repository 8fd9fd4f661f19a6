import type { Sql } from '../sql.ts'
import { unfinishedCopies } from './copy-notes.ts'
import { GroupCommit } from './group.ts'

/**
 * At a start: what a COPY had entered when the server was ended in its midst goes again (rfc3501 §6.4.7), before
 * anyone sees it. What can't be written now is left to the next start.
 */
export function takeBackCopies(sql: Sql, note: (text: string) => void): void {
  const copies = unfinishedCopies(sql)
  if (copies.length === 0) return
  const group = new GroupCommit(sql, [], () => undefined, note)
  for (const { copy, name, owner, ranges, uidValidity } of copies) {
    // A range is of one commit, and goes in one.
    for (let at = 0; at < ranges.length; at += 2) {
      const some = {
        owner,
        name: name ?? '',
        uidValidity: uidValidity ?? 0,
        ranges: ranges.slice(at, at + 2),
      }
      const finishes = at + 2 >= ranges.length || name === null ? copy : null
      const operation = { op: 'take-back', ...some, finishes } as const
      const report = group.run([{ id: 0, operation, blobs: [], sizeBytes: 0 }])
      if (finishes !== null || report.results.some(([, ok]) => ok === 0)) break
    }
  }
}
