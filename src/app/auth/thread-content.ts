import { assert } from '../../mail/assert.ts'
import type { ReadableContent } from '../../ports/mail-auth.ts'
import type { Batch } from './batch.ts'
import type { FromThread, SentContent } from './messages.ts'

/** What a reading gives next: octets, or its end. */
type Piece = Uint8Array | 'end'

/** One going through of a content that comes in pieces. */
interface Reading {
  readonly job: number
  readonly pieces: Piece[]
  wake: (() => void) | undefined
}

/** The readings of a thread that are under way; the main thread answers them by their numbers. */
export class Readings {
  readonly #batch: Batch<FromThread>
  readonly #underWay = new Map<number, Reading>()
  /** Jobs that are given up and not over yet. */
  readonly #dropped = new Set<number>()
  #last = 0

  constructor(batch: Batch<FromThread>) {
    this.#batch = batch
  }

  content(job: number, { sizeBytes, whole }: SentContent): ReadableContent {
    if (whole === undefined) return { sizeBytes, pieces: () => this.#read(job) }
    return {
      sizeBytes,
      async *pieces() {
        yield whole
      },
    }
  }

  piece(reading: number, piece: Piece): void {
    const at = this.#underWay.get(reading)
    // Of one that was left meanwhile.
    if (at === undefined) return
    at.pieces.push(piece)
    at.wake?.()
    at.wake = undefined
  }

  /** The job's readings end where they are. */
  drop(job: number): void {
    this.#dropped.add(job)
    for (const [reading, at] of this.#underWay) if (at.job === job) this.piece(reading, 'end')
  }

  /** The job is over. */
  forget(job: number): void {
    this.#dropped.delete(job)
  }

  async *#read(job: number): AsyncGenerator<Uint8Array> {
    if (this.#dropped.has(job)) return
    const reading = ++this.#last
    const at: Reading = { job, pieces: [], wake: undefined }
    this.#underWay.set(reading, at)
    this.#batch.say({ kind: 'read', job, reading })
    let isWhole = false
    try {
      for (;;) {
        const piece = at.pieces.shift()
        if (piece === 'end') {
          isWhole = true
          return
        }
        if (piece !== undefined) {
          yield piece
          // Only now: whoever asks for the next piece has done with this one.
          this.#batch.say({ kind: 'taken', reading })
          continue
        }
        assert(at.wake === undefined, 'one reader goes through a content')
        await new Promise<void>((resolve) => {
          at.wake = resolve
        })
      }
    } finally {
      this.#underWay.delete(reading)
      if (!isWhole) this.#batch.say({ kind: 'left', reading })
    }
  }
}
