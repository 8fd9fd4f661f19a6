import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a folder, and those above it that are missing. Node's own recursive mkdir goes round for ever where a file
 * system says ENOENT for a folder whose parent is there, as /proc does: no signal then ends the process.
 * @returns the topmost that was made; undefined where all were there. Throws what the system says.
 */
export function makeFolders(folder: string, mode: number): string | undefined {
  try {
    mkdirSync(folder, { mode })
    return folder
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const above = dirname(folder)
    if (code === 'ENOENT' && above !== folder) {
      const first = makeFolders(above, mode)
      mkdirSync(folder, { mode })
      return first ?? folder
    }
    if (code === 'EEXIST' && statSync(folder).isDirectory()) return undefined
    throw error
  }
}
