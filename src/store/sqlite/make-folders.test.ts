import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeFolders } from './make-folders.ts'

test('folders are made down from the first that is missing, each with the mode', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'hikyaku-folders-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  assert.equal(makeFolders(join(root, 'a/b/c'), 0o700), join(root, 'a'))
  for (const name of ['a', 'a/b', 'a/b/c']) assert.equal(statSync(join(root, name)).mode & 0o777, 0o700)
  assert.equal(makeFolders(join(root, 'a/b/c'), 0o700), undefined)
  assert.equal(makeFolders(join(root, 'a/b/d'), 0o700), join(root, 'a/b/d'))
  writeFileSync(join(root, 'file'), '')
  assert.throws(() => makeFolders(join(root, 'file'), 0o700), { code: 'EEXIST' })
  assert.throws(() => makeFolders(join(root, 'file/b'), 0o700), { code: 'ENOTDIR' })
})

test('a place that takes no folders ends in an error', {
  skip: process.platform !== 'linux' && 'needs /proc, whose mkdir says ENOENT',
}, () => {
  assert.throws(() => makeFolders('/proc/hikyaku/backups', 0o700), { code: 'ENOENT' })
})
