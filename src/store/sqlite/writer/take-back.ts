import type { Sql } from '../sql.ts'
import { takeBacksOf } from './copy-notes.ts'
import { GroupCommit } from './group.ts'

/**
 * At a start: what a COPY had entered when the server was ended in its midst goes again (rfc3501 §6.4.7), before
 * anyone sees it. What can't be written now is left to the next start.
 */
export function takeBackCopies(sql: Sql, note: (text: string) => void): void {
  const operations = takeBacksOf(sql)
  if (operations.length === 0) return
  const group = new GroupCommit(sql, [], () => undefined, note)
  const left = new Set<string>()
  for (const operation of operations) {
    // Its last part would forget what an earlier one has left.
    if (left.has(operation.copy)) continue
    const { results } = group.run([{ id: 0, operation, blobs: [], sizeBytes: 0 }])
    if (results.some(([, ok]) => ok === 0)) left.add(operation.copy)
  }
}
