// The launcher, with an npm that only pretends: what it installs, when, what it says, and what it does not break.
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { plant } from './testing.ts'

const ours = path.dirname(import.meta.dirname)

// Writes down that it ran, waits a moment, and installs what is asked of it; a Node it "installs" is the one that
// runs this test.
const pretendingNpm = `#!/bin/sh
echo "$1" >> "$RUNS"
sleep 0.3
case $(cat package.json) in
  *'"node-'*)
    name=$(sed -n 's/.*"\\(node-[a-z]*-[a-z0-9]*\\)".*/\\1/p' package.json)
    mkdir -p "node_modules/$name/bin"
    ln -s "$NODE24" "node_modules/$name/bin/node" ;;
  *) mkdir -p node_modules/thing ;;
esac
`

const program = `
const words: string[] = process.argv.slice(2)
if (words.includes('wait')) {
  process.on('SIGTERM', () => process.exit(7))
  setInterval(() => {}, 1000)
} else process.exitCode = Number(words.at(-1)) || 0
console.log(JSON.stringify({ words, version: process.versions.node }))
`

interface Place {
  readonly root: string
  readonly env: NodeJS.ProcessEnv
}

/** A clone with the launcher in it and that npm first on its PATH. */
function clone(t: TestContext, npm: string = pretendingNpm): Place {
  const root = plant(t, {
    'bin/npm': npm,
    'clone/package.json': '{"type":"module"}',
    'clone/package-lock.json': '{}',
    'clone/.npmrc': '',
    'clone/src/app/main.ts': program,
  })
  fs.chmodSync(path.join(root, 'bin/npm'), 0o755)
  for (const file of ['launch.mjs', 'hikyaku'])
    fs.copyFileSync(path.join(ours, file), path.join(root, 'clone', file))
  const env = {
    ...process.env,
    PATH: `${path.join(root, 'bin')}${path.delimiter}${process.env.PATH}`,
    RUNS: path.join(root, 'runs'),
    NODE24: process.execPath,
  }
  return { root: path.join(root, 'clone'), env }
}

function npmRuns({ env }: Place): number {
  const file = env.RUNS ?? ''
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').length - 1 : 0
}

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly said: string
}

