import { statSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** What `npm start` makes and uses. */
export const DEMO_CONFIG_FILE = join(import.meta.dirname, '..', '..', '..', 'data', 'hikyaku.toml')
const SYSTEM_CONFIG_FILE = '/etc/hikyaku/hikyaku.toml'

/** The file named by `--config`, else by HIKYAKU_CONFIG, else the first of the usual places that exists. */
export function findConfigFile(named: string | undefined): string {
  const given = named ?? process.env.HIKYAKU_CONFIG
  if (given !== undefined && given !== '') return given
  return [DEMO_CONFIG_FILE, SYSTEM_CONFIG_FILE].find(isThere) ?? SYSTEM_CONFIG_FILE
}

/** Behind a failure that is not the command's own: which settings it went by. */
export function configLine(file: string): string {
  return `Configuration: ${resolve(file)}`
}

/**
 * A file that this user may not see is there: passing over it in silence would send a command to another server's
 * configuration.
 */
export function isThere(file: string): boolean {
  try {
    statSync(file)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code !== 'ENOENT' && code !== 'ENOTDIR'
  }
}
