import assert from 'node:assert/strict'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import type { Progress } from '../../../ports/progress.ts'
import { Random } from '../random.test-kit.ts'
import { copyFolder, damageFolder, type Touched } from './damage.test-kit.ts'
import { type SalvageResult, salvage } from './salvage.ts'
import { type Given, makeDataFolder } from './store.test-kit.ts'
import { digestOf, readTruth, type Truth } from './truth.test-kit.ts'

/** How many damaged folders; HIKYAKU_SALVAGE_FOLDERS for the long form, HIKYAKU_SALVAGE_SEED for the first of them. */
const FOLDERS = Number(process.env.HIKYAKU_SALVAGE_FOLDERS ?? 200)
const FIRST_SEED = Number(process.env.HIKYAKU_SALVAGE_SEED ?? 1)
/** Where there is a file system in memory, tens of thousands of files are made there in no time. */
const MEMORY = '/dev/shm'
const STORES = 3
const MESSAGES = 40

const watched: Progress = { line: async () => true, signal: new AbortController().signal }
let root = ''
const stores: { readonly folder: string; readonly truth: Truth; readonly given: Given }[] = []

before(async () => {
  root = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'hikyaku-salvage-'))
  for (let seed = 1; seed <= STORES; seed++) {
    const folder = join(root, `store${seed}`)
    const given = await makeDataFolder(folder, new Random(seed), MESSAGES)
    stores.push({ folder, truth: readTruth(folder), given })
  }
})
after(() => rmSync(root, { recursive: true }))

async function salvaged(folder: string, out: string): Promise<Extract<SalvageResult, { ok: true }>> {
  const result = await salvage({ folder, out, sync: () => undefined }, watched)
  assert(result.ok, result.ok ? '' : result.sentence)
  return result
}

/** What a message's file is like, or why it is not there. */
function assertCame(out: string, { path, digest, arrivedMs }: Truth['messages'][number], why: string): void {
  const file = join(out, path)
  const stat = statSync(file, { throwIfNoEntry: false })
  assert(stat !== undefined, `${path} came out; ${why}`)
  assert.equal(digestOf(readFileSync(file)), digest, `${path} is as it was; ${why}`)
  assert(Math.abs(stat.mtimeMs - arrivedMs) < 1, `${path} has its date; ${why}`)
}

function* filesUnder(folder: string): Generator<string, void> {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true }))
    if (entry.isFile()) yield join(entry.parentPath, entry.name)
}

/** Whatever is given as sure is a message that was there: in an account's mailboxes one of its own. */
function assertNothingWrong(out: string, given: Given, why: string): void {
  for (const [login, folder] of [...given.keys()].map((one) => [one, join(out, 'accounts', one)] as const)) {
    if (login === '' || statSync(folder, { throwIfNoEntry: false }) === undefined) continue
    for (const file of filesUnder(folder)) {
      if (file.endsWith('dovecot-keywords')) continue
      const digests = given.get(file.includes('.lost+found') ? '' : login)
      assert(digests?.has(digestOf(readFileSync(file))), `${file} is a message of ${login}; ${why}`)
    }
  }
  for (const file of filesUnder(join(out, 'lost+found')))
    assert(given.get('')?.has(digestOf(readFileSync(file))), `${file} is a message; ${why}`)
}

/** Held messages came out whole, each with why it was held. */
function assertHeld(folder: string, out: string, given: Given): void {
  const copy = join(out, 'copy')
  mkdirSync(copy)
  for (const name of ['hikyaku.db', 'hikyaku.db-wal']) cpSync(join(folder, name), join(copy, name))
  const db = new DatabaseSync(join(copy, 'hikyaku.db'))
  const traces = db.prepare('SELECT trace FROM quarantine').all() as { trace: string }[]
  db.close()
  assert(traces.length > 0)
  for (const { trace } of traces) {
    const path = join(out, 'quarantine', trace)
    assert(given.get('')?.has(digestOf(readFileSync(`${path}.eml`))), trace)
    const { hold, plan } = JSON.parse(readFileSync(`${path}.json`, 'utf8'))
    assert.equal(hold.reasons[0].rule, 'dmarc')
    assert(Array.isArray(plan.recipients))
  }
}

test('of a whole folder everything comes out, and nothing else', async () => {
  for (const [index, { folder, given, truth }] of stores.entries()) {
    const out = join(root, `whole${index}`)
    const before = readdirSync(folder).map((name) => [name, statSync(join(folder, name)).mtimeMs])
    const { counts, lines } = await salvaged(folder, out)
    assert.deepEqual(
      { ...counts, queued: 0, held: 0 },
      { sure: truth.messages.length, lost: 0, doubtful: 0, unreadable: 0, queued: 0, held: 0 },
    )
    assert(lines.includes('The database itself is whole.'), lines.join('\n'))
    for (const message of truth.messages) assertCame(out, message, 'nothing is damaged')
    assertNothingWrong(out, given, 'nothing is damaged')
    assertHeld(folder, out, given)
    assert.deepEqual(
      readdirSync(folder).map((name) => [name, statSync(join(folder, name)).mtimeMs]),
      before,
      'the data folder is only read',
    )
    rmSync(out, { recursive: true })
  }
})

test(`of ${FOLDERS} damaged folders every message comes out that the damage could not touch`, async () => {
  const totals = { messages: 0, touched: 0, doubtful: 0, lost: 0, unreadable: 0 }
  for (let seed = FIRST_SEED; seed < FIRST_SEED + FOLDERS; seed++) {
    const random = new Random(seed * 7919)
    const { folder, given, truth } = random.pick(stores)
    const copy = join(root, `damaged${seed}`)
    mkdirSync(join(copy, 'bodies'), { recursive: true })
    copyFolder(folder, copy, truth.files)
    const touched = damageFolder(copy, truth, random)
    const out = join(root, `out${seed}`)
    const why = `HIKYAKU_SALVAGE_SEED=${seed}: ${touched.what.join('; ')}`
    const { counts } = await salvaged(copy, out)
    for (const message of truth.messages) {
      totals.messages++
      if (isTouched(message, touched)) totals.touched++
      else assertCame(out, message, why)
    }
    assertNothingWrong(out, given, why)
    for (const name of ['doubtful', 'lost', 'unreadable'] as const) totals[name] += counts[name]
    for (const made of [copy, out]) rmSync(made, { recursive: true })
  }
  assert(totals.touched > 0 && totals.doubtful > 0 && totals.lost > 0, JSON.stringify(totals))
})

function isTouched({ file, pages }: Truth['messages'][number], touched: Touched): boolean {
  if (file !== undefined && touched.files.has(file)) return true
  for (const page of pages) if (touched.pages.has(page)) return true
  return false
}
