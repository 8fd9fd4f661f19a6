import { readFileSync } from 'node:fs'
import { findSystemAccount, findSystemGroup } from './account.ts'
import { errorText } from './socket-events.ts'

export type Privileges =
  /** Root has been given up and cannot be had back. */
  | { readonly ok: true; readonly how: 'dropped'; readonly uid: number; readonly gid: number }
  /** The process was not root to begin with: nothing to give up. */
  | { readonly ok: true; readonly how: 'not-root' }
  | { readonly ok: false; readonly sentence: string }

/** What a process that can be root has; Node's types know two of them only as perhaps missing, one not at all. */
type PosixProcess = Required<Pick<NodeJS.Process, 'setgid' | 'setuid'>> & {
  initgroups(user: string, extraGroup: number): void
}

/**
 * Becomes another user for good: groups, then group, then user (each needs the right that the next one takes
 * away), then proves that root is out of reach. To be called after all sockets are bound and before the first
 * client's octet is read. After a failure the process is in between and must end.
 */
export function dropPrivileges(options: {
  readonly user: string
  readonly group?: string | undefined
}): Privileges {
  if (process.getuid?.() !== 0) return { ok: true, how: 'not-root' }
  const { user, group } = options
  const account = findSystemAccount(user)
  if (account === undefined)
    return {
      ok: false,
      sentence: `There is no user "${user}" to give root up for: make it with "useradd --system --no-create-home ${user}", or name another one in the settings.`,
    }
  if (account.uid === 0)
    return { ok: false, sentence: `The server must not stay root: "${user}" is root. Name another user.` }
  const gid = group === undefined ? account.gid : findSystemGroup(group)
  if (gid === undefined)
    return { ok: false, sentence: `There is no group "${group}"; make it or name another one.` }
  if (gid === 0)
    return {
      ok: false,
      sentence: `The server must not stay in root's group; name another one for "${user}".`,
    }
  try {
    const { initgroups, setgid, setuid } = process as unknown as PosixProcess
    initgroups.call(process, user, gid)
    setgid.call(process, gid)
    setuid.call(process, account.uid)
  } catch (error) {
    return { ok: false, sentence: `Root could not be given up for "${user}": ${errorText(error)}.` }
  }
  const left = rootLeft()
  return left === undefined
    ? { ok: true, how: 'dropped', uid: account.uid, gid }
    : { ok: false, sentence: `Root was not given up wholly: ${left}. The server does not go on like this.` }
}

/** What of root is still there, by trying; undefined: nothing. */
function rootLeft(): string | undefined {
  const ids = [process.getuid?.(), process.geteuid?.(), process.getgid?.(), process.getegid?.()]
  if (ids.includes(0)) return 'an id is still 0'
  if (process.getgroups?.().includes(0)) return "root's group is still there"
  const tries: readonly (readonly [string, () => void])[] = [
    ['setuid', () => process.setuid?.(0)],
    ['seteuid', () => process.seteuid?.(0)],
    ['setgid', () => process.setgid?.(0)],
  ]
  for (const [name, attempt] of tries) if (succeeds(attempt)) return `${name}(0) works`
  const capabilities = effectiveCapabilities()
  return capabilities === undefined || capabilities === 0n ? undefined : 'capabilities remain'
}

/** Whether this process may bind ports below 1024: root, CAP_NET_BIND_SERVICE, or a system that lets everybody. */
export function mayBindLowPorts(): boolean {
  const BIND_SERVICE = 10n
  if (process.geteuid?.() === 0) return true
  if (((effectiveCapabilities() ?? 0n) >> BIND_SERVICE) & 1n) return true
  const first = Number(readText('/proc/sys/net/ipv4/ip_unprivileged_port_start') ?? '1024')
  return first <= 25
}

/** How many file descriptors the process may have open; undefined where the system does not tell. */
export function descriptorLimit(): number | undefined {
  const limit = /^Max open files\s+(\d+)/m.exec(readText('/proc/self/limits') ?? '')?.[1]
  return limit === undefined ? undefined : Number(limit)
}

/** Linux's effective set; undefined where there is no /proc. */
function effectiveCapabilities(): bigint | undefined {
  const hex = /^CapEff:\s*([0-9a-f]+)$/m.exec(readText('/proc/self/status') ?? '')?.[1]
  return hex === undefined ? undefined : BigInt(`0x${hex}`)
}

function succeeds(attempt: () => void): boolean {
  try {
    attempt()
    return true
  } catch {
    // Refused, as it must be.
    return false
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // Not Linux.
    return undefined
  }
}
