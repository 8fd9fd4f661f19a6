import { readFileSync, statSync } from 'node:fs'
import { CommandFailure } from './failure.ts'

/** A file that an argument names, whole. @returns undefined where it is larger. */
export function wholeFile(path: string, maxBytes: number): Buffer | undefined {
  const found = statSync(path)
  // Reading one fails without naming it.
  if (found.isDirectory()) throw new CommandFailure(`${path} is a folder, not a file.`)
  return found.size > maxBytes ? undefined : readFileSync(path)
}
