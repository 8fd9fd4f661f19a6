// What a newcomer does: clone, `npm start`. On a machine that has the system's node and npm and nothing else of ours:
// an empty npm cache, no node_modules, no Node 24 unless it is the machine's own.
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { after, before, type TestContext, test } from 'node:test'

const root = path.resolve(import.meta.dirname, '../..')
const serveWithinMs = 120_000
let scratch: string
let clone: string
let env: NodeJS.ProcessEnv

before(() => {
  scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'hikyaku-clone-'))
  clone = path.join(scratch, 'clone')
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', root, clone])
  const bin = path.join(scratch, 'bin')
  fs.mkdirSync(bin)
  for (const program of ['node', 'npm', 'sh', 'env', 'dirname', 'readlink']) {
    fs.symlinkSync(fs.realpathSync(machines(program)), path.join(bin, program))
  }
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(node|npm_)/i.test(name) || /^npm_config_registry$/i.test(name),
  )
  env = {
    ...Object.fromEntries(kept),
    PATH: bin,
    npm_config_cache: path.join(scratch, 'cache'),
    TMPDIR: scratch,
  }
  // Certificates of a proxy in front of the registry are the machine's business.
  if (process.env.NODE_EXTRA_CA_CERTS !== undefined) env.NODE_EXTRA_CA_CERTS = process.env.NODE_EXTRA_CA_CERTS
})

after(() => fs.rmSync(scratch, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }))

/** Where the machine itself keeps a program: the launcher puts the Node it brought in front of PATH. */
function machines(program: string): string {
  const folders = (process.env.PATH ?? '')
    .split(path.delimiter)
    .filter((folder) => !folder.includes('.runtime'))
  const found = folders.map((folder) => path.join(folder, program)).find((file) => fs.existsSync(file))
  return found ?? assert.fail(`${program} is not on this machine`)
}

interface Started {
  readonly child: ChildProcess
  /** Everything on standard output so far. */
  output(): string
}

/** `npm start`, once it prints what the pattern wants; fails when it ends before, or takes too long. */
async function npmStart(t: TestContext, wanted: RegExp): Promise<Started> {
  const child = spawn(path.join(env.PATH ?? '', 'npm'), ['start'], {
    cwd: clone,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGTERM'))
  let output = ''
  let errors = ''
  child.stderr.on('data', (piece: Buffer) => {
    errors += piece
  })
  await new Promise<void>((resolve, reject) => {
    const told = (what: string): void => {
      clearTimeout(timer)
      reject(new Error(`${what}\n${output}\n${errors}`))
    }
    const timer = setTimeout(() => told(`not served within ${serveWithinMs / 1000} s`), serveWithinMs)
    child.stdout.on('data', (piece: Buffer) => {
      output += piece
      if (!wanted.test(output)) return
      clearTimeout(timer)
      resolve()
    })
    child.on('exit', (code, signal) => told(`npm start ended with ${code ?? signal}`))
  })
  return { child, output: () => output }
}

async function stop({ child }: Started): Promise<void> {
  child.removeAllListeners('exit')
  child.kill('SIGTERM')
  const [code, signal] = await once(child, 'exit', { signal: AbortSignal.timeout(60_000) })
  assert.deepEqual({ code, signal }, { code: 0, signal: null })
}

async function greeting(port: number): Promise<string> {
  const socket = net.connect(port, '127.0.0.1')
  try {
    const [first] = await once(socket, 'data', { signal: AbortSignal.timeout(30_000) })
    return String(first)
  } finally {
    socket.destroy()
  }
}

test('npm start serves from a fresh clone, ends cleanly, and keeps its data', async (t) => {
  const account = /^ *Account: *(\S+@\S+)$/m
  const first = await npmStart(t, /^ *Account: .*\n(.*\n)* *Password: .*\n/m)
  const password = /^ *Password: *(\S+)$/m.exec(first.output())?.[1]
  assert.match(first.output(), account)
  assert.ok(password)
  assert.match(await greeting(2525), /^220 /)
  assert.match(await greeting(2587), /^220 /)
  assert.match(await greeting(2143), /^\* OK /)
  await stop(first)

  const second = await npmStart(t, /^ *Account: .*\n/m)
  assert.match(await greeting(2525), /^220 /)
  await stop(second)
  assert.ok(!second.output().includes(password), 'the password is shown once')
  for (const file of fs.readdirSync(clone)) assert.ok(!file.endsWith('.log'), `${file} was left in the clone`)
})
