// Starts load processes: each measurement has its own, so that the one before leaves nothing behind.

import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { DoneOf, Job } from './load/jobs.ts'

const program = join(import.meta.dirname, 'load.ts')
/** Longer than any load takes with its own patience. */
const timeoutMs = 300_000

const standing = new Set<ChildProcess>()
process.once('exit', endLoads)

/** Ends every load that runs: whoever waits for one gets an error. */
export function endLoads(): void {
  for (const child of standing) child.kill('SIGKILL')
}

interface Message {
  /** Connections of an idle load that stands. */
  readonly open?: number
  readonly done?: unknown
  readonly failed?: string
}

/**
 * Runs one job in a process of its own. `whenOpen`: what to do once an idle load stands, before it goes on.
 * Rejects when the load could not be brought, with its reason.
 */
export async function runLoad<J extends Job>(
  job: J,
  whenOpen: (connections: number) => Promise<void> = () => Promise.resolve(),
): Promise<DoneOf<J>> {
  const { promise, resolve, reject } = Promise.withResolvers<DoneOf<J>>()
  // What `npm run bench` was given for itself, a profile say, is not meant for this.
  const child = fork(program, [], { execArgv: [], serialization: 'advanced' })
  standing.add(child)
  const timer = setTimeout(
    () => reject(new Error(`the load was not done in ${timeoutMs / 1000} s`)),
    timeoutMs,
  )
  child.on('message', (message: Message) => {
    if (message.open !== undefined) whenOpen(message.open).then(() => child.send({ goOn: true }), reject)
    else if (message.failed !== undefined) reject(new Error(message.failed))
    else resolve(message.done as DoneOf<J>)
  })
  child.once('error', reject)
  child.once('exit', (code, signal) => reject(new Error(`the load process ended (${code ?? signal})`)))
  child.send({ job })
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    standing.delete(child)
    child.removeAllListeners('exit')
    child.kill('SIGKILL')
  }
}
