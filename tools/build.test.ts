import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'

const root = path.dirname(import.meta.dirname)

test('every file that becomes a thread is one that the package is built with', () => {
  const { include } = JSON.parse(fs.readFileSync(path.join(root, 'tsconfig.build.json'), 'utf8')) as {
    readonly include: readonly string[]
  }
  const isBuilt = (file: string): boolean => include.some((pattern) => path.matchesGlob(file, pattern))
  const sources = fs
    .readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /(?<!\.test|test-kit)\.ts$/.test(file))
  const threads = sources.flatMap((file) => {
    const text = fs.readFileSync(path.join(root, 'src', file), 'utf8')
    // Nothing imports such a file: it is named by a text alone.
    const named = text.matchAll(/workerScript\('([\w-]+)'|new URL\(`\.\/([\w-]+)\$\{/g)
    return [...named].map(([, one, other]) => path.join('src', path.dirname(file), `${one ?? other}.ts`))
  })
  assert.ok(threads.length >= 4, threads.join(', '))
  for (const file of threads) {
    assert.ok(fs.existsSync(path.join(root, file)), `${file} is there`)
    assert.ok(isBuilt(file), `${file} is built`)
  }
})
