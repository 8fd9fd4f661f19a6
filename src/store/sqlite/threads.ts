import { type MessagePort, receiveMessageOnPort, type Transferable, Worker } from 'node:worker_threads'
import type { Packet } from './packing.ts'
import type { Question } from './questions.ts'

export interface WriterData {
  readonly database: string
  readonly bodies: string
  /** For tests of a full disk. */
  readonly maxPages?: number | undefined
}

/** Why the log could not be written back. */
export interface PassFailure {
  readonly cause: string
  /** As `leavesDiskUnsure` has it. */
  readonly isUnsure: boolean
}

export type ToCheckpoints = { readonly kind: 'pass' } | { readonly kind: 'close' }
export interface FromCheckpoints {
  readonly kind: 'passed'
  readonly failure: PassFailure | null
}

export type ToWriter =
  | { readonly kind: 'calls'; readonly packet: Packet }
  | { readonly kind: 'max-pages'; readonly pages: number }
  /** A backup is being made, see writer/chores.ts. */
  | { readonly kind: 'backup'; readonly phase: BackupPhase }
  /** What came of `checkpoint`. */
  | { readonly kind: 'checkpointed'; readonly failure: PassFailure | null }
  | { readonly kind: 'close' }

/** `copied`: the database, but not yet the body files. */
export type BackupPhase = 'begins' | 'copied' | 'ended'

export type FromWriter =
  | { readonly kind: 'ready'; readonly swept: number }
  /** A GroupReport, packed. */
  | { readonly kind: 'report'; readonly text: string }
  /** Whether the disk is believed: null, or why nothing is written for now. */
  | { readonly kind: 'mistrust'; readonly cause: string | null }
  /** The writer heeds the phase of a backup from now on. */
  | { readonly kind: 'backup'; readonly phase: BackupPhase }
  /** The log has grown: another thread is to write it back. */
  | { readonly kind: 'checkpoint' }
  /** Something an operator should know; nothing is lost. */
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'closed' }

/** Of the reader and of the checkpoints. */
export interface ReaderData {
  readonly database: string
  readonly bodies: string
}

export type ToReader =
  | { readonly kind: 'question'; readonly id: number; readonly question: Question }
  | { readonly kind: 'close' }

export type FromReader =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly cause: string }
  | { readonly kind: 'closed' }

/** The main thread's end of a thread. */
export type StoreThread = Pick<Worker, 'on' | 'once' | 'off' | 'postMessage'>

/** How the store's threads are started; a simulated world runs the same code in the main thread. */
export type StartThread = (name: ThreadName, data: WriterData | ReaderData) => StoreThread

export type ThreadName = 'writer-thread' | 'reader-thread' | 'checkpoint-thread'

/** A thread's own end. */
export interface ThreadPort<In, Out> {
  onMessage(listener: (message: In) => void): void
  /** The next message that is there already. */
  receive(): In | undefined
  post(message: Out, buffers?: readonly ArrayBuffer[]): void
  close(): void
}

/** The port of a real thread. */
export function threadPort<In, Out>(port: MessagePort): ThreadPort<In, Out> {
  return {
    onMessage: (listener) => void port.on('message', listener),
    receive: () => receiveMessageOnPort(port)?.message as In | undefined,
    post: (message, buffers = []) => port.postMessage(message, buffers as readonly Transferable[]),
    close: () => port.close(),
  }
}

/** Runs `name` from beside this file: as TypeScript in a checkout, as JavaScript when built. */
export const startThread: StartThread = (name, data) => startWorker(name, data)

/** A real thread, whatever the others are run by. */
export function startWorker(name: ThreadName | 'backup-thread', data: unknown): StoreThread {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
  const file = new URL(`./${name}${extension}`, import.meta.url)
  // Without our own flags: some (--input-type, --test) have no meaning for a thread and keep it from starting.
  return new Worker(file, { workerData: data, name, execArgv: [] })
}
