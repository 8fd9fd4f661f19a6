import { accessSync, constants, lstatSync, readFileSync, readlinkSync, type Stats, statSync } from 'node:fs'
import path from 'node:path'
import { MAX_PEM_BYTES } from './limits.ts'
import { groupName, modeText, processOwner, userName } from './owner.ts'
import { errorText } from './pem.ts'

/** Reads a file with a key or certificate; what stands in the way is one sentence with its remedy. */
export type ReadText =
  | { readonly ok: true; readonly text: string; readonly mode: number }
  | { readonly ok: false; readonly missing: boolean; readonly sentence: string }

/** Symbolic links in a row; the kernel's own bound is 40, certbot has one. */
const MAX_LINKS = 10

export function readText(file: string): ReadText {
  try {
    const { size, mode } = statSync(file)
    if (size > MAX_PEM_BYTES)
      return refused(`${file} has ${size} bytes, too many for a key or certificate; give another file.`)
    return { ok: true, text: readFileSync(file, 'utf8'), mode }
  } catch (error) {
    return explain(file, error)
  }
}

function explain(file: string, error: unknown): ReadText {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return { ok: false, missing: true, sentence: `${file} does not exist; write the right path.` }
  if (code === 'EISDIR') return refused(`${file} is a folder; give the file in it.`)
  if (code === 'EACCES' || code === 'EPERM') return refused(unreadable(file))
  return refused(`${file} can't be read: ${errorText(error)}.`)
}

const refused = (sentence: string): ReadText => ({ ok: false, missing: false, sentence })

/**
 * Names what keeps this process from the file, which may be a folder above it (certbot's are 0700), whose it is,
 * its mode, and the command that gives this process's group access and nobody else.
 */
function unreadable(file: string): string {
  const me = processOwner()
  const user = me === undefined ? 'this user' : `user ${userName(me.uid)} (uid ${me.uid})`
  const blocked = firstBlocked(path.resolve(file), MAX_LINKS)
  if (blocked === undefined) return `${file} can't be read by ${user}; look at its rights and its folder's.`
  const { at, stats } = blocked
  const whose = `it belongs to ${userName(stats.uid)} (group ${groupName(stats.gid)}) with mode ${modeText(stats.mode)}`
  const group = me === undefined ? 'GROUP' : groupName(me.gid)
  const rights = stats.isDirectory() ? 'g+x' : 'g+r'
  const fix = `run "chgrp ${group} ${at} && chmod ${rights} ${at}" as root`
  return at === file
    ? `${file} can't be read by ${user}: ${whose}; ${fix}.`
    : `${file} can't be read by ${user}, because of ${at}: ${whose}; ${fix}.`
}

/** The first folder on the way that can't be entered, or the file itself. */
function firstBlocked(file: string, links: number): { at: string; stats: Stats } | undefined {
  const parts = file.split(path.sep).filter((part) => part !== '')
  let at: string = path.sep
  for (const [i, part] of parts.entries()) {
    at = path.join(at, part)
    const link = lstatOf(at)
    if (link?.isSymbolicLink() === true) {
      const target = path.resolve(path.dirname(at), readlinkSync(at), ...parts.slice(i + 1))
      return links === 0 ? undefined : firstBlocked(target, links - 1)
    }
    if (link !== undefined && !mayUse(at, link.isDirectory() ? constants.X_OK : constants.R_OK))
      return { at, stats: link }
  }
  return undefined
}

function lstatOf(file: string): Stats | undefined {
  return lstatSync(file, { throwIfNoEntry: false })
}

function mayUse(file: string, right: number): boolean {
  try {
    accessSync(file, right)
    return true
  } catch {
    return false
  }
}
