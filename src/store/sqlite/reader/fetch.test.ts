import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { SectionWanted } from '../../../ports/mailboxes.ts'
import { FETCH_LOOK_BYTES } from '../../limits.ts'
import { bodyCrcOf } from '../body-crc.ts'
import { FIRST_SCHEMA } from '../migrations/0001-first.ts'
import { Sql } from '../sql.ts'
import { fetchRows } from './fetch.ts'

const SIZE = 128 * 1024
const MESSAGES = 200
const NONE = { fields: ['x-none'], not: false }

function store(head: Buffer, text: Buffer): Sql {
  const db = new DatabaseSync(':memory:')
  db.exec(FIRST_SCHEMA)
  const none = Buffer.alloc(0)
  const body = db.prepare("INSERT INTO bodies VALUES (?, 1, ?, ?, ?, NULL, NULL, ?, X'', X'', X'', X'', ?)")
  const texts = db.prepare('INSERT INTO texts VALUES (?, ?)')
  const row = db.prepare('INSERT INTO messages VALUES (?, 1, ?, ?, 1, ?, 1000, 60, NULL)')
  for (let id = 1; id <= MESSAGES; id++) {
    body.run(id, SIZE, bodyCrcOf(none, head, text), head.length, none, head)
    texts.run(id, text)
    row.run(id, id, id, SIZE)
  }
  return new Sql(db)
}

const small = Buffer.from('A: 1\r\n\r\n')
const cases: readonly (readonly [string, Sql, SectionWanted])[] = [
  [
    'one octet of each text',
    store(small, Buffer.alloc(SIZE - small.length, 'x')),
    { path: [], what: 'all', partial: { offset: 0, length: 1 } },
  ],
  ['fields that none has', store(Buffer.alloc(SIZE, 'A: 1\r\n'), Buffer.alloc(0)), { path: [], what: NONE }],
  [
    'a part of such fields',
    store(Buffer.alloc(SIZE, 'A: 1\r\n'), Buffer.alloc(0)),
    { path: [], what: NONE, partial: { offset: 0, length: 1 } },
  ],
]

for (const [name, sql, wanted] of cases)
  test(`a batch ends where much was gone through, however little is given: ${name}`, () => {
    const ids = Array.from({ length: MESSAGES }, (_, at) => at + 1)
    const numbers: number[] = []
    for (let at = 0; at < MESSAGES; ) {
      const rows = fetchRows(sql, '/nowhere', ids.slice(at), { sections: [wanted] }, Number.MAX_SAFE_INTEGER)
      assert.ok(rows.done > 0 && rows.done <= FETCH_LOOK_BYTES / SIZE, `${rows.done} messages at once`)
      assert.deepEqual(rows.damaged, [])
      for (let i = 1; i < rows.numbers.length; i += 3) numbers.push(rows.numbers[i] as number)
      at += rows.done
    }
    assert.deepEqual(numbers, ids)
    sql.db.close()
  })
