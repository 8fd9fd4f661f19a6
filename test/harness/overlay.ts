// A root folder of its own for programs that must not be installed: the machine's root below, unpacked Debian
// packages and everything written on a tmpfs above. It lives in a mount and a process namespace whose first process
// reads our pipe: when we stop it, fail or are killed, that pipe ends, and with it every process and mount inside.

import type { ChildProcess } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { needPrograms, projectRoot } from './programs.ts'
import { type Ran, type RunOptions, run, runWell, start } from './run.ts'
import { within } from './until.ts'

export interface RootOptions {
  /** Packages of test/debian-packages.txt, as `packages.sh unpack` left them. */
  readonly packages: readonly string[]
  /** System users that the packages' maintainer scripts would have made. */
  readonly users?: readonly string[]
  readonly groups?: readonly string[]
  /** A folder of the test, seen inside under the same path: configuration in, logs and mail out. */
  readonly shared: string
  /**
   * Folders with our unix sockets: path inside → folder outside. Through the overlay a socket would refuse, and
   * sendmail trusts none below a folder that others can write, such as /tmp.
   */
  readonly sockets?: Readonly<Record<string, string>>
  /** Lines of /etc/hosts inside, after localhost. */
  readonly hosts?: readonly string[]
}

export interface Root {
  /** The first process inside: whatever shares its process namespace belongs to the root. */
  readonly firstPid: number
  /** Runs a program inside, to its end. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<Ran>
  /** As `run`, rejecting unless it ends with 0. */
  runWell(program: string, args: readonly string[], options?: RunOptions): Promise<Ran>
  /** Starts a program inside that stays; it ends with the root. */
  start(program: string, args: readonly string[]): ChildProcess
  /** Ends every process inside and takes the mounts down. */
  stop(): Promise<void>
}

/** Unpacking takes about a second; the rest is for a busy machine. */
const openTimeoutMs = 60_000
const stopTimeoutMs = 20_000

// `tar --keep-directory-symlink`: dpkg -x would replace the links of a merged /usr by folders.
// The last command reads until our pipe ends; that the shell ends then takes the whole namespace down.
const script = `set -eu
base=$1 binds=$2; shift 2
mount -t tmpfs -o mode=755 tmpfs "$base"
mkdir "$base/upper" "$base/work" "$base/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" "$base/root"
for deb; do
  dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$base/root"
done
mount --rbind /dev "$base/root/dev"
mount -t proc proc "$base/root/proc"
mount -t tmpfs -o mode=755 tmpfs "$base/root/run"
for bind in $binds; do
  mkdir -p "$base/root\${bind#*:}"
  mount --rbind "\${bind%:*}" "$base/root\${bind#*:}"
done
chroot "$base/root" ldconfig
echo ready
cat >/dev/null
`

/** Makes a root. Rejects when a package was not unpacked or the machine refuses (not root, no overlay). */
export async function openRoot(options: RootOptions): Promise<Root> {
  needPrograms('unshare', 'nsenter')
  const base = mkdtempSync(join(tmpdir(), 'hikyaku-root-'))
  const binds = [[options.shared, options.shared], ...Object.entries(options.sockets ?? {})]
  const args = [
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
    'sh',
    '-c',
    script,
    'root',
    base,
    binds.map(([inside, outside]) => `${outside}:${inside}`).join(' '),
  ]
  const holder = start('unshare', [...args, ...debs(options.packages)], { stdio: ['pipe', 'pipe', 'pipe'] })
  try {
    await within('making a root', openTimeoutMs, ready(holder))
    const first = firstProcessInside(holder)
    const enter = ['--target', String(first), '--mount', '--pid', '--', 'chroot', join(base, 'root')]
    const root: Root = {
      firstPid: first,
      run: (program, rest, how) => run('nsenter', [...enter, program, ...rest], how),
      runWell: (program, rest, how) => runWell('nsenter', [...enter, program, ...rest], how),
      start: (program, rest) =>
        start('nsenter', [...enter, program, ...rest], { stdio: ['ignore', 'pipe', 'pipe'] }),
      stop: () => stop(holder, base),
    }
    await furnish(root, options)
    return root
  } catch (error) {
    await stop(holder, base)
    throw error
  }
}

/** Copies a file into the shared folder and answers its path inside; what lies elsewhere may not be seen there. */
export function seenInside(file: string, shared: string): string {
  const copy = join(shared, basename(file))
  copyFileSync(file, copy)
  return copy
}

function debs(packages: readonly string[]): string[] {
  return packages.flatMap((name) => {
    const folder = join(projectRoot, '.cache/debian', name)
    if (!existsSync(join(folder, 'complete'))) {
      throw new Error(`the Debian package ${name} is missing: test/harness/packages.sh unpack`)
    }
    const files = readdirSync(folder).filter((file) => file.endsWith('.deb'))
    return files.map((file) => join(folder, file))
  })
}

function ready(holder: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let said = ''
  const hear = (piece: Buffer) => {
    said += piece.toString()
    if (said.includes('ready\n')) resolve()
  }
  holder.stdout?.on('data', hear)
  holder.stderr?.on('data', hear)
  holder.once('error', reject)
  holder.once('close', (code) => reject(new Error(`a root could not be made (exit ${code}): ${said}`)))
  return promise
}

/** `unshare --fork` is not in its own process namespace; its only child is the first process there. */
function firstProcessInside(holder: ChildProcess): number {
  const children = readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, 'utf8').trim()
  if (!/^\d+$/.test(children)) throw new Error(`unshare has children "${children}", expected one`)
  return Number(children)
}

async function furnish(root: Root, options: RootOptions): Promise<void> {
  for (const group of options.groups ?? []) await root.runWell('groupadd', ['--force', '--system', group])
  for (const user of options.users ?? []) {
    const known = await root.run('id', [user])
    if (known.code !== 0)
      await root.runWell('useradd', ['--system', '--user-group', '--no-create-home', user])
  }
  // sendmail waits a minute for a name of its own that resolves and has a dot, and for a resolver that is not there.
  const machine = `127.0.0.1 ${hostname()}.localdomain ${hostname()}`
  const local = ['127.0.0.1 localhost.localdomain localhost', '::1 localhost', machine]
  const hosts = [...(options.hosts ?? []), ...local, '']
  const files = join(options.shared, 'names')
  mkdirSync(files)
  writeFileSync(join(files, 'hosts'), hosts.join('\n'))
  writeFileSync(join(files, 'resolv.conf'), 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n')
  writeFileSync(join(files, 'nsswitch.conf'), 'passwd: files\ngroup: files\nhosts: files\nservices: files\n')
  await root.runWell('cp', ['--remove-destination', '--recursive', `${files}/.`, '/etc'])
}

async function stop(holder: ChildProcess, base: string): Promise<void> {
  if (holder.exitCode === null && holder.signalCode === null) {
    const closed = new Promise((resolve) => holder.once('close', resolve))
    holder.stdin?.destroy()
    try {
      await within('taking a root down', stopTimeoutMs, closed)
    } catch {
      // --kill-child: the namespace's first process dies with unshare, and the rest with it.
      holder.kill('SIGKILL')
      await closed
    }
  }
  rmdirSync(base)
}
