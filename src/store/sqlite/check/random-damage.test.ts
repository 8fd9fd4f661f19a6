import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { openAt } from '../open.test-kit.ts'
import { Random } from '../random.test-kit.ts'
import { copyOf, fillStore, findingsOf, lostMail, readableMail, repairNow } from './damaged.test-kit.ts'

/** Rounds of chance, each with a few damages; more with HIKYAKU_DAMAGE_ROUNDS. */
const ROUNDS = Number(process.env.HIKYAKU_DAMAGE_ROUNDS ?? 12)

let root = ''
let whole = ''
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'hikyaku-check-'))
  whole = join(root, 'whole')
  await fillStore(whole)
})
after(() => rm(root, { recursive: true, force: true }))

type Number01 = () => number

const pick = <T>(number: Number01, of: readonly T[]): T => of[Math.floor(number() * of.length)] as T

/** A value as a broken disk or a bug may leave it. */
function anyValue(number: Number01, type: string): SQLInputValue {
  const size = Math.floor(number() * 30)
  const octets = Buffer.from(Array.from({ length: size }, () => Math.floor(number() * 256)))
  if (type === 'BLOB') return octets
  if (type === 'TEXT')
    return pick(number, [octets.toString('latin1'), '', '[]', '{}', 'INBOX', '["a","b.test"]'])
  return pick(number, [
    0,
    1,
    -1,
    2,
    7,
    4_294_967_295,
    2 ** 40,
    2n ** 62n,
    -(2n ** 63n),
    Math.floor(number() * 100),
  ])
}

/** Changes or removes a row of any table, past every rule of the store. @returns what was done. */
function damageOne(db: DatabaseSync, number: Number01): string {
  const tables = db
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'`)
    .all()
  const table = String(pick(number, tables).name)
  const columns = db.prepare(`PRAGMA table_info(${table})`).all() as {
    name: string
    type: string
    pk: number
  }[]
  const keys = columns.filter(({ pk }) => pk > 0).map(({ name }) => name)
  const count = Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n)
  if (count === 0) return `${table} is empty`
  const at = Math.floor(number() * count)
  const where = `(${keys.join()}) IN (SELECT ${keys.join()} FROM ${table} ORDER BY ${keys.join()} LIMIT 1 OFFSET ${at})`
  if (number() < 0.25) {
    db.exec(`DELETE FROM ${table} WHERE ${where}`)
    return `row ${at} of ${table} removed`
  }
  const column = pick(number, columns)
  const value = anyValue(number, column.type)
  // A row with that key may be there already.
  db.prepare(`UPDATE OR IGNORE ${table} SET ${column.name} = ? WHERE ${where}`).run(value)
  return `${column.name} of row ${at} of ${table} set to ${String(value)}`
}

test('whatever is damaged is told, a repair ends, loses no mail, and leaves only what it cannot prove', () =>
  fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      const folder = await copyOf(whole, join(root, `copy-${seed}`))
      const done = spoil(folder, seed)
      try {
        findingsOf(folder, { deep: false })
        const found = findingsOf(folder)
        const mail = readableMail(folder)
        const { result } = repairNow(folder)
        assert(result.ok, result.ok ? '' : result.problem)
        assert.deepEqual(lostMail(mail, readableMail(folder)), [])
        const left = findingsOf(folder)
        assert.deepEqual(
          left.filter(({ repairable }) => repairable).map(({ sentence }) => sentence),
          [],
        )
        // What is clean can be worked with.
        if (left.length === 0) await (await openAt(folder)).close()
        assert(found.length > 0 || left.length === 0)
      } catch (error) {
        throw new Error(done.join('\n'), { cause: error })
      }
      await rm(folder, { recursive: true })
    }),
    { numRuns: ROUNDS },
  ))

function spoil(folder: string, seed: number): string[] {
  const random = new Random(seed)
  const number = () => random.next()
  const db = new DatabaseSync(join(folder, 'hikyaku.db'))
  try {
    return Array.from({ length: 1 + Math.floor(number() * 4) }, () => damageOne(db, number))
  } finally {
    db.close()
  }
}
