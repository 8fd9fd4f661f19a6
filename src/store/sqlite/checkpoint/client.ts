import { CHECKPOINT_THREAD_MS } from '../../limits.ts'
import { describeError } from '../sql.ts'
import type {
  FromCheckpoints,
  PassFailure,
  ReaderData,
  StartThread,
  StoreThread,
  ToCheckpoints,
} from '../threads.ts'

/**
 * The main thread's end of the checkpoints. Their thread lives only while mail keeps it busy: it costs 10 MiB. Where it
 * dies nothing is lost, and the writer does what it left undone.
 */
export class Checkpoints {
  readonly #start: StartThread
  readonly #data: ReaderData
  readonly #onPassed: (failure: PassFailure | null) => void
  #thread: StoreThread | undefined
  /** Of the last thread. */
  #ended: Promise<void> = Promise.resolve()
  #idle: NodeJS.Timeout | undefined
  #isPassing = false
  #isClosed = false

  /** @param onPassed what came of `pass`, once for each. */
  constructor(start: StartThread, data: ReaderData, onPassed: (failure: PassFailure | null) => void) {
    this.#start = start
    this.#data = data
    this.#onPassed = onPassed
  }

  /** Writes back what the log has now. One at a time. */
  pass(): void {
    if (this.#isClosed) return
    clearTimeout(this.#idle)
    try {
      this.#thread ??= this.#begin()
    } catch (error) {
      // The system may have no thread left for a while: that must not end the server.
      this.#passed({
        cause: `the thread of the checkpoints could not be started: ${describeError(error)}`,
        isUnsure: false,
      })
      return
    }
    this.#isPassing = true
    this.#thread.postMessage({ kind: 'pass' } satisfies ToCheckpoints)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#dismiss()
    await this.#ended
  }

  #begin(): StoreThread {
    const thread = this.#start('checkpoint-thread', this.#data)
    let cause = 'the thread of the checkpoints has ended'
    thread.on('message', (message: FromCheckpoints) => this.#passed(message.failure))
    thread.on('error', (error) => {
      cause = `the thread of the checkpoints failed: ${error.message}`
    })
    this.#ended = new Promise((resolve) => {
      thread.once('exit', () => {
        resolve()
        // One that was dismissed may end when the next is at work already.
        if (this.#thread !== thread) return
        this.#thread = undefined
        if (this.#isPassing) this.#passed({ cause, isUnsure: false })
      })
    })
    return thread
  }

  #passed(failure: PassFailure | null): void {
    this.#isPassing = false
    if (!this.#isClosed) {
      this.#idle = setTimeout(() => this.#dismiss(), CHECKPOINT_THREAD_MS)
      this.#idle.unref()
    }
    this.#onPassed(failure)
  }

  /** What it was asked before it does first. */
  #dismiss(): void {
    clearTimeout(this.#idle)
    this.#thread?.postMessage({ kind: 'close' } satisfies ToCheckpoints)
    this.#thread = undefined
  }
}
