import { readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Why this user may not use a file: whose the file is, or the folder on the way to it that shuts everybody else out.
 * @returns `/srv/mail belongs to root (mode 0700) and this is user alice`.
 */
export function accessSentence(path: string): string {
  const me = process.geteuid?.()
  const seen = nearest(path)
  const who = me === undefined ? '' : ` and this is user ${userName(me)}`
  if (seen === undefined) return `${path} is not this user's`
  return `${seen.path} belongs to ${userName(seen.uid)} (mode ${seen.mode})${who}`
}

/** The file itself where it may be looked at, else the first folder above it that may be. */
function nearest(
  path: string,
): { readonly path: string; readonly uid: number; readonly mode: string } | undefined {
  for (let at = path; ; at = dirname(at)) {
    try {
      const { uid, mode } = statSync(at)
      return { path: at, uid, mode: (mode & 0o7777).toString(8).padStart(4, '0') }
    } catch {
      // Not there, or not to be seen: the folder above it tells.
      if (at === dirname(at)) return undefined
    }
  }
}

function userName(uid: number): string {
  try {
    for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
      const [name = '', , id] = line.split(':')
      if (name !== '' && id === String(uid)) return name
    }
  } catch {
    // A container may have none; the number serves as well.
  }
  return String(uid)
}
