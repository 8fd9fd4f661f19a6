import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { migrate } from '../migrate.ts'
import type { Operation } from '../operations.ts'
import { Sql, type Value } from '../sql.ts'
import { unfinishedCopies } from './copy-notes.ts'
import { GroupCommit } from './group.ts'
import { takeBackCopies } from './take-back.ts'

const OWNER = 1
const NOW_MS = 1_700_000_000_000
const LOGIN = 'anna@example.test'

/** A disk that fails at a commit, or a damaged page in the way of whoever takes entries out. */
class FailingSql extends Sql {
  isFailing = false
  isDamaged = false

  override run(text: string, ...values: Value[]): void {
    if (this.isFailing && text === 'COMMIT') throw new DiskError(SQLITE_IOERR_FSYNC)
    if (this.isDamaged && text.startsWith('DELETE FROM entries')) throw new DiskError(SQLITE_CORRUPT)
    super.run(text, ...values)
  }
}

const SQLITE_IOERR_FSYNC = 1034
const SQLITE_CORRUPT = 11

/** As `node:sqlite` says it. */
class DiskError extends Error {
  readonly code = 'ERR_SQLITE_ERROR'
  readonly errcode: number

  constructor(errcode: number) {
    super()
    this.errcode = errcode
  }
}

/** An account with four messages in INBOX and two in Other, and the writer that has just started. */
function rig() {
  const sql = new FailingSql(new DatabaseSync(':memory:'))
  migrate(sql.db)
  const start = (): GroupCommit => new GroupCommit(sql, [], () => undefined)
  let group = start()
  const run = (operation: Operation) => {
    const [result] = group.run([{ id: 1, operation, blobs: [], sizeBytes: 0 }]).results
    assert(result !== undefined)
    return { ok: result[1] === 1, value: result[2] }
  }
  const about = { owner: OWNER, nowMs: NOW_MS } as const
  assert(run({ op: 'add-account', login: LOGIN, nowMs: NOW_MS, quota: null, credential: null }).ok)
  assert(run({ op: 'create', ...about, name: 'Other', specialUse: null }).ok)
  const idOf = (name: string): number =>
    Number(sql.get('SELECT id FROM mailboxes WHERE name = ?', name)?.[0] ?? 0)
  fill(sql, idOf('INBOX'), [1, 2, 3, 4])
  fill(sql, idOf('Other'), [5, 6])
  group = start()
  const inbox = idOf('INBOX')
  let target: number | undefined
  const copy = (uid: number, isLast: boolean) => {
    const about = { op: 'copy', owner: OWNER, mailbox: inbox, to: 'Archive' } as const
    const same = target === undefined ? {} : { toUidValidity: target }
    const done = run({ ...about, ...same, ranges: [uid, uid], part: { copy: 'c', isLast } })
    if (done.ok) target = (done.value as { readonly uidValidity: number }).uidValidity
    return done
  }
  const uidsOf = (name: string) =>
    sql.all('SELECT uid FROM entries WHERE mailbox = ? ORDER BY uid', idOf(name)).map(([uid]) => uid)
  const failing = (on: boolean): void => {
    sql.isFailing = on
  }
  return { sql, run, copy, uidsOf, about, failing, group: () => group, start }
}

function mailboxOf(sql: Sql, name: string): { readonly uidValidity: number } {
  return { uidValidity: Number(sql.get('SELECT uidvalidity FROM mailboxes WHERE name = ?', name)?.[0]) }
}

function fill(sql: Sql, mailbox: number, messages: readonly number[]): void {
  for (const [at, message] of messages.entries()) {
    sql.run('INSERT INTO messages VALUES (?, ?, ?, ?, 1, 10, 0, 0, NULL)', message, OWNER, message, message)
    sql.run('INSERT INTO entries VALUES (?, ?, ?, 0, 1)', mailbox, at + 1, message)
  }
  const count = messages.length
  sql.run(
    'UPDATE mailboxes SET uidnext = ?, messages = ?, size = ? WHERE id = ?',
    count + 1,
    count,
    count * 10,
    mailbox,
  )
  sql.run('UPDATE accounts SET used = used + ?', count * 10)
}

