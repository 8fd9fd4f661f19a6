// What may be on a disk when its power goes, by POSIX alone: what was synced is there; of anything else any part may
// be there, torn at 512 octets, in any order. File systems do better, each in its own way; nothing here counts on it.
//
// A file's content is durable up to the last sync of that file. A name is durable once its folder was synced after it
// was made, renamed or removed. One simplification: a rename is there whole or not at all.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Chance } from './chance.ts'
import type { Change, LogRecord } from './write-log.ts'

const SECTOR_OCTETS = 512

/** How what was not synced fares. `all`: nothing is lost, as after SIGKILL. */
export type Fate = 'all' | 'none' | 'any' | 'ordered-names'
export const fates: readonly Fate[] = ['all', 'none', 'any', 'ordered-names']

type Content = Extract<Change, { kind: 'write' | 'truncate' }>

class ModelFile {
  /** Grows by doubling; `size` octets of it count. */
  #octets = Buffer.alloc(0)
  #size = 0
  /** Not synced yet. */
  readonly pending: { readonly sequence: number; readonly change: Content }[] = []

  sync(covers: number): void {
    const { pending } = this
    let count = 0
    while (count < pending.length && (pending[count]?.sequence ?? 0) <= covers) count++
    for (const { change } of pending.splice(0, count)) this.#apply(change)
  }

  /** The octets that the disk has. */
  contentAfter(fate: Fate, chance: Chance): Buffer {
    const copy = new ModelFile()
    copy.#octets = Buffer.from(this.#octets.subarray(0, this.#size))
    copy.#size = this.#size
    for (const { change } of this.pending) copy.#applyPart(change, fate, chance)
    return copy.#octets.subarray(0, copy.#size)
  }

