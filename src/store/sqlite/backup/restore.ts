import {
  closeSync,
  cpSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { sizeText } from '../../../mail/size-text.ts'
import type { Progress } from '../../../ports/progress.ts'
import { BACKUP_LINE_MS } from '../../limits.ts'
import { checkSteps } from '../check/check.ts'
import type { Finding, FindingKind } from '../check/finding.ts'
import { type Ownership, ownFolder } from '../folder.ts'
import { diskSpaceOf } from '../low-water.ts'
import { BackupFailure, failureSentence, Stopped } from './failure.ts'
import type { BackupInfo, Manifest } from './manifest.ts'
import { type Measured, Measuring, PIECE_BYTES, syncPath } from './octets.ts'
import { stampOf } from './older.ts'
import { type Settled, settleRestored } from './settle.ts'
import { beginRestoring, decideRestore, dropRestoring, finishRestore, freeName } from './swap.ts'
import { findBackup, openBackup, verifyBackup } from './verify.ts'

export interface Restored extends Settled {
  /** The backup's folder. */
  readonly from: string
  readonly info: BackupInfo
  /** Where what was there before is now; undefined where there was nothing. */
  readonly kept: string | undefined
  /** The keys and other files that were there stayed: they are of the same server, and newer. */
  readonly keptKeys: boolean
  /** What is not in order in the restored store, as it was not in the backup; sentences. */
  readonly findings: readonly string[]
}

export type RestoreResult =
  | { readonly ok: true; readonly restored: Restored }
  /** For the operator; nothing was changed. */
  | { readonly ok: false; readonly sentence: string }

/** Findings told; a store that was in order has none. */
const FINDINGS_TOLD = 10
/** Kinds of findings with which no server would start, or not for long. */
const UNSERVABLE: ReadonlySet<FindingKind> = new Set(['unreadable', 'page', 'index', 'schema'])

/**
 * Puts a backup in the place of a data folder's store, which no server may have open. The backup is looked at as a
 * whole before anything is written, and the restored copy before it takes its place. What was there is kept. Never rejects.
 * @param options.from a backup, or a folder with several: then the newest is taken.
 * @param options.named files that the configuration in force names, as paths below the data folder: those that are there stay.
 */
export async function restoreBackup(
  options: {
    readonly from: string
    readonly folder: string
    readonly nowMs: number
    readonly named?: readonly string[] | undefined
  },
  progress: Progress,
): Promise<RestoreResult> {
  let owned: Ownership | undefined
  try {
    const from = findBackup(options.from)
    const manifest = openBackup(from)
    const work = new Restore(progress)
    await work.tell(`Looking at ${from}: ${manifest.files.length} files`)
    await verifyBackup(from, manifest, (path) => work.read(path))
    const taken = ownFolder(options.folder)
    if (!taken.ok) {
      const { path, problem, fix } = taken.error
      return { ok: false, sentence: `${path}: ${problem}. To mend it: ${fix}.` }
    }
    owned = taken.value
    return { ok: true, restored: await work.replace({ ...options, from, manifest }) }
  } catch (error) {
    return { ok: false, sentence: failureSentence(error, options.folder) }
  } finally {
    owned?.release()
  }
}

class Restore {
  readonly #progress: Progress
  #lineAtMs = Date.now()

  constructor(progress: Progress) {
    this.#progress = progress
  }

  /** A file's size and checksums. */
  read(path: string): Promise<Measured> {
    return this.#pieces(path, () => undefined)
  }

  async replace(parts: {
    readonly from: string
    readonly folder: string
    readonly nowMs: number
    readonly manifest: Manifest
    readonly named?: readonly string[] | undefined
  }): Promise<Restored> {
    const { from, folder, nowMs, manifest } = parts
    const fresh = beginRestoring(folder)
    try {
      const keptKeys = isSameServer(from, folder)
      const named = parts.named ?? []
      await this.#copy(parts, fresh, (path) => keptKeys || named.includes(path))
      if (keptKeys) keepBeside(folder, fresh)
      else for (const path of named) keepNamed(folder, fresh, path)
      const database = join(folder, 'hikyaku.db')
      const before = existsSync(database) ? database : undefined
      const settled = settleRestored(join(fresh, 'hikyaku.db'), { before, nowMs })
      const findings = await this.#check(fresh)
      // Left by the check, which only reads: the log was empty before.
      for (const end of ['-wal', '-shm']) rmSync(join(fresh, `hikyaku.db${end}`), { force: true })
      syncNames(fresh)
      this.#heed()
      decideRestore(folder, freeName(folder, `replaced-${stampOf(nowMs)}`))
      const kept = finishRestore(folder)
      return { ...settled, from, info: manifest.info, kept, keptKeys, findings }
    } catch (error) {
      dropRestoring(folder)
      throw error
    }
  }

  async #copy(
    {
      from,
      folder,
      manifest,
    }: { readonly from: string; readonly folder: string; readonly manifest: Manifest },
    fresh: string,
    staysIfThere: (path: string) => boolean,
  ): Promise<void> {
    const wanted = manifest.files.flatMap((file) => {
      const path = /^data\/(.+)$/.exec(file.path)?.[1]
      if (path === undefined) return []
      const isStore = path === 'hikyaku.db' || path.startsWith('bodies/')
      return isStore || !staysIfThere(path) || !existsSync(join(folder, path))
        ? [{ ...file, to: join(fresh, path) }]
        : []
    })
    const allBytes = wanted.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    const { freeBytes } = diskSpaceOf(folder)
    if (allBytes > freeBytes)
      throw new BackupFailure(
        `The backup needs ${sizeText(allBytes)}, and ${sizeText(freeBytes)} are free where ${folder} is. Nothing was changed.`,
      )
    mkdirSync(join(fresh, 'bodies'), { mode: 0o700 })
    let doneBytes = 0
    for (const { path, to, sha256, sizeBytes } of wanted) {
      const copied = await this.#copyFile(join(from, path), to)
      if (copied.sha256 !== sha256)
        throw new BackupFailure(`${join(from, path)} changed while it was read. Nothing was changed.`)
      doneBytes += sizeBytes
      await this.#line(`Copying: ${sizeText(doneBytes)} of ${sizeText(allBytes)}`)
    }
  }

  async #copyFile(from: string, to: string): Promise<Measured> {
    mkdirSync(dirname(to), { recursive: true, mode: 0o700 })
    const file = openSync(to, 'wx', 0o600)
    try {
      const measured = await this.#pieces(from, (piece) => {
        for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at)
      })
      fsyncSync(file)
      return measured
    } finally {
      closeSync(file)
    }
  }

  async #pieces(path: string, take: (piece: Uint8Array) => void): Promise<Measured> {
    const measuring = new Measuring()
    const piece = Buffer.allocUnsafe(PIECE_BYTES)
    const file = openSync(path, 'r')
    try {
      for (;;) {
        await this.#breathe()
        const count = readSync(file, piece, 0, piece.length, null)
        if (count === 0) break
        const octets = piece.subarray(0, count)
        measuring.add(octets)
        take(octets)
        await this.#line(`Reading ${path}`)
      }
    } finally {
      closeSync(file)
    }
    return measuring.end()
  }

  /** The store's own check; what it finds at pages ends the restore, since such a store can't be served. */
  async #check(fresh: string): Promise<readonly string[]> {
    await this.tell('Checking what was restored')
    const findings: string[] = []
    const steps = checkSteps(fresh, { deep: false })
    for (;;) {
      const step = steps.next()
      if (step.done === true) {
        if (!step.value.ok)
          throw new BackupFailure(
            `What was restored can't be read: ${step.value.problem}. Nothing was changed.`,
          )
        return findings
      }
      if (step.value.kind === 'finding') takeFinding(step.value.finding, findings)
      await this.#breathe()
    }
  }

  async tell(text: string): Promise<void> {
    this.#lineAtMs = Date.now()
    await this.#progress.line(text)
  }

  async #line(text: string): Promise<void> {
    if (Math.abs(Date.now() - this.#lineAtMs) >= BACKUP_LINE_MS) await this.tell(text)
  }

  /** Lets a signal through. */
  async #breathe(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    this.#heed()
  }

  #heed(): void {
    if (this.#progress.signal.aborted) throw new Stopped()
  }
}

