import { chownSync, existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { findSystemAccount, findSystemGroup } from '../../platform/account.ts'

/**
 * Makes a missing data folder for the user that the server becomes, while root may still do so: 0700 and that user's
 * alone. A folder that is there stays as it is.
 * @returns why it could not be made. A user or group that does not exist is told where root is given up.
 */
export function makeDataFolder(
  folder: string,
  owner: { readonly user: string; readonly group: string | undefined },
): string | undefined {
  if (process.getuid?.() !== 0 || existsSync(folder)) return undefined
  const account = findSystemAccount(owner.user)
  const gid = owner.group === undefined ? account?.gid : findSystemGroup(owner.group)
  if (account === undefined || gid === undefined) return undefined
  try {
    // The folders above it must let that user through.
    mkdirSync(dirname(folder), { recursive: true, mode: 0o755 })
    mkdirSync(folder, { mode: 0o700 })
    chownSync(folder, account.uid, gid)
    return undefined
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    return `The data folder ${folder} cannot be made (${code}). Make it (\`install -d -m 0700 -o ${owner.user} ${folder}\`), or name another one with server.data.`
  }
}
