import type { Sql } from '../sql.ts'
import { takeBacksOf } from './copy-notes.ts'
import type { GroupCommit } from './group.ts'

/**
 * At a start: what a COPY had entered when the server was ended in its midst goes again (rfc3501 §6.4.7), before
 * anyone sees it. What can't be written now the group does as soon as the disk works, and else the next start.
 * @param group the writer's own: where a write fails, nothing more goes through this connection.
 */
export function takeBackCopies(sql: Sql, group: GroupCommit): void {
  const left = new Set<string>()
  for (const operation of takeBacksOf(sql)) {
    // Its last part would forget what an earlier one has left.
    if (left.has(operation.copy)) continue
    const { results } = group.run([{ id: 0, operation, blobs: [], sizeBytes: 0 }])
    if (results.some(([, ok]) => ok === 0)) left.add(operation.copy)
  }
}
