import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import type { Config } from '../../config/settings.ts'
import type { BackupRequest } from '../../ports/backups.ts'
import { caFilePath, keyFolderPath } from '../server/certificates.ts'

type Files = BackupRequest['files']

/**
 * What a restore needs beside the store: our own keys and certificates, files of the data folder that settings name,
 * and the configuration as it is. What settings name elsewhere belongs to somebody else: it is told, not copied.
 */
export function filesBeside(
  config: Config,
  configFile: string | undefined,
): { readonly files: Files; readonly notes: readonly string[] } {
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
  return { files: [...files].map(([path, from]) => ({ path, bytes: readFileSync(from) })), notes }
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

/** The path below the folder; undefined where it is not there. */
export function inFolder(folder: string, path: string): string | undefined {
  const within = relative(folder, path)
  return within === '' || within.startsWith('..') ? undefined : within
}
