import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { formatManifest, parseManifest, parseManifestHead } from '../src/store/sqlite/backup/manifest.ts'

export const name = 'backup-manifest'

const INFO = '{"version":"1","schema":1,"server":"mail.example.test","createdMs":5,"messages":2,"damaged":[]}'
const FILE = `${'0'.repeat(64)} 12 data/hikyaku.db`

export const corpus: readonly string[] = [
  `hikyaku backup 1\n${INFO}\n${FILE}\n`,
  `hikyaku backup 1\n${INFO}\n`,
  `hikyaku backup 2\n${INFO}\n`,
  `hikyaku backup 1\n{}\n${FILE}\n${FILE}`,
  `hikyaku backup 1\nnull\n${'f'.repeat(64)} 999999999999999 ../a\n`,
]

/** What is read is written so that it is read the same; the right end is put behind, since chance would never find it. */
export function fuzz(input: Uint8Array): void {
  const text = Buffer.from(input).toString('utf8')
  parseManifestHead(text)
  assert(text.length > 80 || !parseManifest(text).ok)
  const body = text.endsWith('\n') ? text : `${text}\n`
  const read = parseManifest(`${body}end ${hash('sha256', body)}\n`)
  if (read.ok) assert.deepEqual(parseManifest(formatManifest(read.manifest)), read)
}
