import type { StoreFailure } from '../../ports/store.ts'
import type { Operation, Refusal, StoreEvent } from './operations.ts'
import { type Call, pack, unpackReport } from './packing.ts'
import type { FromWriter, StartThread, StoreThread, ToWriter, WriterData } from './threads.ts'

/** What came of an operation. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: Refusal }

export interface WriterHooks {
  /** What changed, in the order of commits; called before the operations' own answers are given out. */
  onEvents(events: readonly StoreEvent[]): void
  /** The thread is gone: nothing can be written any more. */
  onFault(cause: string): void
  /** Nothing is written for now, and why; undefined: all is well again. */
  onMistrust(cause: string | undefined): void
  /** Something an operator should know. */
  onNote(text: string): void
}

type Resolve = (outcome: Outcome<unknown>) => void

/** The main thread's end of the writer: collects a turn's operations, sends them as one packet, gives answers out. */
export class WriterClient {
  readonly #worker: StoreThread
  readonly #hooks: WriterHooks
  readonly #waiting = new Map<number, Resolve>()
  #calls: Call[] = []
  #lastId = 0
  #flushing = false
  #failure: StoreFailure | undefined
  #mistrust: string | undefined
  readonly #exited: Promise<void>

  constructor(startThread: StartThread, data: WriterData, hooks: WriterHooks) {
    this.#hooks = hooks
    this.#worker = startThread('writer-thread', data)
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', (code) => {
        this.#gone(`the store thread ended with code ${code}`)
        resolve()
      })
    })
    this.#worker.on('error', (error) => this.#gone(`the store thread failed: ${error.message}`))
  }

  /** Resolves when the thread has the database open; rejects with what kept it from that. */
  ready(): Promise<{ readonly swept: number }> {
    return new Promise((resolve, reject) => {
      this.#worker.once('error', reject)
      this.#worker.on('message', (message: FromWriter) => {
        if (message.kind === 'ready') {
          this.#worker.off('error', reject)
          resolve({ swept: message.swept })
        } else if (message.kind === 'report') this.#report(message.text)
        else if (message.kind === 'mistrust') {
          this.#mistrust = message.cause ?? undefined
          this.#hooks.onMistrust(this.#mistrust)
        } else if (message.kind === 'note') this.#hooks.onNote(message.text)
      })
    })
  }

  /** Why nothing would be written now. */
  get failure(): StoreFailure | undefined {
    return this.#mistrust === undefined ? this.#failure : { kind: 'io', cause: this.#mistrust }
  }

  /** Runs one operation; resolves after its commit, never rejects. Its blobs must not be changed any more. */
  call<T>(operation: Operation, blobs: Call['blobs'] = []): Promise<Outcome<T>> {
    if (this.#failure !== undefined) return Promise.resolve({ ok: false, refusal: this.#failure })
    return new Promise((resolve) => {
      const id = this.#send(operation, blobs)
      this.#waiting.set(id, resolve as Resolve)
    })
  }

  /** Runs one operation that nobody waits for. */
  post(operation: Operation, blobs: Call['blobs'] = []): void {
    if (this.#failure === undefined) this.#send(operation, blobs)
  }

  /** For tests of a full disk. */
  limitPages(pages: number): void {
    this.#worker.postMessage({ kind: 'max-pages', pages } satisfies ToWriter)
  }

  /** Finishes what is waiting, then ends the thread. */
  async close(): Promise<void> {
    if (this.#failure === undefined) {
      this.#flush()
      this.#failure = { kind: 'closed', cause: 'the store is closed' }
      this.#worker.postMessage({ kind: 'close' } satisfies ToWriter)
    }
    await this.#exited
  }

  #send(operation: Operation, blobs: Call['blobs']): number {
    const id = ++this.#lastId
    this.#calls.push({ id, operation, blobs })
    if (!this.#flushing) {
      this.#flushing = true
      // After this turn's input: all connections that are ready now go out in one packet.
      setImmediate(() => this.#flush())
    }
    return id
  }

  #flush(): void {
    this.#flushing = false
    const calls = this.#calls
    if (calls.length === 0) return
    this.#calls = []
    const packet = pack(calls)
    this.#worker.postMessage({ kind: 'calls', packet } satisfies ToWriter, [packet.bytes])
  }

  #report(text: string): void {
    const { results, events } = unpackReport(text)
    if (events.length > 0) this.#hooks.onEvents(events)
    for (const [id, ok, value] of results) {
      const resolve = this.#waiting.get(id)
      if (resolve === undefined) continue
      this.#waiting.delete(id)
      resolve(ok === 1 ? { ok: true, value } : { ok: false, refusal: value as Refusal })
    }
  }

  /** Without the thread nothing is sure: whoever waits is told that nothing was stored, as far as is known ('io'). */
  #gone(cause: string): void {
    const closing = this.#failure?.kind === 'closed'
    if (this.#failure !== undefined && !closing) return
    this.#failure ??= { kind: 'io', cause }
    this.#calls = []
    for (const resolve of this.#waiting.values()) resolve({ ok: false, refusal: { kind: 'io', cause } })
    this.#waiting.clear()
    if (!closing) this.#hooks.onFault(cause)
  }
}
