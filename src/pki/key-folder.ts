import {
  chmodSync,
  chownSync,
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { FOLDER_MODE, KEY_MODE } from './limits.ts'
import { modeText, type Owner, processOwner, userName } from './owner.ts'
import { errorText } from './pem.ts'
import { type ReadText, readText } from './read-file.ts'

/**
 * The folder with the server's own keys, `tls/` in the data folder:
 *
 *   own-ca.pem      our CA: key, certificate
 *   own-server.pem  key and certificate that our CA made
 *   request.pem     key and request of `hikyaku tls csr`, until `tls install`
 *   installed.pem   key and chain that `tls install` took
 *   secret          what makes false salts stable
 *
 * A key stands in one file with what belongs to it, so that one rename changes both. The folder is 0700 and
 * each file 0600, of the user that owns the data folder, also where root wrote it.
 */
export class KeyFolder {
  readonly path: string
  /** What was put right on opening, in sentences for the log. */
  readonly repairs: readonly string[]

  private constructor(folder: string, repairs: readonly string[]) {
    this.path = folder
    this.repairs = repairs
  }

  /** Makes the folder where it is missing, and puts modes and owners right. */
  static open(
    folder: string,
  ): { readonly ok: true; readonly folder: KeyFolder } | { readonly ok: false; readonly sentence: string } {
    try {
      const owner = madeFolder(folder)
      const repairs = [
        ...repair(folder, FOLDER_MODE, owner),
        ...readdirSync(folder, { withFileTypes: true })
          .filter((entry) => entry.isFile())
          .flatMap((entry) => repair(path.join(folder, entry.name), KEY_MODE, owner)),
      ]
      return { ok: true, folder: new KeyFolder(folder, repairs) }
    } catch (error) {
      return { ok: false, sentence: folderSentence(folder, error) }
    }
  }

  file(name: string): string {
    return path.join(this.path, name)
  }

  read(name: string): ReadText {
    return readText(this.file(name))
  }

  write(name: string, text: string): WrittenFile {
    return writeDurably(this.file(name), text, KEY_MODE)
  }

  remove(name: string): void {
    rmSync(this.file(name), { force: true })
  }
}

export type WrittenFile = { readonly ok: true } | { readonly ok: false; readonly sentence: string }

/** Writes a file so that after a crash there is the old one or the new one, whole; as its folder's owner. */
export function writeDurably(file: string, text: string, mode: number): WrittenFile {
  const folder = path.dirname(file)
  const temporary = path.join(folder, `.${path.basename(file)}.new`)
  try {
    // Left by a crash in this very place.
    rmSync(temporary, { force: true })
    const fd = openSync(temporary, 'wx', mode)
    try {
      fchmodSync(fd, mode)
      const owner = ownerFor(statSync(folder))
      if (owner !== undefined) fchownSync(fd, owner.uid, owner.gid)
      writeFileSync(fd, text)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(temporary, file)
    syncFolder(folder)
    return { ok: true }
  } catch (error) {
    removeIfThere(temporary)
    return { ok: false, sentence: `${file} can't be written: ${errorText(error)}.` }
  }
}

function removeIfThere(file: string): void {
  try {
    rmSync(file, { force: true })
  } catch {
    // What keeps us from writing keeps us from this too, and is being told; the next write begins with it.
  }
}

function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Only root gives files away; what root makes in somebody's folder is his, or he could not read it later. */
function ownerFor(folder: Stats): Owner | undefined {
  return processOwner()?.uid === 0 ? { uid: folder.uid, gid: folder.gid } : undefined
}

/** @returns whose the folder is to be, where we can say. */
function madeFolder(folder: string): Owner | undefined {
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) {
    mkdirSync(folder, { recursive: true, mode: FOLDER_MODE })
    const owner = ownerFor(statSync(path.dirname(path.resolve(folder))))
    if (owner !== undefined) chownSync(folder, owner.uid, owner.gid)
    chmodSync(folder, FOLDER_MODE)
  }
  return ownerFor(statSync(folder))
}

function repair(file: string, mode: number, owner: Owner | undefined): string[] {
  const stats = statSync(file)
  const repairs: string[] = []
  if (owner !== undefined && stats.uid !== owner.uid) {
    chownSync(file, owner.uid, owner.gid)
    repairs.push(`${file} belonged to ${userName(stats.uid)}; it was given to ${userName(owner.uid)}.`)
  }
  if ((stats.mode & 0o777) !== mode) {
    chmodSync(file, mode)
    repairs.push(`${file} had mode ${modeText(stats.mode)}; it was set to ${modeText(mode)}.`)
  }
  return repairs
}

function folderSentence(folder: string, error: unknown): string {
  const me = processOwner()
  const stats = mayStat(folder)
  if (me === undefined || stats === undefined || stats.uid === me.uid)
    return `The folder ${folder} for keys can't be used: ${errorText(error)}.`
  const [user, owner] = [userName(me.uid), userName(stats.uid)]
  return (
    `The folder ${folder} for keys can't be used by user ${user} (uid ${me.uid}): it belongs to ${owner} with mode ` +
    `${modeText(stats.mode)}; run "chown -R ${user} ${folder}" as root.`
  )
}

function mayStat(folder: string): Stats | undefined {
  try {
    return statSync(folder, { throwIfNoEntry: false })
  } catch {
    // What stands in the way is already being told.
    return undefined
  }
}
