// Which foreign programs the suites need, and what to say when one is missing. test/debian-packages.txt is the list.

import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export const projectRoot = join(import.meta.dirname, '..', '..')

export interface NeededPackage {
  readonly how: 'install' | 'unpack'
  readonly package: string
  readonly program: string | undefined
}

/** The rows of test/debian-packages.txt. Throws on a row that is not one. */
export function neededPackages(
  text = readFileSync(join(projectRoot, 'test/debian-packages.txt'), 'utf8'),
): NeededPackage[] {
  const rows: NeededPackage[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const [fields = '', why] = line.split('#', 2)
    if (fields.trim() === '') continue
    const [how, name, program, ...more] = fields.trim().split(/\s+/)
    const sound =
      (how === 'install' || how === 'unpack') && name && program && more.length === 0 && why?.trim()
    if (!sound)
      throw new Error(`test/debian-packages.txt line ${index + 1}: want "how package program # why"`)
    rows.push({ how, package: name, program: program === '-' ? undefined : program })
  }
  return rows
}

function isOnPath(program: string): boolean {
  for (const folder of `${process.env.PATH ?? ''}:/usr/sbin:/sbin`.split(delimiter)) {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      // Not in this folder.
    }
  }
  return false
}

/** Fails, never skips, when a program that a suite drives is missing: the sentence names the package. */
export function needPrograms(...programs: string[]): void {
  const rows = neededPackages()
  for (const program of programs) {
    const row = rows.find((each) => each.program === program)
    if (!row)
      throw new Error(`${program} is not in test/debian-packages.txt: add it with its package and why`)
    const folder = join(projectRoot, '.cache/debian', row.package, 'complete')
    if (row.how === 'unpack' ? existsSync(folder) : isOnPath(program)) continue
    throw new Error(
      `${program} is missing: it comes with the Debian package ${row.package} (test/harness/packages.sh ${row.how})`,
    )
  }
}

/** The slow suites own ports, addresses, mounts and users: only the namespaces of test/slow.sh may be touched. */
export function needSlowNamespace(): void {
  if (process.env.HIKYAKU_SLOW === 'inside') return
  throw new Error('run this suite by test/slow.sh FILE: it needs namespaces of its own')
}
