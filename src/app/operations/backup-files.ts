import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import type { Config } from '../../config/settings.ts'
import type { BackupRequest } from '../../ports/backups.ts'
import { caFilePath, keyFolderPath } from '../server/certificates.ts'

type Files = BackupRequest['files']

export type Beside =
  | { readonly ok: true; readonly files: Files; readonly notes: readonly string[] }
  | { readonly ok: false; readonly sentence: string }

/**
 * What a restore needs beside the store: our own keys and certificates, files of the data folder that settings name,
 * and the configuration as it is. What settings name elsewhere belongs to somebody else: it is told, not copied.
 */
export function filesBeside(config: Config, configFile: string | undefined): Beside {
  const { data } = config.server
  const files = new Map<string, string>()
  const notes: string[] = []
  const keys = keyFolderPath(config)
  if (existsSync(keys))
    // A name with a dot in front is being written just now.
    for (const entry of readdirSync(keys, { withFileTypes: true }))
      if (entry.isFile() && !entry.name.startsWith('.'))
        files.set(`data/tls/${entry.name}`, join(keys, entry.name))
  for (const [setting, path] of namedFiles(config)) {
    const within = inFolder(data, path)
    if (within !== undefined && existsSync(path)) files.set(`data/${within}`, path)
    else if (within === undefined)
      notes.push(`Not in the backup: ${path} (${setting}), which is not in the data folder.`)
  }
  if (configFile !== undefined) files.set(`config/${basename(configFile)}`, configFile)
  return readAll(files, notes)
}

/** What was read with more rights at the start may be closed to the server's own user: then nothing is half backed up. */
function readAll(paths: ReadonlyMap<string, string>, notes: readonly string[]): Beside {
  const files: Files[number][] = []
  for (const [path, from] of paths)
    try {
      files.push({ path, bytes: readFileSync(from) })
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      const sentence = `${from} belongs to the backup and cannot be read (${code}): give it to the server's user.`
      return { ok: false, sentence }
    }
  return { ok: true, files, notes }
}

function namedFiles(config: Config): readonly (readonly [setting: string, path: string])[] {
  const { tls, outbound } = config
  const named: readonly (readonly [string, string | undefined])[] = [
    ['tls.certificate', tls.certificate],
    ['tls.key', tls.key],
    ['outbound.smarthost_password_file', outbound.smarthost_password_file],
    ['outbound.smarthost_ca', outbound.smarthost_ca],
  ]
  const ca = caFilePath(config)
  // Made anew from our keys where it is missing.
  const ours = inFolder(config.server.data, ca) === undefined ? [] : [['tls.ca_file', ca] as const]
  return [
    ...ours,
    ...named.flatMap(([setting, path]) => (path === undefined ? [] : [[setting, path] as const])),
  ]
}

/** Files of the data folder that settings name, as paths below it. */
export function namedInData(config: Config): readonly string[] {
  return namedFiles(config).flatMap(([, path]) => inFolder(config.server.data, path) ?? [])
}

/** The path below the folder; undefined where it is not there. */
export function inFolder(folder: string, path: string): string | undefined {
  const within = relative(folder, path)
  return within === '' || within.startsWith('..') ? undefined : within
}
