import { chownSync, existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Config } from '../../config/settings.ts'
import { findSystemAccount, findSystemGroup } from '../../platform/account.ts'
import { dropPrivileges } from '../../platform/privileges.ts'
import { makeFolders } from '../../store/sqlite/make-folders.ts'

/**
 * Root becomes the user of the settings before anything in the data folder is touched: a file that root made there
 * could not be opened by the server. Without such a user nothing is done.
 * @param sockets that root has bound: they become that user's, who must be able to remove them.
 * @returns why it could not be done; then nothing may go on.
 */
export function becomeDataOwner(config: Config, sockets: readonly string[] = []): string | undefined {
  const { user, group } = config.server
  if (user === undefined || process.getuid?.() !== 0) return undefined
  const owner = findOwner({ user, group })
  if (owner !== undefined) for (const path of sockets) chownSync(path, owner.uid, owner.gid)
  const unmade = makeDataFolder(config.server.data, { user, group })
  if (unmade !== undefined) return unmade
  const dropped = dropPrivileges({ user, group })
  return dropped.ok ? undefined : dropped.sentence
}

function findOwner(owner: {
  readonly user: string
  readonly group: string | undefined
}): { readonly uid: number; readonly gid: number } | undefined {
  const account = findSystemAccount(owner.user)
  const gid = owner.group === undefined ? account?.gid : findSystemGroup(owner.group)
  return account === undefined || gid === undefined ? undefined : { uid: account.uid, gid }
}

/**
 * Makes a missing data folder for the user that the server becomes, while root may still do so: 0700 and that user's
 * alone. A folder that is there stays as it is.
 * @returns why it could not be made. A user or group that does not exist is told where root is given up.
 */
function makeDataFolder(
  folder: string,
  owner: { readonly user: string; readonly group: string | undefined },
): string | undefined {
  if (process.getuid?.() !== 0 || existsSync(folder)) return undefined
  const ids = findOwner(owner)
  if (ids === undefined) return undefined
  try {
    // The folders above it must let that user through.
    makeFolders(dirname(folder), 0o755)
    mkdirSync(folder, { mode: 0o700 })
    chownSync(folder, ids.uid, ids.gid)
    return undefined
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    return `The data folder ${folder} cannot be made (${code}). Make it (\`install -d -m 0700 -o ${owner.user} ${folder}\`), or name another one with server.data.`
  }
}
