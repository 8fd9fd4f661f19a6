import fs from 'node:fs'
import path from 'node:path'

/** One thing that a check refuses. */
export interface Finding {
  /** Relative to the root, with `/`. */
  readonly file: string
  /** Counted from 1; absent when the whole file is meant. */
  readonly line?: number
  readonly text: string
  /** Told, but does not fail the check. */
  readonly isWarning?: true
}

/** A check of the tree at `root`. */
export type Check = (root: string) => readonly Finding[]

export function show({ file, line, text, isWarning }: Finding): string {
  const place = line === undefined ? file : `${file}:${line}`
  return `${place}: ${isWarning ? 'warning: ' : ''}${text}`
}

// What is made, brought or run here, not written.
const notOurs = new Set(['node_modules', '.git', '.runtime', '.cache', 'data', 'found', 'dist'])

/** Every file below `root/folder` whose name ends as wanted, sorted, relative to `root`. A missing folder is empty. */
export function filesUnder(root: string, folder: string, ending: RegExp | string): string[] {
  const found: string[] = []
  const walk = (at: string): void => {
    const entries = fs.readdirSync(path.join(root, at), { withFileTypes: true })
    for (const entry of entries) {
      const below = at === '.' ? entry.name : `${at}/${entry.name}`
      if (entry.isDirectory()) {
        if (!notOurs.has(entry.name)) walk(below)
      } else if (typeof ending === 'string' ? below.endsWith(ending) : ending.test(below)) found.push(below)
    }
  }
  if (fs.existsSync(path.join(root, folder))) walk(folder)
  return found.sort()
}

/** The text of a file under `root`, or undefined when there is no such file. */
export function readText(root: string, file: string): string | undefined {
  const full = path.join(root, file)
  return fs.existsSync(full) ? fs.readFileSync(full, 'utf8') : undefined
}

/** A test, or what only tests import: `testing.ts`, `x.testing.ts`, `x.test-kit.ts`. */
export function isTestFile(file: string): boolean {
  return file.endsWith('.test.ts') || /(^|[/.])(testing|test-kit)\.ts$/.test(file)
}
