// Foreign programs, run with a time limit each, so that a suite ends whatever a program does.

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'

export interface RunOptions {
  /** Written to standard input, which is then closed; none: standard input is empty. */
  readonly input?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly timeoutMs?: number
}

export interface Ran {
  readonly command: string
  /** undefined: ended by a signal. */
  readonly code: number | undefined
  readonly stdout: Buffer
  readonly stderr: string
}

/** A program that the suite has long given up on is worse than a failure; real ones here end within seconds. */
const defaultTimeoutMs = 60_000

const standing = new Set<ChildProcess>()
// Children die with us also when a test throws where nobody cleans up.
process.once('exit', () => {
  for (const child of standing) child.kill('SIGKILL')
})

/** Starts a program that is killed at the latest when this process exits. */
export function start(program: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  const child = spawn(program, args, options)
  standing.add(child)
  child.once('close', () => standing.delete(child))
  child.once('error', () => standing.delete(child))
  return child
}

/** Runs a program to its end. Rejects when it cannot be started or outlives `timeoutMs`; any exit code resolves. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs
  const command = [program, ...args].join(' ')
  const { promise, resolve, reject } = Promise.withResolvers<Ran>()
  const child = start(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own: programs with children (swaks --pipe, mutt's editor) are ended whole.
    detached: true,
  })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  const told = () => ({ stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() })
  child.stdout?.on('data', (piece: Buffer) => stdout.push(piece))
  child.stderr?.on('data', (piece: Buffer) => stderr.push(piece))
  // A program may end without reading its input: that is its exit code's affair.
  child.stdin?.on('error', () => {})
  child.stdin?.end(options.input)
  const timer = setTimeout(() => {
    killGroup(child)
    const { stdout: out, stderr: err } = told()
    reject(new Error(`not ended after ${timeoutMs} ms: ${command}\n${out.toString()}\n${err}`))
  }, timeoutMs)
  child.once('error', (cause) => {
    clearTimeout(timer)
    reject(new Error(`cannot start: ${command}`, { cause }))
  })
  child.once('close', (code) => {
    clearTimeout(timer)
    resolve({ command, code: code ?? undefined, ...told() })
  })
  return promise
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    child.kill('SIGKILL')
  }
}

/** As `run`, but rejects, with everything that the program said, unless it ends with 0. */
export async function runWell(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ran> {
  const ran = await run(program, args, options)
  if (ran.code !== 0) throw new Error(`exit ${ran.code}: ${describe(ran)}`)
  return ran
}

export function describe(ran: Ran): string {
  return `${ran.command}\n--- stdout\n${ran.stdout.toString()}\n--- stderr\n${ran.stderr}`
}
