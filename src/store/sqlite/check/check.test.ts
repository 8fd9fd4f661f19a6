import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  copyOf,
  execute,
  fillStore,
  findingsOf,
  kindsOf,
  lostMail,
  readableMail,
  readValue,
  repairNow,
} from './damaged.test-kit.ts'
import { DAMAGES, type Damage } from './damages.test-kit.ts'
import { FINDING_KINDS } from './finding.ts'

let root = ''
let whole = ''
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'hikyaku-check-'))
  whole = join(root, 'whole')
  await fillStore(whole)
})
after(() => rm(root, { recursive: true, force: true }))

test('a healthy store with rows in every table is clean, and nothing is repaired in it', () => {
  for (const table of TABLES) assert(Number(readValue(whole, `SELECT count(*) FROM ${table}`)) > 0, table)
  assert.equal(readValue(whole, 'SELECT count(*) > 0 FROM tombstones WHERE message IS NOT NULL'), 1)
  assert.deepEqual(findingsOf(whole), [])
  assert.deepEqual(findingsOf(whole, { deep: false }), [])
  assert.deepEqual(repairNow(whole), { result: { ok: true, repaired: {} }, sentences: [] })
})

const TABLES =
  'accounts aliases bodies counters credentials entries good_addresses held_recipients keywords languages mailboxes messages quarantine queue queue_recipients report_days report_rows reports_received reports_total subscriptions texts thread_ids tombstones trace_addresses traces trust'.split(
    ' ',
  )

let copies = 0
for (const damage of DAMAGES)
  test(`damage: ${damage.what}`, async () => {
    const folder = await copyOf(whole, join(root, String(copies++)))
    if (typeof damage.by === 'string') execute(folder, damage.by)
    else await damage.by(folder)
    see(folder, damage)
    mend(folder, damage)
    await rm(folder, { recursive: true })
  })

/** Exactly these findings, each with a place and a sentence. */
function see(folder: string, { quick, sees, says }: Damage): void {
  const findings = findingsOf(folder)
  const text = findings.map(({ sentence }) => sentence).join('\n')
  assert.deepEqual(kindsOf(findings), [...sees].sort(), text)
  if (says !== undefined) assert.match(text, says)
  for (const { advice, sentence } of findings) {
    assert.match(sentence, /: .*\.$/)
    assert(advice !== '')
  }
  if (quick !== undefined) assert.deepEqual(kindsOf(findingsOf(folder, { deep: false })), [...quick].sort())
}

/** What can be repaired is, and is clean then; what cannot is left, and told with what to do. */
function mend(folder: string, { leaves, refuses }: Damage): void {
  const before = refuses === true ? undefined : readableMail(folder)
  const { result, sentences } = repairNow(folder)
  if (refuses === true) {
    assert(!result.ok)
    assert.match(result.problem, /salvage|backup/)
    return
  }
  assert(result.ok, result.ok ? '' : result.problem)
  if (before !== undefined) assert.deepEqual(lostMail(before, readableMail(folder)), [])
  const findings = findingsOf(folder)
  const text = [...sentences, ...findings.map(({ sentence }) => sentence)].join('\n')
  assert.deepEqual(kindsOf(findings), [...(leaves ?? [])].sort(), text)
  for (const { repairable, sentence } of findings) assert.equal(repairable, false, sentence)
  if (leaves === undefined) assert(sentences.length > 0)
}

test('every kind of finding is planted by a damage', () => {
  const planted = new Set(DAMAGES.flatMap(({ sees }) => sees))
  assert.deepEqual(
    FINDING_KINDS.filter((kind) => !planted.has(kind)),
    [],
  )
})
