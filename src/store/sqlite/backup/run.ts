import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { sizeText } from '../../../mail/size-text.ts'
import type { BackupMade } from '../../../ports/backups.ts'
import { BACKUP_LINE_MS, DAMAGED_NAMED } from '../../limits.ts'
import { diskSpaceOf } from '../low-water.ts'
import type { ThreadPort } from '../threads.ts'
import { CopiedDatabase, type FileBody } from './copied-database.ts'
import { FixedState } from './copy-database.ts'
import { BackupFailure, failureSentence, Stopped } from './failure.ts'
import { type BackupFile, formatManifest, isBackupPath, MANIFEST_NAME, type Manifest } from './manifest.ts'
import { type Measured, measureFile, syncPath } from './octets.ts'
import { beginPartial, finishPartial, listBackups, prune, readManifest, stampOf } from './older.ts'
import type { BackupData, FromBackup } from './task.ts'

const DATABASE = 'data/hikyaku.db'
const BODIES = 'data/bodies'

/** What a backup is made of, step by step; nothing of it is there until its last step gives it its name. */
class Backup {
  readonly #data: BackupData
  readonly #tell: (message: FromBackup) => void
  readonly #stop: Uint8Array
  readonly #files: BackupFile[] = []
  readonly #damaged: string[] = []
  /** Sentences. */
  readonly #leftOut: string[] = []
  #damagedCount = 0
  #linkedFiles = 0
  #linkedBytes = 0
  /** A short one needs no line. */
  #lineAtMs = Date.now()
  /** The backup before: its body files are taken over where they are still wanted. */
  #before: { readonly folder: string; readonly files: ReadonlyMap<string, number> } | undefined

  constructor(data: BackupData, tell: (message: FromBackup) => void) {
    this.#data = data
    this.#tell = tell
    this.#stop = new Uint8Array(data.stop)
  }

  async make(): Promise<BackupMade> {
    const { into, server, nowMs } = this.#data
    const stamp = stampOf(nowMs)
    const partial = beginPartial(into, server, stamp)
    try {
      const manifest = await this.#fill(partial)
      writeDurably(join(partial, MANIFEST_NAME), formatManifest(manifest))
      for (const folder of ['data/bodies', 'data/tls', 'data', 'config', '.'])
        if (existsSync(join(partial, folder))) syncPath(join(partial, folder))
      this.#heed()
      const folder = finishPartial(into, partial, stamp)
      return this.#finish(folder, manifest)
    } catch (error) {
      rmSync(partial, { recursive: true, force: true })
      throw error
    }
  }

