import type { Evidence } from '../../mail/authentication.ts'
import { type Commit, type CommitOutcome, commitMessage } from '../commit.ts'
import type { PipelinePorts } from '../ports.ts'

/**
 * Stores a message as `commitMessage` does; the report that it may carry is read when it is delivered to somebody here.
 * @param evidence undefined: the message was not judged, and no report in it is believed.
 */
export async function commitReadingReports(
  ports: PipelinePorts,
  commit: Commit,
  evidence: Evidence | undefined,
): Promise<CommitOutcome> {
  const isForUs = commit.accepted.some(({ local }) => local.length > 0)
  const { body, traceId } = commit
  const message = { traceId, evidence, header: body.header, content: body }
  const settle =
    evidence === undefined || !isForUs
      ? undefined
      : await ports.reportReader?.prepare({ ...message, evidence })
  let isDelivered = false
  try {
    const outcome = await commitMessage(ports, commit)
    isDelivered = outcome.kind === 'committed' && !outcome.isHeld
    return outcome
  } finally {
    settle?.(isDelivered)
  }
}
