import assert from 'node:assert/strict'
import { test } from 'node:test'
import { show } from './finding.ts'
import { checkGenerated, writeGenerated } from './generated.ts'
import { plant } from './testing.ts'

test('a stale page is told, and is fresh once it is written', async (t) => {
  const root = plant(t, {
    'src/reference.ts': "export function page(): string { return 'new\\n' }\n",
    'docs/reference.md': 'old\n',
  })
  const pages = [{ file: 'docs/reference.md', source: 'src/reference.ts', maker: 'page' }]
  assert.match(
    (await checkGenerated(root, pages)).map(show).join(),
    /^docs\/reference\.md: is not what the code prints/,
  )
  await writeGenerated(root, pages)
  assert.deepEqual(await checkGenerated(root, pages), [])
  const [page] = pages
  assert.ok(page)
  assert.match(
    (await checkGenerated(root, [{ ...page, maker: 'none' }])).map(show).join(),
    /exports no function none/,
  )
})
