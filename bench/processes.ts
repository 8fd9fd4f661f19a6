// What processes cost, read from /proc: no help of theirs is needed, so every mail server is measured alike.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Clock ticks a second in /proc/PID/stat; Linux gives user programs 100 everywhere. */
const ticksPerSecond = 100

export interface Cost {
  /** CPU of these processes and of the children that they have reaped, seconds. */
  readonly cpuSeconds: number
  readonly count: number
}

/** Every process in the process namespace of `pid`, itself too. */
export function processesInNamespaceOf(pid: number): number[] {
  const namespace = readlinkSync(`/proc/${pid}/ns/pid`)
  return everyProcess().filter((each) => orGone(() => readlinkSync(`/proc/${each}/ns/pid`)) === namespace)
}

/** `pid` and all that descend from it. */
export function processTree(pid: number): number[] {
  const parents = new Map<number, number>()
  for (const each of everyProcess()) {
    const stat = statOf(each)
    if (stat !== undefined) parents.set(each, stat.parent)
  }
  const tree = [pid]
  for (const each of tree) {
    for (const [child, parent] of parents) if (parent === each) tree.push(child)
  }
  return tree
}

/** What they have used up to now. Processes that end and are reaped by one of them stay counted. */
export function costOf(pids: readonly number[]): Cost {
  const stats = pids.map(statOf).filter((stat) => stat !== undefined)
  const cpuSeconds = stats.reduce((sum, { ticks }) => sum + ticks, 0) / ticksPerSecond
  return { cpuSeconds, count: stats.length }
}

/** Proportional set size of all of them, octets: memory that is shared counts once in all. */
export function memoryOf(pids: readonly number[]): number {
  let sum = 0
  for (const pid of pids) {
    const text = orGone(() => readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))
    sum += Number(/^Pss:\s+(\d+) kB$/m.exec(text ?? '')?.[1] ?? 0) * 1024
  }
  return sum
}

export interface Stat {
  readonly parent: number
  readonly ticks: number
}

/** Reads a line of /proc/PID/stat, proc(5): the program's name may hold blanks and brackets, so fields count from its end. */
export function readStat(line: string): Stat {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  // ppid is the second of these; utime, stime, cutime and cstime are the 12th to 15th.
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
  return { parent: Number(fields[1]), ticks }
}

function statOf(pid: number): Stat | undefined {
  const line = orGone(() => readFileSync(`/proc/${pid}/stat`, 'latin1'))
  return line === undefined ? undefined : readStat(line)
}

function everyProcess(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

/** Processes end while they are looked at. */
function orGone<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}
