import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { filesUnder } from './finding.ts'
import { needsNamespaces } from './slow-places.ts'

const root = join(import.meta.dirname, '..')

test('what test/slow.sh runs by itself is what is run by it: no folder is forgotten in either', () => {
  const script = readFileSync(join(root, 'test/slow.sh'), 'utf8')
  const folders = [...script.matchAll(/test\/(\w+)\/\*\.slow\.test\.ts/g)].map(([, name]) => name)
  const found = filesUnder(root, 'test', '.slow.test.ts').filter(needsNamespaces)
  assert.deepEqual([...new Set(found.map((file) => file.split('/')[1]))].toSorted(), folders.toSorted())
})

test('no suite that asks for the namespaces is run outside', () => {
  const outside = filesUnder(root, 'test', '.slow.test.ts').filter((file) => !needsNamespaces(file))
  const asking = outside.filter((file) =>
    /needSlowNamespace|openWorld|harness\/hikyaku/.test(readFileSync(join(root, file), 'utf8')),
  )
  assert.deepEqual(asking, [])
})