  #applyPart(change: Content, fate: Fate, chance: Chance): void {
    if (fate === 'none' || (fate !== 'all' && chance.is(0.4))) return
    if (fate === 'all' || change.kind === 'truncate' || chance.is(0.5)) this.#apply(change)
    else this.#tear(change, chance)
  }

  /** The size may be there without the octets, which are zeros then. */
  #tear(change: Extract<Change, { kind: 'write' }>, chance: Chance): void {
    const { offset, octets } = change
    if (chance.is(0.5)) this.#grow(offset + octets.length)
    for (let from = 0; from < octets.length; ) {
      const end = Math.min(octets.length, from + SECTOR_OCTETS - ((offset + from) % SECTOR_OCTETS))
      if (chance.is(0.5))
        this.#apply({ ...change, offset: offset + from, octets: octets.subarray(from, end) })
      from = end
    }
  }

  #apply(change: Content): void {
    if (change.kind === 'write') {
      this.#grow(change.offset + change.octets.length)
      change.octets.copy(this.#octets, change.offset)
    } else if (change.size > this.#size) this.#grow(change.size)
    else {
      this.#octets.fill(0, change.size, this.#size)
      this.#size = change.size
    }
  }

  #grow(size: number): void {
    if (size <= this.#size) return
    if (size > this.#octets.length) {
      const larger = Buffer.alloc(Math.max(size, 2 * this.#octets.length))
      this.#octets.copy(larger, 0, 0, this.#size)
      this.#octets = larger
    }
    this.#size = size
  }
}

type Names = Map<string, ModelFile | 'folder'>

/** One step of names; `folders` must be synced after it. */
interface NameStep {
  readonly sequence: number
  /** Folders that must be synced yet. */
  readonly folders: Set<string>
  apply(names: Names): void
}

export class DiskModel {
  /** What is durable. */
  readonly #names: Names = new Map()
  /** What the program sees. */
  readonly #seen: Names = new Map()
  #steps: NameStep[] = []
  #handles = new Map<number, ModelFile | { readonly folder: string }>()
  /** Whether a sync of this path counts: a planted mistake lets it not. */
  readonly #counts: (path: string) => boolean
  readonly #paths = new Map<number, string>()

  constructor(counts: (path: string) => boolean = () => true) {
    this.#counts = counts
  }

  /** A program that begins to write the log: its numbers begin anew. What was written before may still be on its way. */
  begin(): void {
    this.#handles = new Map()
    this.#paths.clear()
    const files = new Set(this.#seen.values())
    for (const file of files) {
      if (file === 'folder') continue
      file.pending.forEach((one, index) => {
        file.pending[index] = { ...one, sequence: 0 }
      })
    }
    this.#steps = this.#steps.map((step) => ({ ...step, sequence: 0 }))
  }

  apply(record: Exclude<LogRecord, { kind: 'mark' }>): void {
    if (record.kind === 'open') this.#open(record)
    else if (record.kind === 'sync') this.#sync(record)
    else if (record.kind === 'write' || record.kind === 'truncate') this.#write(record)
    else this.#rename(record)
  }

  #write(record: Content & { readonly sequence: number }): void {
    const file = this.#handles.get(record.handle)
    if (!(file instanceof ModelFile)) throw new Error(`a write to handle ${record.handle}, which is no file`)
    file.pending.push({ sequence: record.sequence, change: record })
  }

  #open(record: Extract<LogRecord, { kind: 'open' }>): void {
    const { sequence, handle, path, isNew, isEmptied, isFolder } = record
    this.#paths.set(handle, path)
    if (isFolder) {
      this.#handles.set(handle, { folder: path })
      return
    }
    const known = this.#seen.get(path)
    const file = known instanceof ModelFile && !isNew ? known : new ModelFile()
    this.#handles.set(handle, file)
    if (file !== known) this.#step(sequence, [dirname(path)], (names) => void names.set(path, file))
    else if (isEmptied) file.pending.push({ sequence, change: { kind: 'truncate', handle, size: 0 } })
  }

  #sync({ handle, covers }: Extract<LogRecord, { kind: 'sync' }>): void {
    const file = this.#handles.get(handle)
    if (file === undefined || !this.#counts(this.#paths.get(handle) ?? '')) return
    if (file instanceof ModelFile) {
      file.sync(covers)
      return
    }
    for (const step of this.#steps) {
      if (step.sequence > covers) continue
      step.folders.delete(file.folder)
      if (step.folders.size === 0) step.apply(this.#names)
    }
    this.#steps = this.#steps.filter(({ folders }) => folders.size > 0)
  }

  #rename(record: Extract<LogRecord, { kind: 'rename' | 'link' | 'unlink' | 'mkdir' | 'rmdir' }>): void {
    const { kind, path, sequence } = record
    if ('to' in record) {
      const { to } = record
      const file = this.#seen.get(path)
      if (file === undefined) throw new Error(`${kind} of ${path}, which is not there`)
      this.#step(sequence, [dirname(path), dirname(to)], (names) => {
        if (kind === 'rename') names.delete(path)
        names.set(to, file)
      })
    } else if (kind !== 'mkdir') this.#step(sequence, [dirname(path)], (names) => void names.delete(path))
    else if (path !== '.') this.#step(sequence, [dirname(path)], (names) => void names.set(path, 'folder'))
  }

  #step(sequence: number, folders: readonly string[], apply: NameStep['apply']): void {
    apply(this.#seen)
    this.#steps.push({ sequence, folders: new Set(folders), apply })
  }

  /** Writes one of the states that the disk may be in into an empty folder. */
  writeState(folder: string, fate: Fate, chance: Chance): void {
    const names: Names = new Map(this.#names)
    const upTo = chance.within(0, this.#steps.length)
    this.#steps.forEach((step, index) => {
      const isThere =
        fate === 'all' || (fate === 'ordered-names' ? index < upTo : fate === 'any' && chance.is(0.5))
      if (isThere) step.apply(names)
    })
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const isReachable = (path: string): boolean =>
      dirname(path) === '.' || (names.get(dirname(path)) === 'folder' && isReachable(dirname(path)))
    for (const [path, file] of [...names].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (!isReachable(path)) continue
      if (path.endsWith('-shm')) writeLeftover(join(folder, path), chance)
      else if (file === 'folder') mkdirSync(join(folder, path), { recursive: true, mode: 0o700 })
      else writeFileSync(join(folder, path), file.contentAfter(fate, chance), { mode: 0o600 })
    }
  }
}

/** Memory that programs share is written back at any time or never: nothing, or anything. */
function writeLeftover(file: string, chance: Chance): void {
  if (chance.is(0.5)) return
  const octets = Buffer.from(Array.from({ length: 32_768 }, () => chance.within(0, 255)))
  writeFileSync(file, octets, { mode: 0o600 })
}
