import { copyFileSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { ThreadName } from '../../src/store/sqlite/threads.ts'
import type { Chance } from './chance.ts'
import type { Life } from './scheduler.ts'

/** A time in which a disk does not do what it is told. */
export interface DiskTrouble {
  readonly fromMs: number
  readonly toMs: number
  readonly kind: 'full' | 'io'
  /** Of statements and file operations that fail meanwhile. */
  readonly share: number
}

/** When a process ends: at a moment, or at the so-many-th statement of its writer from then on. */
export interface Death {
  readonly atMs: number
  readonly statements: number | undefined
}

/** Thrown out of whatever a dead process was doing; nothing that it does afterwards reaches anybody. */
export class ProcessDied extends Error {
  override readonly name = 'ProcessDied'
}

/** What one life of a server holds of the system, and what goes wrong there. */
export class Machine {
  readonly life: Life
  readonly folder: string
  readonly databases = new Set<DatabaseSync>()
  openFiles = 0
  /** Set while the code of a store thread runs. */
  role: ThreadName | undefined
  /** Names of body files that the disk did not let go. */
  readonly unremoved = new Set<string>()
  /** Statements of the writer left to live; undefined: no such end. */
  statementsLeft: number | undefined
  commits = 0
  faults = 0
  readonly #chance: Chance
  readonly #troubles: readonly DiskTrouble[]
  readonly #nowMs: () => number
  readonly #onDeath: () => void

  constructor(parts: {
    readonly life: Life
    readonly folder: string
    readonly chance: Chance
    readonly troubles: readonly DiskTrouble[]
    nowMs(): number
    /** Called where the process dies within its writer; the folder is then as the crash left it. */
    onDeath(): void
  }) {
    this.life = parts.life
    this.folder = parts.folder
    this.#chance = parts.chance
    this.#troubles = parts.troubles
    this.#nowMs = () => parts.nowMs()
    this.#onDeath = () => parts.onDeath()
  }

  /** How long a file operation takes. */
  latencyMs(): number {
    return this.#chance.between(0.02, 2)
  }

  /** Before each statement: throws what the disk says, or the end of the process. */
  beforeStatement(database: DatabaseSync, sql: string): void {
    if (!this.life.alive) throw new ProcessDied('no statement runs in a dead process')
    if (this.role === undefined) return
    if (this.role === 'writer-thread') this.#countDown()
    // A rollback has nothing to write; the reader's BEGIN and COMMIT have neither.
    if (/^(ROLLBACK|RELEASE)/.test(sql) || (this.role === 'reader-thread' && /^(BEGIN|COMMIT)/.test(sql)))
      return
    const kind = this.trouble()
    if (kind === undefined) return
    this.faults++
    // After such an error SQLite may have given the whole transaction up.
    if (this.role === 'writer-thread' && database.isTransaction && this.#chance.happens(0.5))
      database.exec('ROLLBACK')
    throw sqliteError(kind, this.#chance)
  }

  afterStatement(sql: string): void {
    if (this.role !== 'writer-thread') return
    if (sql === 'COMMIT') this.commits++
    this.#countDown()
  }

  /** What goes wrong with the next operation on this disk, if anything. */
  trouble(): DiskTrouble['kind'] | undefined {
    const nowMs = this.#nowMs()
    const now = this.#troubles.find(({ fromMs, toMs }) => nowMs >= fromMs && nowMs < toMs)
    return now !== undefined && this.#chance.happens(now.share) ? now.kind : undefined
  }

  /** Octets of a piece that still get onto a disk before it fails. */
  partOf(length: number): number {
    return this.#chance.below(length + 1)
  }

  #countDown(): void {
    if (this.statementsLeft === undefined || --this.statementsLeft > 0) return
    this.statementsLeft = undefined
    this.#onDeath()
    throw new ProcessDied('the process ends here')
  }

  /** Lets go of what a process that is gone had open. */
  release(): void {
    for (const database of this.databases) if (database.isOpen) database.close()
    this.databases.clear()
  }
}

/** Copies a data folder as a crash leaves it: without SQLite's shared memory and without locks. */
export function copyFolder(from: string, to: string): void {
  mkdirSync(join(to, 'bodies'), { recursive: true, mode: 0o700 })
  for (const name of readdirSync(from))
    if (/^hikyaku\.db(-wal)?$/.test(name)) copyFileSync(join(from, name), join(to, name))
  for (const name of readdirSync(join(from, 'bodies')))
    copyFileSync(join(from, 'bodies', name), join(to, 'bodies', name))
}

/** rescodes of SQLite: FULL; IOERR_WRITE, IOERR_FSYNC; IOERR_SHMSIZE, which is a full disk too. */
const CODES = { full: [13, 13, 4874], io: [778, 1034] }

function sqliteError(kind: DiskTrouble['kind'], chance: Chance): Error {
  const errcode = chance.pick(CODES[kind])
  const text = errcode === 13 ? 'database or disk is full' : 'disk I/O error'
  return Object.assign(new Error(text), { code: 'ERR_SQLITE_ERROR', errcode, errstr: text })
}

export function fileError(kind: DiskTrouble['kind']): Error {
  const code = kind === 'full' ? 'ENOSPC' : 'EIO'
  return Object.assign(new Error(`${code}: the disk says so`), { code })
}
