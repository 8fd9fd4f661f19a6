import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { makeFolders } from '../make-folders.ts'
import { syncPath } from './octets.ts'

/*
 * The last step of a restore. The restored files are whole in a folder within the data folder, and take the places of
 * the old ones, which go into another. Within: the data folder may be a mount, and its parent somebody else's, so that
 * it could not be renamed itself.
 *
 *     .restoring/          what takes the places
 *     restoring.json       is there: it has been decided that they do; all that follows can be done again and again
 *     replaced-20261124T…/ what was there before
 */
const MARKER = 'restoring.json'
const NEW = '.restoring'

/** What SQLite leaves beside a database that was not closed; it belongs to the old one. */
const LOG_FILES = ['hikyaku.db-wal', 'hikyaku.db-shm']

/** An empty folder for what is restored; what an earlier restore left is gone. */
export function beginRestoring(folder: string): string {
  const path = join(folder, NEW)
  rmSync(path, { recursive: true, force: true })
  mkdirSync(path, { mode: 0o700 })
  return path
}

export function dropRestoring(folder: string): void {
  rmSync(join(folder, NEW), { recursive: true, force: true })
}

/**
 * Decides that the restored files take their places: from here on they do, also after a crash.
 * @param keep the name of the folder that the old ones go into.
 */
export function decideRestore(folder: string, keep: string): void {
  const marker = join(folder, MARKER)
  writeFileSync(`${marker}.new`, `${JSON.stringify({ keep })}\n`, { mode: 0o600, flush: true })
  renameSync(`${marker}.new`, marker)
  syncPath(folder)
}

/**
 * Finishes a restore that was decided, and clears away one that was not. The caller owns the folder.
 * @returns where what was there before is now; undefined where there was nothing, or nothing to finish.
 */
export function finishRestore(folder: string): string | undefined {
  const marker = join(folder, MARKER)
  if (!existsSync(marker)) {
    dropRestoring(folder)
    rmSync(`${marker}.new`, { force: true })
    return undefined
  }
  const { keep } = JSON.parse(readFileSync(marker, 'utf8')) as { readonly keep: string }
  const kept = join(folder, keep)
  makeFolders(kept, 0o700)
  const fresh = join(folder, NEW)
  const restored = existsSync(fresh) ? readdirSync(fresh) : []
  // What stands where a restored file is still to go is an old one; what has its place already is not among them.
  for (const name of [...restored, ...LOG_FILES]) {
    const place = join(folder, name)
    if (!existsSync(place)) continue
    // Moved away already, and made again by whoever came before us, mostly empty: keys are looked for before the store.
    if (existsSync(join(kept, name)) && isEmptyFolder(place)) rmdirSync(place)
    else renameSync(place, join(kept, freeName(kept, name)))
  }
  syncPath(kept)
  for (const name of restored) renameSync(join(fresh, name), join(folder, name))
  syncPath(folder)
  rmSync(marker)
  syncPath(folder)
  dropRestoring(folder)
  return dropEmpty(kept) ? undefined : kept
}

function isEmptyFolder(path: string): boolean {
  return statSync(path).isDirectory() && readdirSync(path).length === 0
}

/** The name, or one like it that nothing in the folder has. */
export function freeName(folder: string, name: string): string {
  let free = name
  for (let n = 2; existsSync(join(folder, free)); n++) free = `${name}-${n}`
  return free
}

/** True where there was nothing in it but folders without anything. */
function dropEmpty(folder: string): boolean {
  const isEmpty = readdirSync(folder, { withFileTypes: true }).every(
    (entry) => entry.isDirectory() && dropEmpty(join(folder, entry.name)),
  )
  if (isEmpty) rmdirSync(folder)
  return isEmpty
}
