// A folder of a test's own that other users (a Postfix, a server that runs as nobody) can reach into.

import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Scratch {
  readonly folder: string
  remove(): void
}

/** The caller removes it, in `after`. */
export function makeScratch(name: string): Scratch {
  const folder = mkdtempSync(join(tmpdir(), `hikyaku-${name}-`))
  chmodSync(folder, 0o755)
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