test('a COPY ends where another mailbox takes the name of its target, and nothing of that is taken back', () => {
  for (const isLast of [false, true]) {
    const { sql, run, copy, uidsOf, about, start } = rig()
    assert(copy(1, false).ok)
    assert(copy(2, false).ok)
    assert.deepEqual(uidsOf('Archive'), [1, 2])
    assert(run({ op: 'delete', ...about, name: 'Archive' }).ok)
    assert(run({ op: 'rename', ...about, from: 'Other', to: 'Archive' }).ok)
    assert.deepEqual(copy(3, isLast), { ok: false, value: { kind: 'no-such-mailbox', what: 'Archive' } })
    assert.equal(unfinishedCopies(sql).length, 1)
    takeBackCopies(sql, start())
    assert.deepEqual(uidsOf('Archive'), [1, 2], 'mail that was there before')
    assert.deepEqual(unfinishedCopies(sql), [])
  }
})

test('the note of a COPY whose account is gone goes at the next start', () => {
  const { sql, run, copy, start } = rig()
  assert(copy(1, false).ok)
  assert(run({ op: 'remove-account', login: LOGIN }).ok)
  assert.equal(unfinishedCopies(sql).length, 1)
  takeBackCopies(sql, start())
  assert.deepEqual(unfinishedCopies(sql), [])
})

test('a COPY that could not be taken back while the disk failed goes as soon as it works again', () => {
  const { sql, group, copy, uidsOf, failing } = rig()
  assert(copy(1, false).ok)
  assert(copy(2, false).ok)
  const { uidValidity } = mailboxOf(sql, 'Archive')
  const about = { op: 'take-back', owner: OWNER, uidValidity, copy: 'c' } as const
  const takeBack = (uid: number, isLast: boolean) => {
    const operation = { ...about, ranges: [uid, uid], isLast }
    return group().run([{ id: 1, operation, blobs: [], sizeBytes: 0 }]).results[0]?.[1]
  }
  failing(true)
  assert.equal(takeBack(1, false), 0)
  failing(false)
  assert.equal(takeBack(2, true), 0, 'nothing is believed before the database was opened again')
  assert.deepEqual(uidsOf('Archive'), [1, 2])
  group().reopen(sql)
  while (group().hasWork) group().runLater()
  assert.deepEqual(uidsOf('Archive'), [])
  assert.deepEqual(unfinishedCopies(sql), [])
})

/** Two messages of a COPY that nobody finished, and a start whose disk would not let it take them back. */
function refusedAtStart() {
  const { sql, copy, uidsOf, about, failing, start } = rig()
  assert(copy(1, false).ok)
  assert(copy(2, false).ok)
  failing(true)
  const group = start()
  takeBackCopies(sql, group)
  failing(false)
  return { sql, uidsOf, about, group, start }
}

test('a COPY that could not be taken back at the start is as soon as the disk works again', () => {
  const { sql, uidsOf, group } = refusedAtStart()
  assert(group.mistrust !== undefined, 'nothing goes through this connection any more')
  group.reopen(sql)
  while (group.hasWork) group.runLater()
  assert.deepEqual(uidsOf('Archive'), [])
  assert.deepEqual(unfinishedCopies(sql), [])
})

test('a COPY of which a damaged page keeps a part keeps its note, for the next start', () => {
  const { sql, uidsOf, about, group, start } = refusedAtStart()
  group.reopen(sql)
  sql.isDamaged = true
  while (group.hasWork) group.runLater()
  sql.isDamaged = false
  const operation = { op: 'create', ...about, name: 'New', specialUse: null } as const
  assert.equal(group.run([{ id: 1, operation, blobs: [], sizeBytes: 0 }]).results[0]?.[1], 1)
  while (group.hasWork) group.runLater()
  assert.equal(unfinishedCopies(sql).length, 1)
  takeBackCopies(sql, start())
  assert.deepEqual(uidsOf('Archive'), [])
})
