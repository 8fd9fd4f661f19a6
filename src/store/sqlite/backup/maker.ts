import type { BackupRequest, BackupResult, Backups } from '../../../ports/backups.ts'
import type { Progress } from '../../../ports/progress.ts'
import { startWorker } from '../threads.ts'
import type { WriterClient } from '../writer-client.ts'
import type { BackupData, FromBackup } from './task.ts'

type Ending = Extract<FromBackup, { kind: 'made' | 'failed' }>

/**
 * Makes backups beside everything else: a thread copies, the writer meanwhile deletes no body file (a copied state may
 * still name it) and puts off what would only make its log longer.
 */
export class BackupMaker implements Backups {
  readonly #writer: WriterClient
  readonly #paths: { readonly database: string; readonly bodies: string }
  #running: { readonly stop: Uint8Array; readonly ended: Promise<unknown> } | undefined
  #isClosed = false

  constructor(parts: {
    readonly writer: WriterClient
    readonly paths: { readonly database: string; readonly bodies: string }
  }) {
    this.#writer = parts.writer
    this.#paths = parts.paths
  }

  async make(request: BackupRequest, progress: Progress): Promise<BackupResult> {
    if (this.#isClosed) return { ok: false, sentence: 'The store is closed.' }
    if (this.#running !== undefined)
      return { ok: false, sentence: 'A backup is being made already; wait for it, or stop it first.' }
    const stop = new Uint8Array(new SharedArrayBuffer(1))
    const work = this.#make(request, progress, stop)
    this.#running = { stop, ended: work }
    try {
      return await work
    } finally {
      this.#running = undefined
    }
  }

  /** Ends the backup that is being made, if there is one; nothing of it is left. The disk, or whoever stops us, goes first. */
  async stop(): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    Atomics.store(running.stop, 0, 1)
    await running.ended
  }

  /** Takes no more. */
  close(): Promise<void> {
    this.#isClosed = true
    return this.stop()
  }

  async #make(request: BackupRequest, progress: Progress, stop: Uint8Array): Promise<BackupResult> {
    const abort = () => Atomics.store(stop, 0, 1)
    if (progress.signal.aborted) abort()
    progress.signal.addEventListener('abort', abort)
    try {
      await this.#writer.backup('begins')
      const ending = await this.#run(request, progress, stop)
      if (ending.kind === 'failed') return { ok: false, sentence: ending.sentence }
      return { ok: true, made: ending.made }
    } finally {
      progress.signal.removeEventListener('abort', abort)
      await this.#writer.backup('ended')
    }
  }

  #run(request: BackupRequest, progress: Progress, stop: Uint8Array): Promise<Ending> {
    const data: BackupData = { ...request, ...this.#paths, stop: stop.buffer as SharedArrayBuffer }
    const thread = startWorker('backup-thread', data)
    return new Promise((resolve) => {
      let ending: Ending | undefined
      const gone = (cause: string): Ending => ({ kind: 'failed', sentence: `The backup failed: ${cause}.` })
      thread.on('message', (message: FromBackup) => {
        if (message.kind === 'line') void progress.line(message.text)
        else if (message.kind === 'copied') void this.#writer.backup('copied')
        else ending = message
      })
      thread.on('error', (error: Error) => {
        ending ??= gone(error.message)
      })
      thread.once('exit', (code: number) => resolve(ending ?? gone(`its thread ended with ${code}`)))
    })
  }
}
