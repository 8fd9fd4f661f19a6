// --peers runs in network, mount and process namespaces of its own: no port of the machine is taken, no packet can
// leave, and when it ends, however it ends, every process and every mount that it made is gone.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from './refusal.ts'

/** Set in the process that runs inside. */
const insideMark = 'HIKYAKU_BENCH'
/** Dovecot watches a mailbox for each of 2,000 clients; Linux lets a user watch 128 by default. */
const inotifySetting = '/proc/sys/fs/inotify/max_user_instances'
const inotifyInstances = 8_192

/** Where names are served inside, on the usual port: some programs never ask 127.0.0.1. */
export const namesAddress = '192.0.2.53'

/**
 * A network of its own begins with the kernel's defaults. systemd gives a machine 512 for the queue of a datagram
 * socket; with the kernel's 10, Cyrus loses what its processes tell idled.
 */
const prepare = `ip link set lo up; ip addr add ${namesAddress}/32 dev lo; echo 512 >/proc/sys/net/unix/max_dgram_qlen`

export function isInside(): boolean {
  return process.env[insideMark] !== undefined
}

/**
 * Runs this very command again inside, to its end. @returns its exit code.
 * @param folder where everything is kept, inside as TMPDIR: what is left in it if the inside is killed goes with it.
 */
export async function runInside(folder: string): Promise<number> {
  const enter = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
  const again = ['sh', '-c', `${prepare}; exec "$@"`, 'bench', process.execPath, ...process.argv.slice(1)]
  const env = { ...process.env, [insideMark]: 'inside', TMPDIR: folder }
  const restoreInotify = raiseInotify()
  try {
    const child = spawn('unshare', [...enter, ...again], { stdio: 'inherit', env })
    // Ctrl-C reaches the inside by the terminal; what is sent to us alone is passed on. The second time nobody waits.
    process.on('SIGINT', () => {})
    process.once('SIGTERM', () => {
      for (const pid of childrenOf(child.pid ?? 0)) process.kill(pid, 'SIGTERM')
      process.once('SIGTERM', () => child.kill('SIGKILL'))
    })
    const [code] = await once(child, 'close')
    return typeof code === 'number' ? code : 1
  } finally {
    restoreInotify()
  }
}

/** Throws a sentence where the peers cannot be set up here. */
export function needForPeers(): void {
  if (process.getuid?.() !== 0)
    throw new Refusal('--peers needs root, for its namespaces and for the users of the peers')
  const packages = join(import.meta.dirname, '..', 'test/harness/packages.sh')
  const { status } = spawnSync(packages, ['check'], { stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) throw new Refusal(`--peers: run ${packages} install, then ${packages} unpack`)
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return text === '' ? [] : text.split(' ').map(Number)
}

/** @returns what sets it back: the setting is the whole machine's. */
function raiseInotify(): () => void {
  const before = readFileSync(inotifySetting, 'utf8')
  if (Number(before) >= inotifyInstances) return () => {}
  writeFileSync(inotifySetting, String(inotifyInstances))
  return () => writeFileSync(inotifySetting, before)
}
