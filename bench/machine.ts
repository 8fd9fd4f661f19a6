import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem } from 'node:os'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly kernel: string
  readonly system: string
  /** File system and device of the measured folder. */
  readonly disk: string
  readonly node: string
}

/** @param folder on the disk that is measured. */
export function describeMachine(folder: string): Machine {
  const { fstype, source, options } = mountOf(folder)
  return {
    cpu: (cpus()[0]?.model ?? 'unknown').trim(),
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    system: /^PRETTY_NAME="(.*)"$/m.exec(readOr('/etc/os-release'))?.[1] ?? 'unknown',
    disk: `${fstype} on ${source} (${options})`,
    node: process.version,
  }
}

/** Whether what is written there lives in memory: then an fsync means nothing. */
export function isInMemory(folder: string): boolean {
  return ['tmpfs', 'ramfs'].includes(mountOf(folder).fstype)
}

interface Mount {
  readonly fstype: string
  readonly source: string
  readonly options: string
}

function mountOf(folder: string): Mount {
  const [fstype = 'unknown', source = '', options = ''] = execFileSync(
    'findmnt',
    ['--noheadings', '--raw', '--output', 'FSTYPE,SOURCE,OPTIONS', '--target', folder],
    { encoding: 'utf8' },
  )
    .trim()
    .split(' ')
  return { fstype, source, options }
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // Not every system has it; the kernel is told anyway.
    return ''
  }
}
