import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DAMAGED_SHOWN } from '../../limits.ts'
import { SCHEMA_VERSION } from '../migrate.ts'
import { BackupFailure } from './failure.ts'
import { type BackupFile, MANIFEST_NAME, type Manifest, parseManifest } from './manifest.ts'
import type { Measured } from './octets.ts'
import { readHead } from './older.ts'

/** Measures a file; throws to end everything. */
export type Measure = (path: string) => Promise<Measured>

/**
 * The backup that a folder is, or the newest of those in it.
 * Throws where there is none.
 */
export function findBackup(folder: string): string {
  if (!existsSync(folder)) throw new BackupFailure(`${folder} does not exist.`)
  if (existsSync(join(folder, MANIFEST_NAME))) return folder
  const found = readdirSync(folder).flatMap((name) => {
    const info = name.startsWith('.') ? undefined : readHead(join(folder, name, MANIFEST_NAME))
    return info === undefined ? [] : [{ path: join(folder, name), info }]
  })
  const newest = found.sort((a, b) => a.info.createdMs - b.info.createdMs).at(-1)
  if (newest === undefined)
    throw new BackupFailure(
      `${folder} is no backup, and there is none in it: a backup has a file \`${MANIFEST_NAME}\`.`,
    )
  const servers = new Set(found.map(({ info }) => info.server))
  if (servers.size > 1)
    throw new BackupFailure(
      `${folder} has backups of ${[...servers].join(', ')}: name the folder of one backup.`,
    )
  return newest.path
}

/** Reads the manifest of a backup that this program can restore. */
export function openBackup(folder: string): Manifest {
  const path = join(folder, MANIFEST_NAME)
  const read = parseManifest(readFileSync(path, 'utf8'))
  if (!read.ok) throw new BackupFailure(`${path}: ${read.problem}. Nothing was changed; try an older backup.`)
  const { schema, version } = read.manifest.info
  if (schema > SCHEMA_VERSION)
    throw new BackupFailure(
      `${folder} was made by Hikyaku ${version} (schema ${schema}); this program knows schemas up to ${SCHEMA_VERSION}. Restore it with that version or a newer one.`,
    )
  return read.manifest
}

/** Looks at every file of a backup. Throws, naming what is missing or not what it was. */
export async function verifyBackup(folder: string, { files }: Manifest, measure: Measure): Promise<void> {
  const wrong: string[] = []
  for (const file of files) {
    const problem = await problemOf(join(folder, file.path), file, measure)
    if (problem !== undefined) wrong.push(`${join(folder, file.path)} ${problem}`)
  }
  if (wrong.length === 0) return
  const more = wrong.length - DAMAGED_SHOWN
  throw new BackupFailure(
    [
      `The backup is damaged; nothing was changed. Try an older one, or take out what is whole: ${folder}/data is a data folder.`,
      ...wrong.slice(0, DAMAGED_SHOWN).map((one) => `  ${one}`),
      ...(more > 0 ? [`  and ${more} more`] : []),
    ].join('\n'),
  )
}

async function problemOf(path: string, file: BackupFile, measure: Measure): Promise<string | undefined> {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return 'is missing'
  if (stats.size !== file.sizeBytes) return `has ${stats.size} octets, not ${file.sizeBytes}`
  const { sha256 } = await measure(path)
  return sha256 === file.sha256 ? undefined : 'does not hold what was backed up (its SHA-256 is another)'
}
