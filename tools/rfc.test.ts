import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkRfcs, findMisspelt } from './rfc.ts'
import { plant, said } from './testing.ts'

const index = '# head\n3501\tYes\tIMAP\n5321\tPartial\tSMTP\n9051\tNo\tIMAP 2\n'
const check = (root: string) => checkRfcs(root, true)

test('an index and the code that cites it agree', (t) => {
  const lines = said(t, check, {
    'rfc/index.tsv': index,
    'src/a.ts': '// rfc3501 §6.3.1, and rfc5321.\n',
    'src/a.test.ts': '// rfc9051 §1\n',
  })
  assert.deepEqual(lines, [])
})

test('a document that the index does not know is refused, in docs too', (t) => {
  const lines = said(t, check, {
    'rfc/index.tsv': index,
    'src/a.ts': '// rfc3501 rfc5321\n\n// rfc1 is no number here, rfc9999 §1 is\n',
    'docs/a.md': 'As RFC 8888 says.\n',
  })
  assert.deepEqual(lines, [
    'src/a.ts:3: rfc9999 is not in rfc/index.tsv',
    'docs/a.md:1: rfc8888 is not in rfc/index.tsv',
  ])
})

test('what is claimed and not cited, and what is cited and not claimed, are told', (t) => {
  const files = { 'rfc/index.tsv': index, 'src/a.ts': '// rfc5321 §1\n// rfc9051 §2\n' }
  assert.deepEqual(said(t, check, files), [
    'rfc/index.tsv:2: rfc3501 is called Yes, but nothing under src/ cites it',
    'rfc/index.tsv:4: rfc9051 is called No, but src/a.ts:2 cites it; say why behind the title',
  ])
  assert.deepEqual(
    checkRfcs(plant(t, files), false).map(({ isWarning }) => isWarning),
    [true, true],
  )
})

test('an index out of order, doubled, with an unknown word or a missing column is refused', (t) => {
  const lines = said(t, check, { 'rfc/index.tsv': '20\tNo\ta\n10\tNo\tb\n10\tNo\tc\n30\tMaybe\td\n40\tNo\n' })
  assert.equal(lines.length, 4)
  assert.match(lines[0] ?? '', /index\.tsv:2: rfc10 stands after rfc20/)
  assert.match(lines[1] ?? '', /index\.tsv:3: rfc10 stands after rfc10/)
  assert.match(lines[2] ?? '', /index\.tsv:4: Maybe is not/)
  assert.match(lines[3] ?? '', /index\.tsv:5: a line is/)
})

const misspelt: [comment: string, right: string | undefined][] = [
  ['rfc5321 §4.5.3.1', undefined],
  ['rfc5321', undefined],
  ['rfc5321, and 3 more', undefined],
  ['rfc5321 250 is the reply', undefined],
  ['rfc5321 §4.5.3.1.', undefined],
  ['(rfc5321 §4.5), rfc3501 §6', undefined],
  ['rfc5321 appendix D', undefined],
  ['rfc5321: "5.7.1" goes', undefined],
  ['rfc2231 sections, 3 of them', undefined],
  ['rfc5321 section A', undefined],
  ['RFC 5321', 'rfc5321'],
  ['RFC5321 §4', 'rfc5321 §4'],
  ['rfc 5321 §4', 'rfc5321 §4'],
  ['rfc5321 4.5.3', 'rfc5321 §4.5.3'],
  ['RFC 5321 4.5.3', 'rfc5321 §4.5.3'],
  ['rfc5321 section 4.5.3', 'rfc5321 §4.5.3'],
  ['rfc5321, section 4', 'rfc5321 §4'],
  ['rfc5321 § 4.5', 'rfc5321 §4.5'],
  ['rfc5321§4.5', 'rfc5321 §4.5'],
  ['rfc5321 §A', 'rfc5321 appendix A'],
  ['rfc5321 §', 'rfc5321 §…'],
]

for (const [comment, right] of misspelt) {
  test(`in a comment, "${comment}" is ${right === undefined ? 'accepted' : `to be "${right}"`}`, () => {
    const findings = findMisspelt('a.ts', `const a = 'RFC 5321'\n/* head\n * ${comment} */`)
    if (right === undefined) assert.deepEqual(findings, [])
    else {
      assert.equal(findings.length, 1)
      assert.ok(findings[0]?.text.includes(`"${right}"`), findings[0]?.text)
      assert.equal(findings[0]?.line, 3)
    }
  })
}
