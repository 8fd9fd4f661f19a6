import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { Sql } from '../sql.ts'
import { Shrinker } from './shrink.ts'

test('a disk that cannot be read while it looks for unused pages ends nothing', () => {
  const db = new DatabaseSync(':memory:')
  db.exec('PRAGMA auto_vacuum = INCREMENTAL; CREATE TABLE t (a)')
  const sql = new Sql(db)
  const broken = new Sql(db)
  broken.get = () => {
    throw Object.assign(new Error('disk I/O error'), { errcode: 266 })
  }
  let current = sql
  const shrinker = new Shrinker(() => current)
  current = broken
  shrinker.deleted()
  assert.equal(shrinker.hasWork, false)
  db.close()
})
