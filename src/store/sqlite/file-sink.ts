import type { FileHandle } from 'node:fs/promises'
import { rm } from 'node:fs/promises'
import type { StoreFailure } from '../../ports/store.ts'
import { FILE_WRITE_BACKLOG_BYTES, ROOM_CHECK_BYTES } from '../limits.ts'
import { bodyPath, createBodyFile, type FolderNames, newBodyName } from './body-files.ts'
import type { LowWater } from './low-water.ts'
import { describeError } from './sql.ts'

/** Where body files go. */
export interface BodyFolder {
  readonly path: string
  readonly names: FolderNames
  readonly lowWater: Pick<LowWater, 'checkFile'>
}

/** A body file while it is written: takes chunks at once, writes them in order, asks for patience where it lags. */
export class FileSink {
  readonly name = newBodyName()
  readonly #folder: BodyFolder
  readonly #epoch: number
  #pending: Uint8Array[] = []
  #backlogBytes = 0
  /** Octets that may still be taken before the next look at the room on the disk. */
  #roomBytes = 0
  #running: Promise<void> | undefined
  #handle: FileHandle | undefined
  #failure: StoreFailure | undefined
  #dropped = false

  constructor(folder: BodyFolder) {
    this.#folder = folder
    this.#epoch = folder.names.epoch
  }

  /** Where the file is. */
  get folder(): string {
    return this.#folder.path
  }

  /** Octets that are not in the file yet. */
  get backlogBytes(): number {
    return this.#backlogBytes
  }

  /** A promise where so much waits that the caller should. Never rejects. */
  write(chunk: Uint8Array): Promise<void> | undefined {
    this.#lookForRoom(chunk.length)
    if (this.#failure !== undefined || this.#dropped) return undefined
    this.#pending.push(chunk)
    this.#backlogBytes += chunk.length
    this.#running ??= this.#drain()
    return this.#backlogBytes > FILE_WRITE_BACKLOG_BYTES ? this.#running : undefined
  }

  /** File and folder are on disk when this resolves; a failure has removed the file. */
  async finish(): Promise<StoreFailure | undefined> {
    while (this.#running !== undefined) await this.#running
    try {
      if (this.#failure === undefined) {
        await this.#handle?.sync()
        await this.#close()
        await this.#folder.names.sync(this.#epoch)
      }
    } catch (error) {
      this.#fail(error)
    }
    if (this.#failure !== undefined) await this.drop()
    return this.#failure
  }

  /** Removes the file. One that can't be removed is swept at the next start. */
  async drop(): Promise<void> {
    this.#dropped = true
    this.#pending = []
    while (this.#running !== undefined) await this.#running
    const failed = (error: unknown): void => this.#fail(error)
    // A file that the disk does not close in peace is removed all the same.
    await this.#close().catch(failed)
    await rm(bodyPath(this.#folder.path, this.name), { force: true }).catch(failed)
  }

  #lookForRoom(bytes: number): void {
    this.#roomBytes -= bytes
    if (this.#roomBytes >= 0) return
    this.#roomBytes = ROOM_CHECK_BYTES
    this.#failure ??= this.#folder.lowWater.checkFile()
  }

  async #drain(): Promise<void> {
    try {
      this.#handle ??= await createBodyFile(this.#folder.path, this.name)
      while (this.#pending.length > 0) {
        const chunks = this.#pending
        this.#pending = []
        await this.#handle.appendFile(chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks))
        this.#backlogBytes = this.#pending.reduce((sum, chunk) => sum + chunk.length, 0)
      }
    } catch (error) {
      this.#fail(error)
      this.#pending = []
    } finally {
      this.#running = undefined
    }
  }

  async #close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  #fail(error: unknown): void {
    const isFull =
      error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
    this.#failure ??= { kind: isFull ? 'full' : 'io', cause: `body file: ${describeError(error)}` }
  }
}
