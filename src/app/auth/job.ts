import type { ReadableContent } from '../../ports/mail-auth.ts'
import type { Task, TaskResult } from './messages.ts'

/** Why there is no result: no thread could be had, or the one at work died, hung or failed. Never a key or a word of the message. */
export class MailAuthError extends Error {
  override readonly name = 'MailAuthError'
}

/** One message that is to be evaluated or signed. */
export interface Job {
  readonly task: Task
  readonly content: ReadableContent
  /** Who brought it: those of one owner wait for each other first. */
  readonly owner: string
  /** Of the monotonic clock: nobody waits beyond it. */
  readonly untilMs: number
  readonly done: PromiseWithResolvers<TaskResult>
}

/** Octets that it takes in a thread. */
export function heldBytes(
  job: Job,
  limits: { readonly wholeBytes: number; readonly pieceBytes: number; readonly piecesAhead: number },
): number {
  const { sizeBytes } = job.content
  const content = sizeBytes <= limits.wholeBytes ? sizeBytes : limits.pieceBytes * limits.piecesAhead
  return content + (job.task.kind === 'sign' ? job.task.added.length : 0)
}
