import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  fsyncSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { REWRITE_AT_OPEN_BYTES } from '../limits.ts'
import { finishRestore } from './backup/swap.ts'
import { makeShrinkable, openForWriting } from './database.ts'
import { makeFolders } from './make-folders.ts'
import { migrate, SCHEMA_VERSION, schemaVersion } from './migrate.ts'
import { emptyLog } from './open-again.ts'
import { readLogOf } from './pages/image.ts'
import { describeError, Sql, sqliteFault } from './sql.ts'

/**
 * A data folder:
 *
 *     hikyaku.db   everything but large bodies (with hikyaku.db-wal and -shm while it is open)
 *     bodies/      one file for each large body
 *     lock.db      held locked by the one owner
 *     owner.pid    the owner's process id, to be told to whoever comes second
 *     replaced-…/  what was there before a restore (and for a moment .restoring/, see backup/swap.ts)
 */
export interface FolderPaths {
  readonly folder: string
  readonly database: string
  readonly bodies: string
  readonly lock: string
  readonly pid: string
}

export function folderPaths(folder: string): FolderPaths {
  return {
    folder,
    database: join(folder, 'hikyaku.db'),
    bodies: join(folder, 'bodies'),
    lock: join(folder, 'lock.db'),
    pid: join(folder, 'owner.pid'),
  }
}

/** Why a data folder can't be opened: where, what is wrong, what to do. */
export interface OpenError {
  readonly kind: 'owned' | 'newer-schema' | 'not-a-folder' | 'no-access' | 'damaged' | 'full' | 'io'
  readonly path: string
  readonly problem: string
  readonly fix: string
  /** Of the owner, where it is known. */
  readonly pid?: number | undefined
}

export type FolderResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: OpenError }

/** The right to a data folder, until `release`. */
export interface Ownership {
  readonly paths: FolderPaths
  release(): void
}

/** Makes the folder where it is missing (0700), and takes it: a second owner is refused. */
export function ownFolder(folder: string): FolderResult<Ownership> {
  const paths = folderPaths(folder)
  const problem = prepareFolder(paths)
  return problem === undefined ? takeLock(paths) : { ok: false, error: problem }
}

/** Takes a data folder that is there, and changes nothing in it: for those who look at it or mend it. */
export function lockFolder(folder: string): FolderResult<Ownership> {
  const paths = folderPaths(folder)
  try {
    accessSync(paths.database, constants.R_OK)
  } catch (error) {
    return { ok: false, error: fileError(paths.database, error) }
  }
  return takeLock(paths)
}

function prepareFolder(paths: FolderPaths): OpenError | undefined {
  const { folder, bodies } = paths
  try {
    makeFolder(folder)
    makeFolder(bodies)
    const { mode } = statSync(folder)
    // Mail is nobody else's: a folder made by hand may have been readable.
    if ((mode & 0o077) !== 0) chmodSync(folder, mode & 0o700)
    for (const path of [folder, bodies]) accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
    return undefined
  } catch (error) {
    return fileError(folder, error)
  }
}

/** With the folders above it, each of them durable: a power cut must not take away what holds acknowledged mail. */
function makeFolder(folder: string): void {
  const first = makeFolders(folder, 0o700)
  if (first === undefined) return
  for (let at = resolve(folder); at !== dirname(resolve(first)); at = dirname(at)) syncNames(dirname(at))
}

function syncNames(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function takeLock(paths: FolderPaths): FolderResult<Ownership> {
  try {
    makePrivate(paths.lock)
    const lock = new DatabaseSync(paths.lock, { timeout: 0 })
    try {
      lock.exec('BEGIN EXCLUSIVE')
    } catch (error) {
      lock.close()
      if (sqliteFault(error) !== 'busy') throw error
      return { ok: false, error: ownedError(paths) }
    }
    try {
      finishRestore(paths.folder)
      writeFileSync(paths.pid, `${process.pid}\n`, { mode: 0o600 })
    } catch (error) {
      lock.close()
      throw error
    }
    const release = (): void => {
      try {
        rmSync(paths.pid, { force: true })
      } catch {
        // A disk that has become read-only keeps it: the next owner writes its own number there.
      }
      lock.close()
    }
    return { ok: true, value: { paths, release } }
  } catch (error) {
    return { ok: false, error: anyError(paths.lock, error) }
  }
}

function ownedError(paths: FolderPaths): OpenError {
  const pid = readPid(paths.pid)
  const who = pid === undefined ? 'another process' : `process ${pid}`
  return {
    kind: 'owned',
    path: paths.folder,
    problem: `the data folder is in use by ${who}`,
    fix: 'stop that server first, or give this one a data folder of its own',
    pid,
  }
}

function readPid(path: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(path, 'utf8'), 10)
    return Number.isSafeInteger(pid) ? pid : undefined
  } catch {
    // The owner has only just begun or is about to end: then nobody can be named.
    return undefined
  }
}

