import { accessSentence } from '../../config/access.ts'

/** What the system says of a file, in words; errors that are not about a file are our own faults. */
const CAUSES: Readonly<Record<string, (path: string) => string>> = {
  EACCES: (path) => `${accessSentence(path)}. Run this as that user, or give the folder to this one (chown)`,
  EPERM: (path) => `${accessSentence(path)}. Run this as that user, or give the folder to this one (chown)`,
  EROFS: () => 'the disk is read-only',
  ENOSPC: () => 'the disk is full',
  ENOENT: () => 'it does not exist',
  ENOTDIR: () => 'a file stands where a folder should be',
  EISDIR: () => 'it is a folder',
  EEXIST: () => 'something else is there already',
}

/** One sentence for a failure of the system at a file; undefined where it is something else. */
export function fileSentence(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { code, path } = error as NodeJS.ErrnoException
  const cause = code === undefined ? undefined : CAUSES[code]
  return cause === undefined || path === undefined
    ? undefined
    : `${path} cannot be used (${code}): ${cause(path)}.`
}