function start({ root, env }: Place, node: string, args: readonly string[]): ChildProcess {
  return spawn(node, [path.join(root, 'launch.mjs'), ...args], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function ended(child: ChildProcess): Promise<Ended> {
  let out = ''
  let said = ''
  child.stdout?.on('data', (piece) => {
    out += piece
  })
  child.stderr?.on('data', (piece) => {
    said += piece
  })
  const [code] = await once(child, 'close')
  return { code, out, said }
}

async function run(place: Place, ...args: string[]): Promise<Ended> {
  return await ended(start(place, process.execPath, args))
}

/** A Node of this machine that is too old for the program, if there is one. */
function oldNode(): string | undefined {
  const folders = (process.env.PATH ?? '').split(path.delimiter)
  return folders
    .map((folder) => path.join(folder, 'node'))
    .filter((file) => fs.existsSync(file))
    .find(
      (file) =>
        Number(execFileSync(file, ['-p', 'process.versions.node.split(".")[0]'], { encoding: 'utf8' })) < 24,
    )
}

const old = oldNode()
const needsOld = old === undefined ? { skip: 'every Node on the PATH is new enough' } : {}

test('what is missing is installed once, in one line, and the program gets words and status', async (t) => {
  const place = clone(t)
  const first = await run(place, 'run', 'queue', 'list', '3')
  assert.deepEqual(JSON.parse(first.out).words, ['queue', 'list', '3'])
  assert.equal(first.code, 3)
  assert.equal(first.said, 'hikyaku: node_modules is missing: installing what package-lock.json names\n')
  const second = await run(place, 'start')
  assert.deepEqual(JSON.parse(second.out).words, ['start'])
  assert.equal(second.said, '')
  assert.equal(npmRuns(place), 1)
})

test('a changed lockfile installs anew, and nothing is left of the old or of the work', async (t) => {
  const place = clone(t)
  await run(place, 'start')
  fs.writeFileSync(path.join(place.root, 'node_modules/old'), '')
  fs.writeFileSync(path.join(place.root, 'package-lock.json'), '{"changed":true}')
  assert.match((await run(place, 'start')).said, /node_modules is stale/)
  assert.deepEqual(fs.readdirSync(path.join(place.root, 'node_modules')).sort(), ['.stamp', 'thing'])
  assert.deepEqual(fs.readdirSync(path.join(place.root, '.runtime')), [])
  assert.equal(npmRuns(place), 2)
})

test('of two starts at once one installs and both run', async (t) => {
  const place = clone(t)
  const both = await Promise.all([run(place, 'start'), run(place, 'run', 'mail')])
  assert.deepEqual(
    both.map(({ code }) => code),
    [0, 0],
  )
  assert.equal(npmRuns(place), 1)
})

test('the lock of a start that was killed is taken over', async (t) => {
  const place = clone(t)
  const dead = spawn(process.execPath, ['-e', ''])
  await once(dead, 'exit')
  fs.mkdirSync(path.join(place.root, '.runtime/lock'), { recursive: true })
  fs.writeFileSync(
    path.join(place.root, '.runtime/lock/pid'),
    `${(await import('node:os')).hostname()} ${dead.pid}`,
  )
  assert.equal((await run(place, 'start')).code, 0)
})

const failures: [what: string, npm: string, sentence: RegExp][] = [
  [
    'no network',
    'echo "npm error code EAI_AGAIN" >&2; exit 1',
    /^hikyaku: npm cannot reach its package registry .*\n$/,
  ],
  [
    'other bytes than pinned',
    'echo "npm error code EINTEGRITY" >&2; exit 1',
    /^hikyaku: a package .* digest.*\n$/,
  ],
  [
    'anything else',
    'echo "npm error code E500\nnpm error a reason" >&2; exit 1',
    /^hikyaku: npm ci failed: a reason\n$/,
  ],
]

for (const [what, script, sentence] of failures) {
  test(`when npm fails for ${what}, one sentence says so and nothing is half there`, async (t) => {
    const place = clone(t, `#!/bin/sh\n${script}\n`)
    const { code, out, said } = await run(place, 'start')
    assert.equal(code, 1)
    assert.equal(out, '')
    assert.match(said.replace(/^.*installing.*\n/, ''), sentence)
    assert.ok(!fs.existsSync(path.join(place.root, 'node_modules')))
    assert.deepEqual(fs.readdirSync(path.join(place.root, '.runtime')), [])
  })
}

test('without npm, one sentence says so', async (t) => {
  const place = clone(t)
  const { code, said } = await run({ ...place, env: { ...place.env, PATH: '/nowhere' } }, 'start')
  assert.equal(code, 1)
  assert.match(said, /npm is not on the PATH: install npm/)
})

test('an unknown verb of the launcher shows how it is used', async (t) => {
  const { code, said } = await run(clone(t), 'dance')
  assert.equal(code, 1)
  assert.match(said, /usage: node launch\.mjs start\|run/)
})

test('an old Node brings a new one, which ./hikyaku then uses at once', needsOld, async (t) => {
  const place = clone(t)
  const first = await ended(start(place, old ?? '', ['run', 'mail', '5']))
  assert.equal(JSON.parse(first.out).version, process.versions.node)
  assert.equal(first.code, 5)
  assert.match(
    first.said,
    /^hikyaku: Node here is [\d.]+ and 24\.7\.0 is needed: bringing Node 24.*\n.*missing.*\n$/,
  )
  const script = spawn(path.join(place.root, 'hikyaku'), ['mail', 'two words'], {
    env: { ...place.env, PATH: '/usr/bin:/bin' },
  })
  const second = await ended(script)
  assert.deepEqual(JSON.parse(second.out).words, ['mail', 'two words'])
  assert.equal(npmRuns(place), 2)
})

test(
  'SIGTERM reaches the program behind the launcher, whose status is then the launcher’s',
  needsOld,
  async (t) => {
    const place = clone(t)
    await ended(start(place, old ?? '', ['start']))
    const child = start(place, old ?? '', ['start', 'wait'])
    const end = ended(child)
    assert.ok(child.stdout)
    await once(child.stdout, 'data')
    child.kill('SIGTERM')
    assert.equal((await end).code, 7)
  },
)
