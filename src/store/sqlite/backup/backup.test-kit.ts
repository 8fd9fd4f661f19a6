import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { BackupMade, BackupRequest, BackupResult } from '../../../ports/backups.ts'
import type { Progress } from '../../../ports/progress.ts'
import { Bench } from '../../contract/bench.test-kit.ts'
import { openAt } from '../open.test-kit.ts'
import type { Store } from '../open.ts'

export const SERVER = 'mail.example.test'

/** Folders of one test, gone after it. */
export function scratch(t: { after(what: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'hikyaku-backup-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A bench on a folder that outlives it; closed at the latest when the test ends, which would never end otherwise. */
export async function benchAt(
  folder: string,
  t: { after(what: () => Promise<void>): void },
): Promise<Bench & { readonly store: Store }> {
  const store = await openAt(folder)
  t.after(() => store.close())
  return new Bench({
    store,
    reopen: () => Promise.resolve(store),
    dispose: () => store.close(),
  }) as Bench & { readonly store: Store }
}

export const watching = (over: Partial<Progress> = {}): Progress => ({
  line: () => Promise.resolve(true),
  signal: new AbortController().signal,
  ...over,
})

let clockMs = 1_700_000_000_000

/** Each a second after the one before. */
export function backUp(
  store: Store,
  into: string,
  more: Partial<BackupRequest> = {},
  progress = watching(),
): Promise<BackupResult> {
  clockMs += 1000
  const files = [{ path: 'data/tls/secret', bytes: Buffer.from('the secret') }]
  return store.backups.make({ into, server: SERVER, version: '1', nowMs: clockMs, files, ...more }, progress)
}

export async function backedUp(
  store: Store,
  into: string,
  more: Partial<BackupRequest> = {},
): Promise<BackupMade> {
  const result = await backUp(store, into, more)
  assert(result.ok, result.ok ? '' : result.sentence)
  return result.made
}

/** Every path below a folder, with its mode in octal where it is a file or folder of ours. */
export function tree(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      return `${relative(folder, path)}${entry.isDirectory() ? '/' : ''} ${(statSync(path).mode & 0o777).toString(8)}`
    })
    .sort()
}
