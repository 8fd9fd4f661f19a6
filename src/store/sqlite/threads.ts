import { Worker } from 'node:worker_threads'
import type { Packet } from './packing.ts'
import type { Question } from './questions.ts'

export interface WriterData {
  readonly database: string
  readonly bodies: string
  /** For tests of a full disk. */
  readonly maxPages?: number | undefined
}

export type ToWriter =
  | { readonly kind: 'calls'; readonly packet: Packet }
  | { readonly kind: 'max-pages'; readonly pages: number }
  | { readonly kind: 'close' }

export type FromWriter =
  | { readonly kind: 'ready'; readonly swept: number }
  /** A GroupReport, packed. */
  | { readonly kind: 'report'; readonly text: string }
  /** Something an operator should know; nothing is lost. */
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'closed' }

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

/** Runs `name` from beside this file: as TypeScript in a checkout, as JavaScript when built. */
export function startThread(name: 'writer-thread' | 'reader-thread', data: WriterData | ReaderData): Worker {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
  const file = new URL(`./${name}${extension}`, import.meta.url)
  // Without our own flags: some (--input-type, --test) have no meaning for a thread and keep it from starting.
  return new Worker(file, { workerData: data, name, execArgv: [] })
}
