import { writeSync } from 'node:fs'
import { openAt } from '../open.test-kit.ts'
import { watching } from './backup.test-kit.ts'
import { restoreBackup } from './restore.ts'

// The program that kill.test.ts kills: makes backups of a folder, or restores one again and again, and says so.

const [work = '', folder = '', backups = ''] = process.argv.slice(2)
const say = (text: string) => writeSync(1, `${text}\n`)

async function makeBackups(): Promise<void> {
  const store = await openAt(folder)
  say('begun')
  for (;;) {
    const about = { server: 'mail.example.test', version: '1', nowMs: Date.now(), keep: 3, files: [] }
    const result = await store.backups.make({ into: backups, ...about }, watching())
    if (!result.ok) throw new Error(result.sentence)
    say(`made ${result.made.folder}`)
  }
}

async function restoreForEver(): Promise<void> {
  say('begun')
  for (;;) {
    const result = await restoreBackup({ from: backups, folder, nowMs: Date.now() }, watching())
    if (!result.ok) throw new Error(result.sentence)
    say('restored')
  }
}

await (work === 'backup' ? makeBackups() : restoreForEver())
