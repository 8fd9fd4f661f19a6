import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** An account of the system, as passwd(5) has it. */
export interface SystemAccount {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** Looks a user up in /etc/passwd, and by getent(1) where users come from elsewhere (LDAP). */
export function findSystemAccount(name: string): SystemAccount | undefined {
  if (!/^[A-Za-z0-9_.-]{1,64}$/.test(name) || name.startsWith('-')) return undefined
  const found = parsePasswd(readText('/etc/passwd'), name)
  if (found !== undefined) return found
  const asked = spawnSync('getent', ['passwd', name], { encoding: 'utf8', timeout: 10_000 })
  return asked.status === 0 ? parsePasswd(asked.stdout, name) : undefined
}

/** The id of a group in /etc/group, or by getent(1). */
export function findSystemGroup(name: string): number | undefined {
  if (!/^[A-Za-z0-9_.-]{1,64}$/.test(name) || name.startsWith('-')) return undefined
  const found = groupId(readText('/etc/group'), name)
  if (found !== undefined) return found
  const asked = spawnSync('getent', ['group', name], { encoding: 'utf8', timeout: 10_000 })
  return asked.status === 0 ? groupId(asked.stdout, name) : undefined
}

export function parsePasswd(text: string, name: string): SystemAccount | undefined {
  for (const line of text.split('\n')) {
    const [user, , uid = '', gid = ''] = line.split(':')
    if (user === name && isId(uid) && isId(gid)) return { name, uid: Number(uid), gid: Number(gid) }
  }
  return undefined
}

function groupId(text: string, name: string): number | undefined {
  for (const line of text.split('\n')) {
    const [group, , gid = ''] = line.split(':')
    if (group === name && isId(gid)) return Number(gid)
  }
  return undefined
}

const isId = (text: string): boolean => /^\d{1,10}$/.test(text)

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // A system without the file keeps its users elsewhere: getent is asked.
    return ''
  }
}
