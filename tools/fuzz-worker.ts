// Runs one target in a thread of its own, so that a target that never comes back can be ended and its input told.
import { pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import { type Run, runTarget, targetOf } from './fuzzing.ts'

export interface Work {
  readonly file: string
  readonly seed: number
  readonly budgetMs: number
  /** The number of executions so far, and the length of the input that runs. */
  readonly progress: Int32Array<SharedArrayBuffer>
  readonly input: Uint8Array<SharedArrayBuffer>
}

export type Done = Run | { readonly broken: string }

const { file, seed, budgetMs, progress, input }: Work = workerData
const module: Record<string, unknown> = await import(pathToFileURL(file).href)
const target = targetOf(module)
const done: Done =
  typeof target === 'string'
    ? { broken: target }
    : runTarget(target, {
        seed,
        budgetMs,
        before: (bytes) => {
          input.set(bytes.subarray(0, input.length))
          progress[1] = Math.min(bytes.length, input.length)
          Atomics.add(progress, 0, 1)
        },
      })
parentPort?.postMessage(done)
