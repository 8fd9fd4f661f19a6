import { randomBytes } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Sql } from './sql.ts'

/** `bodies/` of a data folder: one file for each large body, named at random, never changed once it is whole. */
const NAME = /^[0-9a-f]{32}$/

export function newBodyName(): string {
  return randomBytes(16).toString('hex')
}

export function bodyPath(folder: string, name: string): string {
  return join(folder, name)
}

export function createBodyFile(folder: string, name: string): Promise<FileHandle> {
  return open(bodyPath(folder, name), 'wx', 0o600)
}

/** Makes names in the folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Deletes a file that no row names any more. One that is not there any more is as good. */
export function deleteBodyFile(folder: string, name: string): void {
  rmSync(bodyPath(folder, name), { force: true })
}

/** At start: files whose commit never came. Nobody else writes here: the data folder has one owner. */
export function sweepOrphans(sql: Sql, folder: string): number {
  let swept = 0
  for (const name of readdirSync(folder)) {
    if (!NAME.test(name)) continue
    if (sql.get('SELECT 1 FROM bodies WHERE file = ?', name) !== undefined) continue
    deleteBodyFile(folder, name)
    swept++
  }
  return swept
}
