import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { migrate } from '../migrate.ts'
import type { GroupReport, Operation } from '../operations.ts'
import type { UnpackedCall } from '../packing.ts'
import { Random } from '../random.test-kit.ts'
import { type Row, Sql, type Value } from '../sql.ts'
import { GroupCommit } from './group.ts'

/* The writer keeps the tree of mailboxes in step itself: it never reads an account's mailboxes twice. */

const OWNER = 1
const NOW_MS = 1_700_000_000_000

class CountingSql extends Sql {
  rowsRead = 0
  /** The change of the tree that fails, counted from the next; as a row would that the schema does not take. */
  failsAtRun = 0

  override all(sql: string, ...values: Value[]): readonly Row[] {
    const rows = super.all(sql, ...values)
    this.rowsRead += rows.length
    return rows
  }

  override get(sql: string, ...values: Value[]): Row | undefined {
    this.rowsRead++
    return super.get(sql, ...values)
  }

  override run(sql: string, ...values: Value[]): void {
    if (
      /^(INSERT INTO|DELETE FROM) mailboxes|^UPDATE mailboxes SET name/.test(sql) &&
      this.failsAtRun > 0 &&
      --this.failsAtRun === 0
    )
      throw Object.assign(new Error('constraint failed'), { errcode: 19 })
    super.run(sql, ...values)
  }
}

class Rig {
  readonly db = new DatabaseSync(':memory:')
  readonly sql = new CountingSql(this.db)
  #group: GroupCommit | undefined

  constructor() {
    migrate(this.db)
    const login = 'anna@example.test'
    const made = this.run([{ op: 'add-account', login, nowMs: NOW_MS, quota: null, credential: null }])
    assert.equal(made.results[0]?.[1], 1)
  }

  run(operations: readonly Operation[]): GroupReport {
    this.#group ??= new GroupCommit(this.sql, [], () => undefined)
    const calls = operations.map(
      (operation, at): UnpackedCall => ({ id: at + 1, operation, blobs: [], sizeBytes: 0 }),
    )
    return this.#group.run(calls)
  }

  /** As a writer that has just started: all is read from the database. */
  forget(): void {
    this.#group = undefined
  }

  get rows(): unknown {
    return ['mailboxes', 'accounts', 'doomed', 'keywords', 'counters'].map((table) =>
      this.db.prepare(`SELECT * FROM ${table} ORDER BY 1`).all(),
    )
  }
}

const create = (name: string): Operation => ({
  op: 'create',
  owner: OWNER,
  name,
  specialUse: null,
  nowMs: NOW_MS,
})
const remove = (name: string): Operation => ({ op: 'delete', owner: OWNER, name, nowMs: NOW_MS })
const rename = (from: string, to: string): Operation => ({
  op: 'rename',
  owner: OWNER,
  from,
  to,
  nowMs: NOW_MS,
})

test('CREATE, RENAME and DELETE read as little with 2,000 mailboxes as with ten', () => {
  const rig = new Rig()
  const { sql } = rig
  const costOf = (operation: Operation): number => {
    const before = sql.rowsRead
    assert.deepEqual(
      rig.run([operation]).results.map(([, ok]) => ok),
      [1],
    )
    return sql.rowsRead - before
  }
  for (let i = 0; i < 2_000; i++) assert.ok(costOf(create(`box ${i}`)) <= 2)
  assert.ok(costOf(rename('box 1', 'box/1')) <= 2)
  assert.ok(costOf(remove('box 2')) <= 2)
})

test('what the writer knows of a tree is what the database holds, whatever was refused or failed midway', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const [long, fresh] = [new Rig(), new Rig()]
    const random = new Random(seed)
    const draw = (below: number) => random.below(below)
    for (let round = 0; round < 12; round++) {
      const operations = Array.from({ length: 1 + draw(4) }, () => operationOf(draw))
      const failsAtRun = draw(3) === 0 ? 1 + draw(6) : 0
      for (const rig of [long, fresh]) rig.sql.failsAtRun = failsAtRun
      const known = long.run(operations)
      const read = operations.map((operation) => {
        fresh.forget()
        return fresh.run([operation])
      })
      const what = `seed ${seed}, round ${round}: ${JSON.stringify(operations)}, fails at ${failsAtRun}`
      assert.deepEqual(outcomes([known]), outcomes(read), what)
      assert.deepEqual(long.rows, fresh.rows, what)
    }
  }
})

const NAMES = ['a', 'a/b', 'a/b/c', 'a/d', 'e', 'e/f', 'ab', 'INBOX/g']

function operationOf(draw: (below: number) => number): Operation {
  const name = (): string => NAMES[draw(NAMES.length)] ?? 'a'
  const kind = draw(7)
  if (kind === 6) return { op: 'set-quota', login: 'anna@example.test', quota: draw(9) }
  if (kind < 3) return create(name())
  return kind < 5 ? rename(draw(5) === 0 ? 'INBOX' : name(), name()) : remove(name())
}

function outcomes(reports: readonly GroupReport[]): unknown {
  return reports.flatMap(({ results }) => results.map(([, ok, value]) => [ok, value]))
}
