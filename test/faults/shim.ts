// The library between a program and the disk (shim.c), built once a run, and the environment that it reads.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runWell } from '../harness/run.ts'

export type FaultCall =
  | 'open'
  | 'create'
  | 'write'
  | 'truncate'
  | 'sync'
  | 'rename'
  | 'link'
  | 'unlink'
  | 'mkdir'
  | 'rmdir'

export interface Fault {
  /** What is done to the calls that match; the words are told at the head of shim.c. */
  readonly does: 'fail' | 'skip' | 'kill' | 'half'
  readonly calls?: readonly FaultCall[]
  /** A pattern for the path below the folder. */
  readonly path?: string
  /** Only while this file exists. */
  readonly flag?: string
  /** Only the Nth call that matches, from 1. */
  readonly at?: number
  readonly errno?: 'EIO' | 'ENOSPC' | 'EROFS' | 'EMFILE'
  /** A file that keeps the number of calls that matched: 8 octets, little endian. */
  readonly count?: string
}

export interface Shim {
  readonly library: string
  remove(): void
}

/** Compiles it into a folder of its own. Needs gcc and libc6-dev. */
export async function buildShim(): Promise<Shim> {
  const folder = mkdtempSync(join(tmpdir(), 'hikyaku-shim-'))
  const library = join(folder, 'shim.so')
  const source = join(import.meta.dirname, 'shim.c')
  const flags = ['-shared', '-fPIC', '-O2', '-Wall', '-Wextra', '-Werror']
  await runWell('cc', [...flags, '-o', library, source, '-ldl', '-lpthread'])
  return { library, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/**
 * @param folder the data folder, absolute, spelt as the program spells it.
 * @param what `log`: a file outside the folder that every change is appended to.
 */
export function shimEnv(
  { library }: Pick<Shim, 'library'>,
  folder: string,
  what: { readonly log?: string; readonly fault?: Fault },
): Readonly<Record<string, string>> {
  const { log, fault } = what
  const named = {
    LOG: log,
    DO: fault?.does,
    CALLS: fault?.calls?.join(','),
    PATH: fault?.path,
    FLAG: fault?.flag,
    AT: fault?.at,
    ERRNO: fault?.errno,
    COUNT: fault?.count,
  }
  const env: Record<string, string> = { LD_PRELOAD: library, UV_USE_IO_URING: '0', HIKYAKU_FAULT_DIR: folder }
  for (const [name, value] of Object.entries(named))
    if (value !== undefined) env[`HIKYAKU_FAULT_${name}`] = String(value)
  return env
}
