// Starts the thread of one target and watches it.
import { Worker } from 'node:worker_threads'
import { maxInputBytes } from './fuzz-input.ts'
import type { Done, Work } from './fuzz-worker.ts'

interface Options {
  readonly file: string
  readonly seed: number
  readonly budgetMs: number
  /** An execution that takes longer than this is a hang. */
  readonly hangMs: number
}

/** Gives what the thread found; a hang is a failure with the input that did not come back. */
export async function fuzzFile({ file, seed, budgetMs, hangMs }: Options): Promise<Done> {
  const progress = new Int32Array(new SharedArrayBuffer(8))
  const input = new Uint8Array(new SharedArrayBuffer(2 * maxInputBytes))
  const workerData: Work = { file, seed, budgetMs, progress, input }
  const worker = new Worker(new URL('./fuzz-worker.ts', import.meta.url), { workerData })
  let watch: NodeJS.Timeout | undefined
  try {
    return await new Promise<Done>((resolve, reject) => {
      let seen = -1
      watch = setInterval(() => {
        const executions = Atomics.load(progress, 0)
        if (executions === seen) {
          const failure = {
            input: Uint8Array.from(input.subarray(0, progress[1])),
            why: `no end within ${hangMs} ms`,
          }
          resolve({ executions, failure })
        }
        seen = executions
      }, hangMs)
      worker.on('message', resolve)
      worker.on('error', reject)
    })
  } finally {
    clearInterval(watch)
    await worker.terminate()
  }
}
