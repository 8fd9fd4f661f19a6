import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** What `npm start` makes and uses. */
export const DEMO_CONFIG_FILE = join(import.meta.dirname, '..', '..', '..', 'data', 'hikyaku.toml')
const SYSTEM_CONFIG_FILE = '/etc/hikyaku/hikyaku.toml'

/** The file named by `--config`, else by HIKYAKU_CONFIG, else the first of the usual places that exists. */
export function findConfigFile(named: string | undefined): string {
  const given = named ?? process.env.HIKYAKU_CONFIG
  if (given !== undefined && given !== '') return given
  return [DEMO_CONFIG_FILE, SYSTEM_CONFIG_FILE].find((file) => existsSync(file)) ?? SYSTEM_CONFIG_FILE
}