/**
 * Brings the database up to date. The caller owns the folder.
 * A newer schema than ours is left as it is.
 * @param note takes a sentence about what could not be done and is not needed.
 */
export function prepareDatabase(
  { database }: FolderPaths,
  note: (text: string) => void = () => undefined,
): OpenError | undefined {
  try {
    makePrivate(database)
    const version = withDatabase(database, (db) => {
      const found = schemaVersion(db)
      if (found > SCHEMA_VERSION) return found
      migrate(db)
      tryShrinkable(db, note)
      return found
    })
    if (version > SCHEMA_VERSION) return newerError(database, version)
    // The log of a process that ended after a failed fsync is not to be built upon (see open-again.ts), nor is a
    // connection that failed to rewrite the database.
    withDatabase(database, (db) => emptyLog(new Sql(db)))
    return undefined
  } catch (error) {
    return anyError(database, error)
  }
}

/** A full disk or a damaged page keeps nobody from the mail: SQLite leaves the database as it was. */
function tryShrinkable(db: DatabaseSync, note: (text: string) => void): void {
  try {
    makeShrinkable(db, REWRITE_AT_OPEN_BYTES)
  } catch (error) {
    if (sqliteFault(error) === undefined) throw error
    note(
      `the database could not be rewritten to give room of deleted mail back to the disk (${describeError(error)}); it is as it was, and the next start tries again`,
    )
  }
}

function withDatabase<Result>(path: string, work: (db: DatabaseSync) => Result): Result {
  const db = openForWriting(path)
  try {
    return work(db)
  } finally {
    db.close()
  }
}

function newerError(path: string, version: number): OpenError {
  return {
    kind: 'newer-schema',
    path,
    problem: `the database has schema version ${version}; this program knows ${SCHEMA_VERSION}`,
    fix: 'run the newer program that wrote it, or restore a backup from before the upgrade',
  }
}

/**
 * SQLite makes files by the umask; its log takes the database's mode. Made here before SQLite has ever opened it:
 * closing a descriptor of an open database would drop SQLite's locks.
 */
function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
    syncNames(dirname(path))
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  }
}

/** Where a database can't be opened at all; `hikyaku check` would need it open. */
export const DAMAGE_FIX =
  'restore a backup with `hikyaku restore`, or take out what is readable with `hikyaku salvage`; keep the damaged folder until you have your mail'

/** A power cut tears the one commit whose fsync had not ended; commits behind it are proof of damage. */
const TORN_COMMITS = 1

/**
 * Whether the log is damaged in its middle: SQLite would take what stands before the damage, and throw acknowledged mail
 * behind it away. To be asked before the database is opened.
 */
export function brokenLog({ database }: FolderPaths): OpenError | undefined {
  const { commitsBehind } = readLogOf(database)
  if (commitsBehind <= TORN_COMMITS) return undefined
  const path = `${database}-wal`
  return {
    kind: 'damaged',
    path,
    problem: `the log of the database is damaged in its middle, and ${commitsBehind} commits behind the damage, of acknowledged mail, would be lost by a start`,
    fix: `take everything out with \`hikyaku salvage\`; after that restore a backup, or move ${path} away to go on without what is in it`,
  }
}

function anyError(path: string, error: unknown): OpenError {
  const fault = sqliteFault(error)
  if (fault === undefined) return fileError(path, error)
  const problem = describeError(error)
  if (fault === 'full') return { kind: 'full', path, problem: 'the disk is full', fix: 'free some space' }
  if (fault === 'corrupt') return { kind: 'damaged', path, problem, fix: DAMAGE_FIX }
  const fix = `see that user ${userName()} may read and write it and that the disk works`
  return { kind: fault === 'other' ? 'no-access' : 'io', path, problem, fix }
}

function fileError(path: string, error: unknown): OpenError {
  const problem = describeError(error)
  if (hasCode(error, 'ENOTDIR') || hasCode(error, 'EEXIST'))
    return {
      kind: 'not-a-folder',
      path,
      problem,
      fix: 'name a folder, or remove the file that is in its place',
    }
  if (hasCode(error, 'EROFS'))
    return { kind: 'io', path, problem, fix: 'make the disk writable again, or repair it (fsck)' }
  if (hasCode(error, 'EACCES') || hasCode(error, 'EPERM'))
    return {
      kind: 'no-access',
      path,
      problem,
      fix: `give the folder to user ${userName()} (chown, chmod 700)`,
    }
  if (hasCode(error, 'ENOSPC')) return { kind: 'full', path, problem, fix: 'free some space' }
  return { kind: 'io', path, problem, fix: 'see that the disk works and the path exists' }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function userName(): string {
  return String(process.getuid?.() ?? 'of this process')
}