/** What of a finding is told; a store whose pages are wrong can't be served. */
function takeFinding({ harmless, kind, sentence }: Finding, findings: string[]): void {
  if (UNSERVABLE.has(kind))
    throw new BackupFailure(
      `What was restored is damaged: ${sentence} Nothing was changed; try an older backup.`,
    )
  if (!harmless && findings.length < FINDINGS_TOLD) findings.push(sentence)
}

/** Whether both have the same secret, which is made once for each server. */
function isSameServer(from: string, folder: string): boolean {
  const [theirs, ours] = [join(from, 'data/tls/secret'), join(folder, 'tls/secret')]
  return existsSync(theirs) && existsSync(ours) && readFileSync(theirs).equals(readFileSync(ours))
}

/**
 * A folder takes the place of the old one as a whole: where the backup brings back a file beside our keys, they go into
 * the new folder first.
 */
function keepBeside(folder: string, fresh: string): void {
  for (const entry of readdirSync(fresh, { withFileTypes: true })) {
    const old = join(folder, entry.name)
    if (!entry.isDirectory() || entry.name === 'bodies' || !existsSync(old)) continue
    const to = join(fresh, entry.name)
    cpSync(old, to, { recursive: true, force: false, preserveTimestamps: true, verbatimSymlinks: true })
    for (const file of readdirSync(to, { recursive: true, withFileTypes: true }))
      if (file.isFile()) syncPath(join(file.parentPath, file.name))
  }
}

/** The same for one file that the configuration in force names: without it the server would not start. */
function keepNamed(folder: string, fresh: string, path: string): void {
  const [old, to] = [join(folder, path), join(fresh, path)]
  const [top = ''] = path.split('/')
  // Where its folder is not in the backup, nothing takes its place.
  if (top === path || !existsSync(join(fresh, top)) || !existsSync(old)) return
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 })
  cpSync(old, to, { preserveTimestamps: true, verbatimSymlinks: true })
  if (lstatSync(to).isFile()) syncPath(to)
}

/** Files were made durable as they were written; here the database, which was changed since, and all names. */
function syncNames(fresh: string): void {
  syncPath(join(fresh, 'hikyaku.db'))
  for (const entry of readdirSync(fresh, { recursive: true, withFileTypes: true }))
    if (entry.isDirectory()) syncPath(join(entry.parentPath, entry.name))
  syncPath(fresh)
}
