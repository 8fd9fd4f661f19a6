import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { REPORTS_DELETED_AT_ONCE, REPORTS_KEPT_BYTES, REPORTS_KEPT_MS } from '../../limits.ts'
import { migrate } from '../migrate.ts'
import type { Operation } from '../operations.ts'
import type { ReceivedRow } from '../report-rows.ts'
import { type Row, Sql, type Value } from '../sql.ts'
import { GroupCommit } from './group.ts'

/** Keeps what it ran. */
class NotingSql extends Sql {
  readonly texts = new Set<string>()

  override run(text: string, ...values: Value[]): void {
    this.texts.add(text)
    super.run(text, ...values)
  }

  override get(text: string, ...values: Value[]): Row | undefined {
    this.texts.add(text)
    return super.get(text, ...values)
  }

  override all(text: string, ...values: Value[]): readonly Row[] {
    this.texts.add(text)
    return super.all(text, ...values)
  }
}

function writer() {
  const db = new DatabaseSync(':memory:')
  migrate(db)
  const sql = new NotingSql(db)
  const group = new GroupCommit(sql, [], () => undefined)
  let id = 0
  const add = (over: Partial<ReceivedRow>): void => {
    id++
    const row: ReceivedRow = {
      ...{ kind: 'dmarc', organization: 'Far', reportId: `${id}`, domain: 'example.test', part: '' },
      ...{ receivedMs: 0, report: '{}', ...over },
    }
    const operation: Operation = { op: 'add-report', row }
    const { results } = group.run([{ id, operation, blobs: [], sizeBytes: 0 }])
    assert.deepEqual(results[0]?.slice(0, 2), [id, 1], JSON.stringify(results))
  }
  const one = (text: string): unknown => sql.get(text)?.[0]
  const total = (): unknown => one('SELECT bytes FROM reports_total')
  const sum = (): unknown => one('SELECT coalesce(sum(bytes), 0) FROM reports_received')
  const count = (): unknown => one('SELECT count(*) FROM reports_received')
  return { db, sql, add, total, sum, count }
}

test('what a report costs does not grow with how many there are: nothing of them is gone through', () => {
  const { add, db, sql } = writer()
  add({})
  for (const text of sql.texts) {
    if (!/\breports?_/.test(text)) continue
    const steps = db.prepare(`EXPLAIN QUERY PLAN ${text}`).all() as { detail: string }[]
    for (const { detail } of steps) assert.doesNotMatch(detail, /^SCAN/, text)
  }
  assert([...sql.texts].some((text) => text.startsWith('INSERT INTO reports_received')))
})

test('the octets of all are known; what is beyond the bound goes, the oldest first', () => {
  const { add, count, db, sum, total } = writer()
  for (let i = 0; i < 3; i++) add({ receivedMs: i, report: `"${'x'.repeat(100 * i)}"` })
  assert.equal(total(), 306)
  // As if there were others.
  db.exec(`UPDATE reports_total SET bytes = ${REPORTS_KEPT_BYTES}`)
  add({ receivedMs: 9, report: '"four"' })
  assert.deepEqual([count(), total()], [2, REPORTS_KEPT_BYTES + 6 - 2 - 102])
  add({ receivedMs: 9, report: '"five"' })
  assert.deepEqual([count(), sum()], [3, 202 + 6 + 6])
})

test('of what is past its time some go at once, whatever room there is', () => {
  const { add, count, sum, total } = writer()
  for (let i = 0; i < REPORTS_DELETED_AT_ONCE + 5; i++) add({ receivedMs: i })
  add({ receivedMs: REPORTS_KEPT_MS + 1000 })
  assert.deepEqual([count(), total()], [6, sum()])
  add({ receivedMs: REPORTS_KEPT_MS + 1000 })
  assert.deepEqual([count(), total()], [2, sum()])
})
