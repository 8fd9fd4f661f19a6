import { randomBytes } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Sql } from './sql.ts'

/** `bodies/` of a data folder: one file for each large body, named at random, never changed once it is whole. */
const NAME = /^[0-9a-f]{32}$/

export function isBodyName(name: string): boolean {
  return NAME.test(name)
}

export function newBodyName(): string {
  return randomBytes(16).toString('hex')
}

export function bodyPath(folder: string, name: string): string {
  return join(folder, name)
}

export function createBodyFile(folder: string, name: string): Promise<FileHandle> {
  return open(bodyPath(folder, name), 'wx', 0o600)
}

/**
 * Makes names in the folder durable. A failed fsync tells one of those who wait for it, and the next may be called a
 * success though nothing was written (the system tells an error once). So a failure is a failure for every file that
 * was made before it: each remembers the `epoch` in which it was made.
 */
export class FolderNames {
  readonly #folder: string
  #epoch = 0

  constructor(folder: string) {
    this.#folder = folder
  }

  get epoch(): number {
    return this.#epoch
  }

  /** Throws where the name of a file that was made in this epoch is not on disk, or not surely. */
  async sync(epoch: number): Promise<void> {
    const handle = await open(this.#folder, 'r')
    try {
      // Noted before anything else is awaited: whoever asked later must not be ahead of it.
      await handle.sync().catch((error: unknown) => {
        this.#epoch++
        throw error
      })
    } finally {
      await handle.close()
    }
    if (epoch !== this.#epoch) throw new Error('the fsync of the folder failed for another file')
  }
}

/** Deletes a file that no row names any more. One that is not there any more is as good. */
export function deleteBodyFile(folder: string, name: string): void {
  rmSync(bodyPath(folder, name), { force: true })
}

/** Whether a stored message has its body in this file. */
export function isNamed(sql: Sql, name: string): boolean {
  return sql.get('SELECT 1 FROM bodies WHERE file = ?', name) !== undefined
}

/** Names of those files that no row has, by the table itself. */
const UNNAMED = `SELECT value FROM json_each(?) WHERE value NOT IN
  (SELECT file FROM bodies NOT INDEXED WHERE file IS NOT NULL)`

const LOST_CONTENT = `SELECT 1 FROM (SELECT body FROM messages UNION ALL SELECT body FROM queue
  UNION ALL SELECT body FROM quarantine)
  WHERE body NOT IN (SELECT id FROM bodies) LIMIT 1`

/**
 * At start: files whose commit never came. Nobody else writes here: the data folder has one owner. The index finds
 * them quickly; before one is deleted the table is asked, since an index that has lost a row would take a message's
 * file away.
 */
export function sweepOrphans(sql: Sql, folder: string): number {
  const strange = readdirSync(folder).filter((name) => NAME.test(name) && !isNamed(sql, name))
  // Where a message has lost its row of content, a file that no row names may be that content: `hikyaku check` tells.
  if (strange.length === 0 || sql.get(LOST_CONTENT) !== undefined) return 0
  const orphans = sql.all(UNNAMED, JSON.stringify(strange)) as unknown as readonly [string][]
  for (const [name] of orphans) deleteBodyFile(folder, name)
  return orphans.length
}
