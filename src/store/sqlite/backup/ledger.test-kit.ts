import assert from 'node:assert/strict'
import { ownFolder, prepareDatabase } from '../folder.ts'
import { quietWriter } from '../open.test-kit.ts'
import type { Operation } from '../operations.ts'
import type { Call } from '../packing.ts'
import { startThread } from '../threads.ts'
import { type Outcome, WriterClient } from '../writer-client.ts'

interface Entry {
  readonly operation: Operation
  readonly blobs: Call['blobs']
  isAnswered: boolean
}

/**
 * Every operation that any store of this process hands to its writer, in the order in which they are handed over: the
 * writer commits them in that order and no other. Until `end`.
 */
export class Ledger {
  readonly entries: Entry[] = []
  readonly #call = WriterClient.prototype.call
  readonly #post = WriterClient.prototype.post

  constructor() {
    const { entries } = this
    const [call, post] = [this.#call, this.#post]
    WriterClient.prototype.call = async function <T>(operation: Operation, blobs: Call['blobs'] = []) {
      const entry = { operation, blobs, isAnswered: false }
      entries.push(entry)
      const outcome = (await call.call(this, operation, blobs)) as Outcome<T>
      entry.isAnswered = true
      return outcome
    }
    WriterClient.prototype.post = function (operation) {
      entries.push({ operation, blobs: [], isAnswered: false })
      post.call(this, operation)
    }
  }

  /** How many at least were committed: all up to the last one that was answered. */
  get answered(): number {
    return this.entries.findLastIndex(({ isAnswered }) => isAnswered) + 1
  }

  end(): void {
    WriterClient.prototype.call = this.#call
    WriterClient.prototype.post = this.#post
  }
}

/** A writer on an empty folder that goes through the operations of a ledger again. */
export class Replay {
  readonly database: string
  readonly #writer: WriterClient
  readonly #release: () => void
  #done = 0

  private constructor(database: string, writer: WriterClient, release: () => void) {
    this.database = database
    this.#writer = writer
    this.#release = release
  }

  static async open(folder: string): Promise<Replay> {
    const owned = ownFolder(folder)
    assert(owned.ok)
    const { paths, release } = owned.value
    assert.equal(prepareDatabase(paths), undefined)
    const writer: WriterClient = new WriterClient(startThread, paths, {
      ...quietWriter,
      onNote: () => undefined,
      onCheckpoint: () => writer.checkpointed(null),
    })
    await writer.ready()
    return new Replay(paths.database, writer, release)
  }

  get done(): number {
    return this.#done
  }

  /** Up to so many operations in all. */
  async upTo(ledger: Ledger, count: number): Promise<void> {
    const next = ledger.entries.slice(this.#done, count)
    await Promise.all(next.map(({ blobs, operation }) => this.#writer.call(operation, blobs)))
    this.#done = Math.max(this.#done, count)
  }

  async close(): Promise<void> {
    await this.#writer.close()
    this.#release()
  }
}
