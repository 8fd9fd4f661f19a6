import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import type { FolderPaths } from '../folder.ts'
import type { Finding } from './finding.ts'

/** What the owner may do with its files: whatever was given to others is taken away. */
const OWNER = 0o700

/** Where files go that no message has: deleted they are never. */
const strayFolder = (paths: FolderPaths): string => join(paths.folder, 'stray')

type Done = { readonly ok: true; readonly says: string } | { readonly ok: false; readonly problem: string }

/** @returns what was done, or why it could not be; undefined where it is no matter of a file. */
export function repairFile(paths: FolderPaths, { kind, where }: Finding): Done | undefined {
  const { file } = where
  if (file === undefined || (kind !== 'file-mode' && kind !== 'file-stray')) return undefined
  const path = file === paths.folder ? file : join(paths.folder, file)
  try {
    if (kind === 'file-stray')
      return { ok: true, says: `moved to ${moveAway(paths, path, file.slice(file.indexOf('/') + 1))}` }
    chmodSync(path, statSync(path).mode & OWNER)
    return { ok: true, says: 'it is its owner’s alone again' }
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error
    return { ok: false, problem: `it could not be put right: ${error.message}` }
  }
}

function moveAway(paths: FolderPaths, path: string, name: string): string {
  const folder = strayFolder(paths)
  mkdirSync(folder, { recursive: true, mode: OWNER })
  let to = join(folder, name)
  for (let n = 1; existsSync(to); n++) to = join(folder, `${name}.${n}`)
  renameSync(path, to)
  // Into its new folder first: a name that is in neither after a power cut would be a lost file.
  for (const one of [folder, paths.bodies, paths.folder]) syncFolder(one)
  return to.slice(paths.folder.length + 1)
}

function syncFolder(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
