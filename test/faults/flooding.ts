// A flood of clients as a child process, and what it asks of the server under test.

import type { ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { projectRoot } from '../harness/programs.ts'
import { start } from '../harness/run.ts'
import { until } from '../harness/until.ts'
import type { FloodOrder, FloodTally } from './flood.ts'

export class Flooding {
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>
  #last: FloodTally | undefined

  /** It ends with its test at the latest. */
  constructor(t: TestContext, order: Partial<FloodOrder> & Pick<FloodOrder, 'port' | 'count'>) {
    const all: FloodOrder = {
      host: '11.22.33.26',
      addresses: 1,
      say: [],
      fillBytes: 0,
      stopsReading: false,
      ...order,
    }
    const script = join(projectRoot, 'test/faults/flood.ts')
    this.#child = start(process.execPath, [script, JSON.stringify(all)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#closed = new Promise((resolve) => this.#child.once('close', resolve))
    t.after(() => this.end())
    let text = ''
    this.#child.stdout?.on('data', (piece: Buffer) => {
      text += piece.toString()
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) this.#last = JSON.parse(line) as FloodTally
    })
  }

  /** Asks until the tally is as wanted, and gives it. */
  tally(what: string, wanted: (tally: FloodTally) => boolean): Promise<FloodTally> {
    return until(
      `${what}; the last tally is ${JSON.stringify(this.#last)}`,
      () => {
        this.#child.stdin?.write('\n')
        return this.#last !== undefined && wanted(this.#last) ? this.#last : undefined
      },
      60_000,
    ).catch((error: unknown) => {
      throw new Error(`in vain: ${what}; the last tally: ${JSON.stringify(this.#last)}`, { cause: error })
    })
  }

  /** All its connections end at once. */
  async end(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#closed
  }
}

/** Octets of the process's memory that are in use. */
export function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
  return Number(kib) * 1024
}

export function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

/** CPU time that the process has used, in clock ticks of 10 ms. */
export function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? []
  return Number(fields[11]) + Number(fields[12])
}
