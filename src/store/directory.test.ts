import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeAddress, parseAddress } from '../mail/address.ts'
import type { Resolution } from '../ports/directory.ts'
import { AccountTable } from './accounts.ts'
import { type DirectorySettings, MemoryDirectory } from './directory.ts'
import { ALIAS_DEPTH, ALIAS_TARGETS } from './limits.ts'

const SETTINGS: DirectorySettings = { domains: ['example.test'], separator: '+' }

function directoryOf(logins: readonly string[], settings: DirectorySettings = SETTINGS) {
  const table = new AccountTable()
  for (const [i, login] of logins.entries())
    table.put({ id: i + 1, login, createdMs: 0, quota: null, used: 0, disabled: false })
  return { table, directory: new MemoryDirectory(table, settings) }
}

function resolve(directory: MemoryDirectory, text: string): Resolution {
  const address = parseAddress(text)
  assert(address !== undefined, text)
  return directory.resolve(address)
}

const first = (resolution: Resolution): string =>
  resolution.kind === 'local' ? (resolution.accounts[0]?.login ?? 'remote') : resolution.kind

test('an exact address wins over its detail form, an account over postmaster and catch-all', () => {
  const { directory, table } = directoryOf([
    'anna@example.test',
    'anna+x@example.test',
    'postmaster@example.test',
  ])
  table.setAlias('@example.test', ['anna@example.test'])
  assert.equal(first(resolve(directory, 'anna+x@example.test')), 'anna+x@example.test')
  assert.equal(first(resolve(directory, 'anna+y@example.test')), 'anna@example.test')
  assert.equal(first(resolve(directory, 'postmaster@example.test')), 'postmaster@example.test')
})

test('a quoted local part is the address that it stands for', () => {
  const { directory } = directoryOf(['anna@example.test'])
  assert.equal(first(resolve(directory, '"anna"@example.test')), 'anna@example.test')
  assert.equal(first(resolve(directory, '"anna@far.test"@example.test')), 'no-such-user')
  const percent = makeAddress('victim%far.test', 'example.test')
  assert(percent !== undefined)
  assert.equal(directory.resolve(percent).kind, 'no-such-user', 'the %-hack is just a name')
})

test('the separator is a setting, in force at once', () => {
  const { directory } = directoryOf(['anna@example.test', 'a-b@example.test'])
  assert.equal(first(resolve(directory, 'anna+x@example.test')), 'anna@example.test')
  directory.reload({ domains: ['example.test'], separator: '-' })
  assert.equal(first(resolve(directory, 'anna+x@example.test')), 'no-such-user')
  assert.equal(first(resolve(directory, 'anna-x@example.test')), 'anna@example.test')
  assert.equal(first(resolve(directory, 'a-b@example.test')), 'a-b@example.test')
  assert.equal(first(resolve(directory, '-x@example.test')), 'no-such-user')
  directory.reload({ domains: ['example.test'], separator: '' })
  assert.equal(first(resolve(directory, 'anna-x@example.test')), 'no-such-user')
  directory.reload({ domains: [], separator: '' })
  assert.equal(first(resolve(directory, 'anna@example.test')), 'not-ours')
})

test('postmaster is the named account, else the first one', () => {
  const logins = ['zoe@example.test', 'anna@example.test']
  assert.equal(first(resolve(directoryOf(logins).directory, 'PostMaster@example.test')), 'zoe@example.test')
  const named = { ...SETTINGS, postmaster: 'anna@example.test' }
  assert.equal(
    first(resolve(directoryOf(logins, named).directory, 'postmaster@example.test')),
    'anna@example.test',
  )
  assert.equal(first(resolve(directoryOf([]).directory, 'postmaster@example.test')), 'no-such-user')
})

test('an alias whose local target is gone still reaches the others; one that reaches nobody is nobody', () => {
  const { directory, table } = directoryOf(['anna@example.test'])
  table.setAlias('team@example.test', ['gone@example.test', 'anna@example.test'])
  table.setAlias('empty@example.test', ['gone@example.test'])
  assert.equal(first(resolve(directory, 'team@example.test')), 'anna@example.test')
  assert.equal(first(resolve(directory, 'empty@example.test')), 'no-such-user')
})

test('chains and fans of aliases end somewhere', () => {
  const { directory, table } = directoryOf(['anna@example.test'])
  for (let i = 0; i < ALIAS_DEPTH + 5; i++) table.setAlias(`a${i}@example.test`, [`a${i + 1}@example.test`])
  table.setAlias(`a${ALIAS_DEPTH + 5}@example.test`, ['anna@example.test'])
  assert.equal(first(resolve(directory, 'a0@example.test')), 'alias-loop')
  assert.equal(first(resolve(directory, 'a8@example.test')), 'anna@example.test')
  const many = Array.from({ length: 15 }, (_, i) => `f${i}@example.test`)
  table.setAlias('fan@example.test', many)
  for (const one of many)
    table.setAlias(
      one,
      Array.from({ length: 15 }, (_, i) => `${i}.${one.slice(0, 3)}@far.test`),
    )
  assert(15 * 15 > ALIAS_TARGETS)
  assert.equal(first(resolve(directory, 'fan@example.test')), 'alias-loop')
})

test('a catch-all that leads back into its domain is a loop', () => {
  const { directory, table } = directoryOf([])
  table.setAlias('@example.test', ['nobody@example.test'])
  assert.equal(first(resolve(directory, 'x@example.test')), 'alias-loop')
})
