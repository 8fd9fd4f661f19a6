import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { ALLOWED_IN } from './states.ts'

const folder = import.meta.dirname
const rows = readFileSync(path.join(folder, 'rfc3501.tsv'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split('\t'))

test('each line of rfc3501.tsv names a test that exists', () => {
  const sources = new Map<string, string>()
  for (const [what, name, section, file = '', title = '', ...rest] of rows) {
    assert.match(what ?? '', /^(command|response|code|rule)$/)
    assert.match(section ?? '', /^[679](\.\d+)*$/)
    assert.deepEqual(rest, [], name)
    const source = sources.get(file) ?? readFileSync(path.join(folder, file), 'utf8')
    sources.set(file, source)
    assert.ok(source.includes(`'${title}'`), `${file} has no test '${title}' (for ${name})`)
  }
})

test('each command of the core is of rfc3501 or of a named extension', () => {
  const extensions = ['enable', 'id', 'idle', 'move', 'namespace', 'unselect']
  const named = rows.filter(([what]) => what === 'command').map(([, name]) => name?.toLowerCase())
  for (const kind of Object.keys(ALLOWED_IN))
    assert.ok(named.includes(kind) || extensions.includes(kind), kind)
})

test('nothing stands in the table twice', () => {
  const keys = rows.map(([what, name]) => `${what} ${name}`)
  assert.deepEqual(
    keys.filter((key, i) => keys.indexOf(key) !== i),
    [],
  )
  // All that the document has: whoever takes a line out says so here.
  const count = (kind: string): number => rows.filter(([what]) => what === kind).length
  assert.deepEqual(['command', 'response', 'code', 'rule'].map(count), [29, 16, 11, 148])
})
