import type { Answers, Question } from './questions.ts'
import type { FromReader, ReaderData, StartThread, StoreThread, ToReader } from './threads.ts'

/** The reader could not answer: a fault of the disk or of our own, never of a peer. */
export class ReadFault extends Error {
  override readonly name = 'ReadFault'
}

interface Waiting {
  resolve(value: unknown): void
  reject(error: ReadFault): void
}

/** The main thread's end of the reader. */
export class ReaderClient {
  readonly #worker: StoreThread
  readonly #waiting = new Map<number, Waiting>()
  readonly #onFault: (cause: string) => void
  readonly #exited: Promise<void>
  #lastId = 0
  #gone: string | undefined

  constructor(startThread: StartThread, data: ReaderData, onFault: (cause: string) => void) {
    this.#onFault = onFault
    this.#worker = startThread('reader-thread', data)
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', (code) => {
        this.#end(`the reader thread ended with code ${code}`)
        resolve()
      })
    })
    this.#worker.on('error', (error) => this.#end(`the reader thread failed: ${error.message}`))
  }

  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#worker.once('error', reject)
      this.#worker.on('message', (message: FromReader) => {
        if (message.kind === 'ready') {
          this.#worker.off('error', reject)
          resolve()
        } else if (message.kind !== 'closed') this.#answered(message)
      })
    })
  }

  /** Rejects with `ReadFault` alone. */
  ask<Q extends Question>(question: Q): Promise<Answers[Q['ask']]> {
    if (this.#gone !== undefined) return Promise.reject(new ReadFault(this.#gone))
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId
      this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject })
      this.#worker.postMessage({ kind: 'question', id, question } satisfies ToReader)
    })
  }

  /** Answers what was asked, then ends the thread. */
  async close(): Promise<void> {
    if (this.#gone === undefined) {
      this.#gone = 'the store is closed'
      this.#worker.postMessage({ kind: 'close' } satisfies ToReader)
    }
    await this.#exited
  }

  #answered(message: Extract<FromReader, { kind: 'answer' | 'failed' }>): void {
    const waiting = this.#waiting.get(message.id)
    if (waiting === undefined) return
    this.#waiting.delete(message.id)
    if (message.kind === 'answer') waiting.resolve(message.value)
    else waiting.reject(new ReadFault(message.cause))
  }

  #end(cause: string): void {
    const closing = this.#gone !== undefined
    this.#gone ??= cause
    for (const waiting of this.#waiting.values()) waiting.reject(new ReadFault(cause))
    this.#waiting.clear()
    if (!closing) this.#onFault(cause)
  }
}
