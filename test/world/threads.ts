import { EventEmitter } from 'node:events'
import type { StartThread, StoreThread, ThreadName, ThreadPort } from '../../src/store/sqlite/threads.ts'
import { runStoreThread } from '../harness/store-threads.ts'
import type { Chance } from './chance.ts'
import type { Machine } from './machine.ts'
import type { Scheduler } from './scheduler.ts'
import { isDeath } from './system.ts'

interface Parts {
  readonly scheduler: Scheduler
  readonly chance: Chance
  readonly machine: Machine
  /** What went to a thread and came back, for the transcript. */
  note(text: string): void
  /** A bug on purpose in the writer's report. */
  spoil(text: string): string
}

interface Message {
  readonly readyMs: number
  readonly value: unknown
}

/**
 * The store's threads, run where everything else runs. A thread takes what is there when it wakes, as the real one
 * does; how long a message is on its way and how long a commit takes is drawn, so groups differ from seed to seed.
 */
export function worldThreads(parts: Parts): StartThread {
  return (name, data) => {
    const thread = new WorldThread(name, parts)
    thread.start(() => runStoreThread(name, thread.port, data))
    return thread as unknown as StoreThread
  }
}

class WorldThread extends EventEmitter {
  readonly port: ThreadPort<unknown, unknown>
  readonly #name: ThreadName
  readonly #parts: Parts
  #inbox: Message[] = []
  #listener: ((message: unknown) => void) | undefined
  #arrivesMs = 0
  #leavesMs = 0
  #busyUntilMs = 0
  #isClosed = false

  constructor(name: ThreadName, parts: Parts) {
    super()
    this.#name = name
    this.#parts = parts
    this.port = {
      onMessage: (listener) => {
        this.#listener = listener
      },
      receive: () => this.#receive(),
      post: (message, buffers = []) => this.#post(message, buffers),
      close: () => this.#end(0),
    }
  }

  start(run: () => void): void {
    const { scheduler, chance } = this.#parts
    scheduler.after(chance.between(0.5, 20), () => {
      this.#guarded(run)
      this.#wake()
    })
  }

  /** From the main thread. Values are copied and buffers change hands, as between real threads. */
  postMessage(value: unknown, transfer: readonly ArrayBuffer[] = []): void {
    const { scheduler, chance } = this.#parts
    this.#arrivesMs = Math.max(this.#arrivesMs, scheduler.nowMs + chance.between(0.01, 0.3))
    this.#inbox.push({ readyMs: this.#arrivesMs, value: this.#handOver(value, transfer) })
    scheduler.after(this.#arrivesMs - scheduler.nowMs, () => this.#wake())
  }

  #receive(): unknown {
    const first = this.#inbox[0]
    if (first === undefined || first.readyMs > this.#parts.scheduler.nowMs) return undefined
    this.#inbox.shift()
    return first.value
  }

  #wake(): void {
    const { scheduler, chance } = this.#parts
    // What comes before the thread listens waits for it.
    if (this.#isClosed || this.#listener === undefined) return
    if (scheduler.nowMs < this.#busyUntilMs) {
      scheduler.after(this.#busyUntilMs - scheduler.nowMs, () => this.#wake())
      return
    }
    const message = this.#receive()
    if (message === undefined) return
    const workMs = this.#name === 'writer-thread' ? chance.between(0.1, 4) : chance.between(0.02, 1)
    this.#busyUntilMs = scheduler.nowMs + workMs
    this.#guarded(() => this.#listener?.(message))
    if (this.#inbox.length > 0) scheduler.after(workMs, () => this.#wake())
  }

  #post(message: unknown, buffers: readonly ArrayBuffer[]): void {
    const { scheduler, chance, machine } = this.#parts
    if (!machine.life.alive) return
    const earliestMs = Math.max(scheduler.nowMs, this.#busyUntilMs)
    this.#leavesMs = Math.max(this.#leavesMs, earliestMs + chance.between(0.01, 0.3))
    const copy = this.#handOver(message, buffers) as { text?: string; kind: string }
    if (copy.kind === 'report') copy.text = this.#parts.spoil(copy.text ?? '')
    scheduler.after(this.#leavesMs - scheduler.nowMs, () => this.emit('message', copy))
  }

  /** The writer's packets are a text and a buffer that its sender gave away: nothing of them could be shared. */
  #handOver(value: unknown, buffers: readonly ArrayBuffer[]): unknown {
    return this.#name === 'writer-thread' ? value : structuredClone(value, { transfer: [...buffers] })
  }

  #guarded(run: () => void): void {
    const { machine } = this.#parts
    const before = machine.role
    machine.role = this.#name
    try {
      run()
    } catch (error) {
      if (!isDeath(error)) {
        this.#parts.note(
          `${machine.life.name} ${this.#name} fails: ${error instanceof Error ? error.stack : String(error)}`,
        )
        this.emit('error', error)
        this.#end(1)
      }
    } finally {
      machine.role = before
    }
  }

  #end(code: number): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#parts.scheduler.after(0.1, () => this.emit('exit', code))
  }
}
