import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { join } from 'node:path'
import { makeFolders } from '../make-folders.ts'
import {
  type BackupInfo,
  MANIFEST_NAME,
  type Manifest,
  parseManifest,
  parseManifestHead,
} from './manifest.ts'
import { syncPath } from './octets.ts'

/**
 * The folder that backups are made in, one in each folder by the time it was made:
 *
 *     hikyaku-20261124T112300Z/manifest   what it holds; written last
 *                             /data/      a data folder: database, body files, keys
 *                             /config/    the configuration as it was
 *     .partial-SERVER-20261124T112300Z/   one that is being made, or that was cut short
 */
const WHOLE = /^hikyaku-\d{8}T\d{6}Z(?:-\d{1,3})?$/

/** Behind the server's name, which may be the beginning of another's. */
const PARTIAL_END = /^(?:\d{8}T\d{6}Z|removed)$/

/** What of a manifest is read to know whose it is; longer lists of damaged messages are cut by `DAMAGED_NAMED`. */
const HEAD_BYTES = 256 * 1024

export interface OlderBackup {
  readonly folder: string
  readonly info: BackupInfo
}

/** The whole backups of this server, oldest first. */
export function listBackups(into: string, server: string): readonly OlderBackup[] {
  const found: OlderBackup[] = []
  for (const name of readdirSync(into)) {
    if (!WHOLE.test(name)) continue
    const folder = join(into, name)
    const info = readHead(join(folder, MANIFEST_NAME))
    if (info?.server === server) found.push({ folder, info })
  }
  return found.sort((a, b) => a.info.createdMs - b.info.createdMs)
}

/** The manifest of a backup; undefined where it has none that is right. */
export function readManifest(folder: string): Manifest | undefined {
  const path = join(folder, MANIFEST_NAME)
  if (!existsSync(path)) return undefined
  const read = parseManifest(readFileSync(path, 'utf8'))
  return read.ok ? read.manifest : undefined
}

/** Makes the folder for a backup that begins, and removes what earlier ones of this server have left half done. */
export function beginPartial(into: string, server: string, stamp: string): string {
  makeFolders(into, 0o700)
  const ours = `.partial-${server}-`
  for (const name of readdirSync(into))
    if (name.startsWith(ours) && PARTIAL_END.test(name.slice(ours.length)))
      rmSync(join(into, name), { recursive: true, force: true })
  const partial = join(into, `${ours}${stamp}`)
  mkdirSync(partial, { mode: 0o700 })
  return partial
}

/** Gives a backup that is whole its name, durably. */
export function finishPartial(into: string, partial: string, stamp: string): string {
  let folder = join(into, `hikyaku-${stamp}`)
  for (let n = 2; existsSync(folder); n++) folder = join(into, `hikyaku-${stamp}-${n}`)
  renameSync(partial, folder)
  syncPath(into)
  return folder
}

/**
 * Removes the oldest beyond so many.
 * @param made the one that was just made: a clock that was set back must not make it the oldest.
 * @returns the folders removed.
 */
export function prune(into: string, server: string, keep: number, made: string): readonly string[] {
  const others = listBackups(into, server).filter(({ folder }) => folder !== made)
  const old = others.slice(0, Math.max(0, others.length + 1 - keep))
  for (const { folder } of old) {
    // Renamed first, so that one cut short in the midst is not taken for a whole one.
    const doomed = join(into, `.partial-${server}-removed`)
    rmSync(doomed, { recursive: true, force: true })
    renameSync(folder, doomed)
    rmSync(doomed, { recursive: true, force: true })
  }
  return old.map(({ folder }) => folder)
}

/** `20261124T112300Z`. */
export function stampOf(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
}

/** What a manifest says of its backup; undefined where there is none. */
export function readHead(path: string): BackupInfo | undefined {
  if (!existsSync(path)) return undefined
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(HEAD_BYTES)
    return parseManifestHead(bytes.toString('utf8', 0, readSync(file, bytes)))
  } finally {
    closeSync(file)
  }
}
