import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkDecisions } from './decisions.ts'
import { said } from './testing.ts'

test('each package has one exact version and a paragraph, and no paragraph outlives its package', (t) => {
  const lines = said(t, checkDecisions, {
    'package.json': JSON.stringify({
      dependencies: { a: '1.2.3', '@b/c': '1.0.0' },
      devDependencies: { d: '^2.0.0' },
      optionalDependencies: { e: '1.0.0' },
    }),
    'docs/decisions/0002.md': '### a\nwhy\n\n### @b/c\nwhy\n\n### d\nwhy\n\n### gone\nwhy\n',
  })
  assert.deepEqual(lines, [
    'package.json: d ^2.0.0: name one exact version',
    'package.json: e has no paragraph "### e" in docs/decisions/',
    'docs/decisions/0002.md: has a paragraph on gone, which package.json does not name',
  ])
})
