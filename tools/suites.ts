// Runs test files by Node's own runner.
import { spawn } from 'node:child_process'
import os from 'node:os'
import path from 'node:path'
import { filesUnder } from './finding.ts'

export interface Suite {
  readonly root: string
  /** Relative to the root. */
  readonly files: readonly string[]
  /** Files that run side by side. */
  readonly concurrency: number
  /** For one test. */
  readonly timeoutMs: number
}

/** Every quick test: what needs no other program and no network. */
export function quickFiles(root: string): string[] {
  const files = ['src', 'tools', 'test', 'bench'].flatMap((folder) => filesUnder(root, folder, '.test.ts'))
  return files.filter((file) => !file.endsWith('.slow.test.ts'))
}

/** As many files at once as there are processors; most tests wait more than they compute. */
export function quickSuite(root: string, files: readonly string[]): Suite {
  return { root, files, concurrency: os.availableParallelism(), timeoutMs: 120_000 }
}

/** Gives the exit status of the run. */
export function runSuite({ root, files, concurrency, timeoutMs }: Suite): Promise<number> {
  const reporter = path.join(import.meta.dirname, 'reporter.ts')
  const seed = process.env.CI === undefined ? [] : [`--import=${path.join(import.meta.dirname, 'seed.ts')}`]
  return runProgram(root, process.execPath, [
    ...seed,
    '--test',
    `--test-reporter=${reporter}`,
    `--test-concurrency=${concurrency}`,
    `--test-timeout=${timeoutMs}`,
    ...files,
  ])
}

/** Runs a program with our own input and output; the status is its own, or 1 when a signal ended it. */
export function runProgram(root: string, program: string, args: readonly string[]): Promise<number> {
  // Hundreds of files each load much of the same code: what was stripped and compiled once is kept.
  const cache = path.join(root, '.cache', 'compile')
  const env: NodeJS.ProcessEnv = { NODE_COMPILE_CACHE: cache, ...process.env, NODE: process.execPath }
  // Set inside a test run; a runner that sees it believes to be one file of the outer run.
  delete env.NODE_TEST_CONTEXT
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, env, stdio: 'inherit' })
    child.on('error', reject)
    child.on('exit', (code) => resolve(code ?? 1))
  })
}
