import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { EDITED_PAGES, linkedFiles, packagedPage } from './package-pages.ts'

const root = path.dirname(import.meta.dirname)
const read = (name: string): string => fs.readFileSync(path.join(root, name), 'utf8')

test('the pages of the package name no command and no page that only the source has', () => {
  for (const name of EDITED_PAGES) {
    const page = packagedPage(name, read(name))
    assert.deepEqual(
      linkedFiles(page).filter((target) => !/^(docs\/|README|SECURITY)/.test(target)),
      [],
    )
    assert.doesNotMatch(page, /npm test|npm run build|dist\//, name)
    assert.match(page, /npm start/)
  }
})

test('a page that no longer says what is said anew in the package stops the build', () => {
  assert.throws(() => packagedPage('README.md', '# Hikyaku\n'), /README\.md does not have/)
  assert.equal(packagedPage('LICENSE', 'as it is'), 'as it is')
})
