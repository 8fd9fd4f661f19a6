/** No descriptor or no memory is left at the moment. */
const CODES: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN'])

/** Whether something could not be read for want of the system's means: that says nothing of what was to be read. */
export function isShortage(error: unknown): boolean {
  return error instanceof Error && 'code' in error && CODES.has(error.code)
}
