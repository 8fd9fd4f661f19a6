import { readFileSync } from 'node:fs'

/** Names of users and groups for sentences; numbers where the system's tables do not have them. */

export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** Who runs this process; undefined where the system has no such thing. */
export function processOwner(): Owner | undefined {
  const { geteuid, getegid } = process
  return geteuid === undefined || getegid === undefined ? undefined : { uid: geteuid(), gid: getegid() }
}

export const userName = (uid: number): string => lookUp('/etc/passwd', uid)
export const groupName = (gid: number): string => lookUp('/etc/group', gid)

/** `0640`. */
export const modeText = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0')

function lookUp(table: string, id: number): string {
  for (const line of readTable(table).split('\n')) {
    const [name = '', , number] = line.split(':')
    if (name !== '' && number === String(id)) return name
  }
  return String(id)
}

function readTable(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // A container may have none; the numbers serve as well.
    return ''
  }
}
