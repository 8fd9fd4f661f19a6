import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'

/* The program as a person runs it: on a terminal of its own, or as another user. */

const MAIN = join(import.meta.dirname, '..', 'main.ts')

/** Why there is no terminal to be had; false where there is. */
export const noTerminal: string | false =
  spawnSync('python3', ['-c', 'import pty']).status === 0
    ? false
    : 'python3 is not here, whose pty module is used'

export const noRoot: string | false = process.getuid?.() === 0 ? false : 'needs root'

/** Waits for a text, then types; what came, and the exit code, as JSON. A text that does not come within a minute ends it. */
const DRIVER = `
import json, os, pty, select, sys, time
steps, args = json.loads(sys.argv[1]), sys.argv[2:]
pid, fd = pty.fork()
if pid == 0: os.execv(args[0], args)
out, seen = b'', 0
def more():
    global out
    if not select.select([fd], [], [], 60)[0]: raise TimeoutError(out.decode())
    try: chunk = os.read(fd, 65536)
    except OSError: chunk = b''
    out += chunk
    return chunk != b''
for expect, keys in steps:
    while out.find(expect.encode(), seen) < 0:
        if not more(): raise EOFError(out.decode())
    seen = out.find(expect.encode(), seen) + len(expect.encode())
    os.write(fd, keys.encode())
while more(): pass
print(json.dumps({'out': out.decode(), 'code': os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}))
`

export interface Shown {
  readonly out: string
  readonly code: number
}

/** @param steps what must be shown, and what is typed then. */
export async function onTerminal(
  args: readonly string[],
  steps: readonly (readonly [string, string])[],
): Promise<Shown> {
  const { out, err } = await collect('python3', [
    '-c',
    DRIVER,
    JSON.stringify(steps),
    process.execPath,
    MAIN,
    ...args,
  ])
  if (out === '') throw new Error(err)
  return JSON.parse(out) as Shown
}

export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** @param uid of whom it runs as. */
export function asProgram(args: readonly string[], uid?: number): Promise<Ran> {
  return collect(process.execPath, [MAIN, ...args], uid)
}

function collect(command: string, args: readonly string[], uid?: number): Promise<Ran> {
  const child = spawn(command, args, uid === undefined ? {} : { uid, gid: uid, env: {} })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')))
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString('utf8')))
  child.stdin.end()
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out, err }))
  })
}
