import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { SEEN } from '../../../mail/flags.ts'
import { migrate } from '../migrate.ts'
import type { Operation } from '../operations.ts'
import type { UnpackedCall } from '../packing.ts'
import { Sql, type Value } from '../sql.ts'
import { GroupCommit } from './group.ts'

const OWNER = 1

/** Counts what it runs. */
class CountingSql extends Sql {
  readonly counts = new Map<string, number>()

  override run(text: string, ...values: Value[]): void {
    const [word = ''] = text.split(' ')
    this.counts.set(word, (this.counts.get(word) ?? 0) + 1)
    super.run(text, ...values)
  }
}

function call(id: number, operation: Operation): UnpackedCall {
  const blobs = Array.from({ length: 7 }, () => Buffer.from('some octets'))
  return { id, operation, blobs, sizeBytes: 77 }
}

function append(id: number, mailbox: string, keyword: string): UnpackedCall {
  const flags = { system: 0, keywords: [keyword] }
  const body = {
    size: 33,
    headerSize: 11,
    crc: 1,
    file: null,
    sentDay: null,
    messageId: `<${id}@far.test>`,
    references: [],
    blob: 0,
  }
  const trace = { id: 'trace', atMs: 1, events: '[]', senders: '', recipients: 'anna@example.test' }
  const messages = [{ body, flags, dateMs: 1, zone: 0, trace }]
  return call(id, { op: 'append', owner: OWNER, mailbox, messages })
}

function rig() {
  const sql = new CountingSql(new DatabaseSync(':memory:'))
  migrate(sql.db)
  const group = new GroupCommit(sql, [], () => undefined)
  const login = 'anna@example.test'
  group.run([call(1, { op: 'add-account', login, nowMs: 1, quota: null, credential: null })])
  sql.counts.clear()
  return { sql, group }
}

test('a group that is taken whole needs no savepoint', () => {
  const { group, sql } = rig()
  const { results } = group.run([append(1, 'INBOX', 'a'), append(2, 'INBOX', 'b')])
  assert.deepEqual(
    results.map(([id, ok]) => [id, ok]),
    [
      [1, 1],
      [2, 1],
    ],
  )
  assert.equal(sql.counts.get('SAVEPOINT'), undefined)
  assert.equal(sql.counts.get('COMMIT'), 1)
})

test('an operation that is refused fails alone: what the group had done before it is undone, and done again', () => {
  const { group, sql } = rig()
  group.run([append(1, 'INBOX', 'first')])
  const { events, results } = group.run([
    append(2, 'INBOX', 'second'),
    append(3, 'Nowhere', 'third'),
    append(4, 'INBOX', 'fourth'),
  ])
  assert.deepEqual(
    results.map(([id, ok]) => [id, ok]),
    [
      [2, 1],
      [3, 0],
      [4, 1],
    ],
  )
  assert.deepEqual(
    results.flatMap(([, ok, value]) => (ok === 1 ? (value as { uids: readonly number[] }).uids : [])),
    [2, 3],
  )
  assert.equal(events.filter(({ e }) => e === 'added').length, 2)
  const [uidNext, messages, size] = sql.get('SELECT uidnext, messages, size FROM mailboxes') ?? []
  assert.deepEqual([uidNext, messages, size], [4, 3, 99])
  assert.deepEqual(sql.get('SELECT used FROM accounts'), [99])
  assert.deepEqual(sql.all('SELECT name FROM keywords ORDER BY bit').flat(), ['first', 'second', 'fourth'])
  assert.deepEqual(sql.all('SELECT count(*) FROM bodies').flat(), [3])
  assert.deepEqual(sql.get('SELECT trace_bytes, (SELECT count(*) FROM traces) FROM counters'), [
    sql.get('SELECT sum(octet_length(events)) FROM traces')?.[0],
    3,
  ])
  // The writer's own copy goes on from there.
  const [next] = group.run([append(5, 'INBOX', 'second')]).results
  assert.deepEqual(next, [
    5,
    1,
    { uidValidity: sql.get('SELECT uidvalidity FROM mailboxes')?.[0], uids: [4] },
  ])
})

test('a STORE is counted once where a later operation of its group is refused', () => {
  const { group, sql } = rig()
  group.run([append(1, 'INBOX', 'a'), append(2, 'INBOX', 'b')])
  const mailbox = Number(sql.get("SELECT id FROM mailboxes WHERE name = 'INBOX'")?.[0])
  const flags = { system: SEEN, keywords: [] }
  const store = call(3, {
    ...{ op: 'flags', owner: OWNER, mailbox, ranges: [1, 2], action: 'add', flags },
    ...{ unchangedSince: null, view: 0, silent: false },
  })
  const { results } = group.run([store, append(4, 'Nowhere', 'c')])
  assert.deepEqual(
    results.map(([, ok]) => ok),
    [1, 0],
  )
  assert.deepEqual(sql.get(`SELECT messages, unseen FROM mailboxes WHERE id = ${mailbox}`), [2, 0])
})
