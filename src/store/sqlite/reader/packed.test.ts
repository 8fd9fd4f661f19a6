import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import fc from 'fast-check'
import type { FetchWanted } from '../../../ports/mailboxes.ts'
import { bodyCrcOf } from '../body-crc.ts'
import { FIRST_SCHEMA } from '../migrations/0001-first.ts'
import { type Row, Sql } from '../sql.ts'
import { fetchRows } from './fetch.ts'

/** Answers no question for many messages at once: everything is read row by row. */
class OneByOne extends Sql {
  override get(sql: string, ...values: readonly never[]): Row | undefined {
    return sql.includes('group_concat') ? undefined : super.get(sql, ...values)
  }
}

const bytes = fc.uint8Array({ maxLength: 40 }).map((octets) => Buffer.from(octets))
/** A list as IMAP writes it, now and then one that is damaged. */
const list = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^[a-z ]{0,30}$/).map((text) => Buffer.from(`("${text}" NIL)`)) },
  { weight: 1, arbitrary: bytes },
)
const message = fc.record({
  ...{ envelope: list, structure: list, prefix: bytes, head: bytes, text: fc.option(bytes, { freq: 12 }) },
  isRight: fc.nat(9).map((n) => n > 0),
  file: fc.option(fc.constant('none'), { freq: 12 }),
  isGone: fc.boolean(),
})
const PLAIN = {
  ...{ envelope: Buffer.from('()'), structure: Buffer.from('()'), prefix: Buffer.alloc(0) },
  ...{ head: Buffer.from('A: 1'), text: Buffer.from('text'), file: null },
  ...{ isRight: true, isGone: false },
}
const wanted: fc.Arbitrary<FetchWanted> = fc.record(
  {
    envelope: fc.boolean(),
    bodyStructure: fc.boolean(),
    internalDate: fc.boolean(),
    size: fc.boolean(),
    emailId: fc.boolean(),
    sections: fc.constantFrom<NonNullable<FetchWanted['sections']>>(
      [],
      [{ path: [], what: 'header' }],
      [{ path: [], what: 'all' }],
      [
        { path: [], what: 'all', partial: { offset: 20, length: 50 } },
        { path: [], what: { fields: ['SUBJECT'], not: true }, partial: { offset: 2, length: 20 } },
      ],
      [
        { path: [], what: { fields: ['SUBJECT'], not: true } },
        { path: [], what: 'header', partial: { offset: 3, length: 9 } },
      ],
    ),
  },
  { requiredKeys: [] },
)

test('property: what is read of many messages at once is what is read one by one', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 150 }), wanted, (all, want) => {
      const db = new DatabaseSync(':memory:')
      db.exec(FIRST_SCHEMA)
      const body = db.prepare("INSERT INTO bodies VALUES (?, 1, ?, ?, ?, NULL, ?, ?, ?, ?, X'', X'', ?)")
      const texts = db.prepare('INSERT INTO texts VALUES (?, ?)')
      const row = db.prepare('INSERT INTO messages VALUES (?, 1, ?, ?, 1, ?, ?, 60, NULL)')
      for (const [id, { envelope, file, head, isGone, isRight, prefix, structure, text }] of all.entries()) {
        const header = prefix.length + head.length
        const size = header + (text?.length ?? 0)
        const crc = isRight ? bodyCrcOf(prefix, head, text ?? head) : 1
        if (!isGone) body.run(id, size, crc, header, file, prefix, envelope, structure, head)
        if (text !== null) texts.run(id, text)
        row.run(id, id, id, size, 1000 + id)
      }
      const ids = [...all.keys(), 9999].reverse()
      const read = (sql: Sql) => fetchRows(sql, '/nowhere', ids, want, Number.MAX_SAFE_INTEGER)
      assert.deepEqual(read(new Sql(db)), read(new OneByOne(db)))
      db.close()
    }),
    { numRuns: 60, examples: [[[PLAIN, PLAIN], {}]] },
  )
})

test('a number that damage has made text of is named, and the other messages are given', () => {
  const db = new DatabaseSync(':memory:')
  // Without STRICT: a flipped bit asks nobody for the type that it makes.
  db.exec(FIRST_SCHEMA.replaceAll(/STRICT(?:, )?/g, ''))
  const body = db.prepare("INSERT INTO bodies VALUES (?, 1, 8, ?, 4, NULL, NULL, X'', ?, ?, X'', X'', ?)")
  const row = db.prepare('INSERT INTO messages VALUES (?, 1, ?, ?, 1, ?, 1000, 60, NULL)')
  const { envelope, head, prefix, structure, text } = PLAIN
  for (const id of [1, 2, 3]) {
    body.run(id, bodyCrcOf(prefix, head, text), envelope, structure, head)
    db.prepare('INSERT INTO texts VALUES (?, ?)').run(id, text)
    row.run(id, id, id, id === 2 ? 'a8' : 8)
  }
  const wants: readonly FetchWanted[] = [{ size: true }, { sections: [{ path: [], what: 'all' }] }]
  for (const want of wants) {
    const { damaged, done } = fetchRows(new Sql(db), '/nowhere', [1, 2, 3], want, 10_000)
    assert.equal(done, 3)
    assert.deepEqual(
      damaged.map(([index]) => index),
      [1],
    )
  }
  db.close()
})