  async #fill(partial: string): Promise<Manifest> {
    const { version, server, nowMs } = this.#data
    mkdirSync(join(partial, BODIES), { recursive: true, mode: 0o700 })
    this.#before = this.#findBefore()
    const schema = await this.#copyDatabase(join(partial, DATABASE))
    this.#line('Reading the copy')
    // Before its pages are looked at, which nothing can interrupt: what a slow disk takes for them is over then.
    this.#measured(
      DATABASE,
      measureFile(join(partial, DATABASE), () => this.#heed()),
    )
    const copy = new CopiedDatabase(join(partial, DATABASE))
    let messages = 0
    try {
      this.#line('Looking through the copy')
      copy.checkPages()
      messages = copy.messages
      for (const id of copy.damagedBodies(() => this.#heed()))
        this.#damage(`the text of body ${id} is damaged`)
      this.#copyBodies(copy, partial)
    } finally {
      copy.close()
    }
    for (const { path, bytes } of this.#data.files) {
      if (!isBackupPath(path)) {
        this.#leftOut.push(`Not in the backup: ${path}, whose name no backup can have; give it another.`)
        continue
      }
      const file = join(partial, path)
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
      writeDurably(file, bytes)
      this.#measured(
        path,
        measureFile(file, () => this.#heed()),
      )
    }
    const damaged = [...this.#damaged]
    const more = this.#damagedCount - damaged.length
    if (more > 0) damaged.push(`and ${more} more`)
    return { info: { version, schema, server, createdMs: nowMs, messages, damaged }, files: this.#files }
  }

  async #copyDatabase(to: string): Promise<number> {
    const state = new FixedState(this.#data.database)
    try {
      this.#checkRoom(state)
      await state.copyTo(to, (done, all) => {
        this.#heed()
        this.#line(`Copying the database: ${sizeText(done)} of ${sizeText(all)}`)
      })
      const { schema } = state
      state.release()
      this.#tell({ kind: 'copied' })
      return schema
    } finally {
      state.close()
    }
  }

  /** Said at once rather than after an hour of copying. */
  #checkRoom(state: FixedState): void {
    let wanted = state.sizeBytes
    for (const { name, sizeBytes } of state.files())
      if (this.#before?.files.get(`${BODIES}/${name}`) !== sizeBytes) wanted += sizeBytes
    const { into } = this.#data
    const { freeBytes } = diskSpaceOf(into)
    if (wanted > freeBytes)
      throw new BackupFailure(
        `The backup needs ${sizeText(wanted)}, and ${sizeText(freeBytes)} are free where ${into} is: free some space there, or name another folder.`,
      )
  }

  #findBefore() {
    const { into, server } = this.#data
    const last = listBackups(into, server).at(-1)
    const manifest = last === undefined ? undefined : readManifest(last.folder)
    if (last === undefined || manifest === undefined) return undefined
    return {
      folder: last.folder,
      files: new Map(manifest.files.map(({ path, sizeBytes }) => [path, sizeBytes] as const)),
    }
  }

  #copyBodies(copy: CopiedDatabase, partial: string): void {
    let count = 0
    for (const body of copy.files()) {
      this.#heed()
      const path = `${BODIES}/${body.file}`
      if (!this.#takeOver(body, path, partial)) this.#copyBody(body, path, partial)
      count++
      this.#line(`Copying large messages: ${count}`)
    }
  }

  /** A body file never changes: the one in the backup before is as good, where its octets are still right. */
  #takeOver(body: FileBody, path: string, partial: string): boolean {
    const before = this.#before
    if (before?.files.get(path) !== body.sizeBytes) return false
    const to = join(partial, path)
    try {
      linkSync(join(before.folder, path), to)
    } catch {
      // A disk without hard links, or a file that somebody removed: it is copied.
      return false
    }
    const measured = measureFile(to, () => this.#heed())
    if (measured.sizeBytes === body.sizeBytes && body.isRight(measured.crc)) {
      this.#measured(path, measured)
      this.#linkedFiles++
      this.#linkedBytes += measured.sizeBytes
      return true
    }
    rmSync(to)
    return false
  }

  #copyBody(body: FileBody, path: string, partial: string): void {
    const from = join(this.#data.bodies, body.file)
    if (!existsSync(from)) {
      this.#damage(`the file ${body.file} of body ${body.id} is missing`)
      return
    }
    const to = join(partial, path)
    copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
    chmodSync(to, 0o600)
    syncPath(to)
    const measured = measureFile(to, () => this.#heed())
    if (measured.sizeBytes !== body.sizeBytes || !body.isRight(measured.crc))
      this.#damage(`the file ${body.file} of body ${body.id} is damaged`)
    this.#measured(path, measured)
  }

  #finish(folder: string, { info, files }: Manifest): BackupMade {
    const { into, server, keep } = this.#data
    const notes = [...this.#leftOut]
    let removed: readonly string[] = []
    if (keep !== undefined && info.damaged.length > 0)
      notes.push('No older backup was removed: it may hold what is damaged now.')
    else if (keep !== undefined) {
      try {
        removed = prune(into, server, keep, folder)
      } catch (error) {
        // The new backup is whole all the same.
        notes.push(`Older backups could not be removed: ${failureSentence(error, into)}`)
      }
    }
    const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0)
    const { messages, damaged } = info
    const linked = { linkedFiles: this.#linkedFiles, linkedBytes: this.#linkedBytes }
    return { folder, messages, sizeBytes, ...linked, damaged, removed, notes }
  }

  #damage(what: string): void {
    this.#damagedCount++
    if (this.#damaged.length < DAMAGED_NAMED) this.#damaged.push(what)
  }

  #measured(path: string, { sizeBytes, sha256 }: Measured): void {
    this.#files.push({ path, sizeBytes, sha256 })
  }

  #line(text: string): void {
    const nowMs = Date.now()
    if (Math.abs(nowMs - this.#lineAtMs) < BACKUP_LINE_MS) return
    this.#lineAtMs = nowMs
    this.#tell({ kind: 'line', text })
  }

  #heed(): void {
    if (Atomics.load(this.#stop, 0) !== 0) throw new Stopped()
  }
}

function writeDurably(path: string, content: string | Uint8Array): void {
  writeFileSync(path, content, { mode: 0o600, flag: 'wx', flush: true })
}

/** Makes one backup and tells how it goes; then the thread ends. */
export async function runBackup(port: ThreadPort<never, FromBackup>, data: BackupData): Promise<void> {
  try {
    const made = await new Backup(data, (message) => port.post(message)).make()
    port.post({ kind: 'made', made })
  } catch (error) {
    port.post({ kind: 'failed', sentence: failureSentence(error, data.into) })
  }
  port.close()
}
