import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { type Check, show } from './finding.ts'

/** A folder with these files, removed when the test ends. */
export function plant(t: TestContext, files: Readonly<Record<string, string>>): string {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'hikyaku-tools-'))
  t.after(() => fs.rmSync(root, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true })
    fs.writeFileSync(path.join(root, name), text)
  }
  return root
}

/** What a check says of a tree of these files, one line each. */
export function said(t: TestContext, check: Check, files: Readonly<Record<string, string>>): string[] {
  return check(plant(t, files)).map(show)
}
