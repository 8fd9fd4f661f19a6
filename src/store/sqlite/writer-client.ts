import type { StoreFailure } from '../../ports/store.ts'
import { IN_FLIGHT_BYTES, IN_FLIGHT_OPERATIONS, POSTED_OPERATIONS, WRITER_BACKLOG_BYTES } from '../limits.ts'
import type { Operation, Refusal, StoreEvent } from './operations.ts'
import { type Call, pack, unpackReport } from './packing.ts'
import type {
  BackupPhase,
  FromWriter,
  PassFailure,
  StartThread,
  StoreThread,
  ToWriter,
  WriterData,
} from './threads.ts'

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
  /** The log has grown: it is to be written back, and `checkpointed` called. */
  onCheckpoint(): void
  /** Something an operator should know. */
  onNote(text: string): void
}

type Resolve = (outcome: Outcome<unknown>) => void

/** A call that the thread has not answered yet. */
interface Open {
  readonly sizeBytes: number
  /** Undefined: nobody waits. */
  readonly resolve: Resolve | undefined
}

/** The main thread's end of the writer: collects a turn's operations, sends them as one packet, gives answers out. */
export class WriterClient {
  readonly #worker: StoreThread
  readonly #hooks: WriterHooks
  readonly #open = new Map<number, Open>()
  /** Not handed over yet. */
  #calls: Call[] = []
  /** Octets of all that is open, and the part of it that the thread has. */
  #openBytes = 0
  #sentBytes = 0
  #sent = 0
  #posted = 0
  #dropped = 0
  #patience: PromiseWithResolvers<void> | undefined
  #lastId = 0
  #flushing = false
  #failure: StoreFailure | undefined
  /** Who waits for the writer to heed a phase of a backup, in order. */
  readonly #phases: (() => void)[] = []
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
        } else if (message.kind === 'backup') this.#phases.shift()?.()
        else if (message.kind === 'checkpoint') this.#hooks.onCheckpoint()
        else if (message.kind === 'note') this.#hooks.onNote(message.text)
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
    return new Promise((resolve) => this.#send(operation, blobs, resolve as Resolve))
  }

  /** Runs one operation that nobody waits for. */
  post(operation: Operation): void {
    if (this.#failure === undefined) this.#send(operation, [], undefined)
  }

  /** The same for what may be left out, and is where the disk lags far behind. */
  postIfRoom(operation: Operation): void {
    if (this.#posted >= POSTED_OPERATIONS || this.#openBytes > WRITER_BACKLOG_BYTES) this.#dropped++
    else this.post(operation)
  }

  /** A promise where so much waits for the disk that nothing more should be taken in; it resolves when that is over. */
  patience(): Promise<void> | undefined {
    if (this.#openBytes <= WRITER_BACKLOG_BYTES) return undefined
    this.#patience ??= Promise.withResolvers<void>()
    return this.#patience.promise
  }

  /** How far a backup is; resolves when the writer heeds it, or is gone. */
  backup(phase: BackupPhase): Promise<void> {
    if (this.#failure !== undefined) return Promise.resolve()
    return new Promise((resolve) => {
      this.#phases.push(resolve)
      this.#worker.postMessage({ kind: 'backup', phase } satisfies ToWriter)
    })
  }

  /** What came of a checkpoint that the writer has asked for. */
  checkpointed(failure: PassFailure | null): void {
    this.#worker.postMessage({ kind: 'checkpointed', failure } satisfies ToWriter)
  }

  /** For tests of a full disk. */
  limitPages(pages: number): void {
    this.#worker.postMessage({ kind: 'max-pages', pages } satisfies ToWriter)
  }

  /** Finishes what is waiting, then ends the thread. */
  async close(): Promise<void> {
    if (this.#failure === undefined) {
      this.#failure = { kind: 'closed', cause: 'the store is closed' }
      // Nothing more will come: what waits goes as it is.
      this.#handOver(this.#calls.splice(0))
      this.#worker.postMessage({ kind: 'close' } satisfies ToWriter)
    }
    await this.#exited
  }

  #send(operation: Operation, blobs: Call['blobs'], resolve: Resolve | undefined): void {
    const id = ++this.#lastId
    let sizeBytes = textLength(operation)
    for (const chunks of blobs) for (const chunk of chunks) sizeBytes += chunk.length
    this.#open.set(id, { sizeBytes, resolve })
    this.#openBytes += sizeBytes
    if (resolve === undefined) this.#posted++
    this.#calls.push({ id, operation, blobs })
    this.#flushLater()
  }

  #flushLater(): void {
    if (this.#flushing || this.#calls.length === 0) return
    this.#flushing = true
    // After this turn's input: all connections that are ready now go out in one packet.
    setImmediate(() => this.#flush())
  }

  /** As much as may be on its way: a copy of everything that waits for a slow disk would double it. */
  #flush(): void {
    this.#flushing = false
    // Fewer than the writer has on its hands gain nothing by going there now, and cost an fsync of their own: with
    // many connections two halves take turns. The next report sends them.
    if (this.#calls.length < this.#sent) return
    let count = 0
    let [sent, bytes] = [this.#sent, this.#sentBytes]
    for (const { id } of this.#calls) {
      bytes += this.#open.get(id)?.sizeBytes ?? 0
      if (sent > 0 && (sent >= IN_FLIGHT_OPERATIONS || bytes > IN_FLIGHT_BYTES)) break
      sent++
      count++
    }
    this.#handOver(this.#calls.splice(0, count))
  }

  #handOver(calls: readonly Call[]): void {
    if (calls.length === 0) return
    this.#sent += calls.length
    for (const { id } of calls) this.#sentBytes += this.#open.get(id)?.sizeBytes ?? 0
    const packet = pack(calls)
    this.#worker.postMessage({ kind: 'calls', packet } satisfies ToWriter, [packet.bytes])
  }

  #report(text: string): void {
    const { results, events } = unpackReport(text)
    if (events.length > 0) this.#hooks.onEvents(events)
    for (const [id, ok, value] of results) {
      const open = this.#open.get(id)
      if (open === undefined) continue
      this.#settled(id, open)
      open.resolve?.(ok === 1 ? { ok: true, value } : { ok: false, refusal: value as Refusal })
    }
    this.#flushLater()
    this.#relieve()
  }

  #settled(id: number, { sizeBytes, resolve }: Open): void {
    this.#open.delete(id)
    this.#openBytes -= sizeBytes
    this.#sentBytes -= sizeBytes
    this.#sent--
    if (resolve === undefined) this.#posted--
  }

  #relieve(): void {
    if (this.#openBytes <= WRITER_BACKLOG_BYTES / 2) {
      this.#patience?.resolve()
      this.#patience = undefined
    }
    if (this.#dropped === 0 || this.#posted > POSTED_OPERATIONS / 2) return
    this.#hooks.onNote(`the disk lagged: traces of ${this.#dropped} refused messages were not kept`)
    this.#dropped = 0
  }

  /** Without the thread nothing is sure: whoever waits is told that nothing was stored, as far as is known ('io'). */
  #gone(cause: string): void {
    const closing = this.#failure?.kind === 'closed'
    if (this.#failure !== undefined && !closing) return
    this.#failure ??= { kind: 'io', cause }
    this.#calls = []
    for (const { resolve } of this.#open.values()) resolve?.({ ok: false, refusal: { kind: 'io', cause } })
    this.#open.clear()
    this.#openBytes = 0
    this.#patience?.resolve()
    for (const heeded of this.#phases.splice(0)) heeded()
    if (!closing) this.#hooks.onFault(cause)
  }
}

/** Of what strangers make long: a trace with its evidence. */
function textLength(operation: Operation): number {
  return operation.op === 'trace' || operation.op === 'accept' ? operation.trace.events.length : 0
}
