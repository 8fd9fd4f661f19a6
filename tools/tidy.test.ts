import assert from 'node:assert/strict'
import { test } from 'node:test'
import { said } from './testing.ts'
import { checkTidy } from './tidy.ts'

function lines(count: number): string {
  return '  a()\n'.repeat(count)
}

test('code that keeps to the rules is accepted', (t) => {
  const files = {
    'src/a.ts': [
      "const a = 'TODO and @ts-ignore in a string'",
      '// biome-ignore lint/style/useConst: the reason stands here',
      `function b(): { c: number } {\n${lines(68)}}`,
      '',
    ].join('\n'),
    '.ci/run': ['ls ..', 'shared/testdata\n'].join('/'),
  }
  assert.deepEqual(said(t, checkTidy, files), [])
})

const refused: [what: string, file: string, text: string, expected: RegExp][] = [
  ['a long file', 'src/a.ts', '\n'.repeat(451), /a\.ts: 451 lines/],
  ['a long test file', 'src/a.test.ts', '\n'.repeat(901), /901 lines/],
  ['a long function', 'src/a.ts', `\nfunction b() {\n${lines(69)}}\n`, /a\.ts:2: b: 71 lines/],
  [
    'a long method with a return type',
    'src/a.ts',
    `class C {\nb(d: E): { f: G } | H<I> {\n${lines(70)}}\n}\n`,
    /a\.ts:2: b: 72/,
  ],
  ['a long arrow function', 'src/a.ts', `const b = (c) => {\n${lines(70)}}\n`, /an arrow function: 72 lines/],
  ['a note for later', 'src/a.ts', '/* head\n * TODO: more */\n', /a\.ts:2: nothing is left for later/],
  ['a silenced compiler', 'src/a.ts', '// @ts-expect-error\n', /not silenced/],
  [
    'a rule set aside without a reason',
    'src/a.ts',
    '// biome-ignore lint/style/useConst\n',
    /with its reason/,
  ],
  [
    'a rule set aside with a placeholder',
    'src/a.ts',
    '// biome-ignore lint/a: <explanation>\n',
    /with its reason/,
  ],
  ['a tab', 'src/a.ts', '\tb()\n', /a\.ts:1: a tab/],
  [
    'the folder beside the project',
    'docs/a.md',
    ['see ..', 'shared/testdata\n'].join('/'),
    /a\.md:1: nothing outside/,
  ],
  ['a path of one machine', 'docs/a.md', ['', 'work', 'main\n'].join('/'), /one machine/],
  [
    'a registry',
    'package-lock.json',
    `{"resolved": "https://${['registry', 'npmjs', 'org'].join('.')}/a"}\n`,
    /no host name/,
  ],
  ['a last line without an end', 'docs/a.md', 'a', /no end/],
]

for (const [what, file, text, expected] of refused) {
  test(`${what} is refused`, (t) => {
    const found = said(t, checkTidy, { [file]: text })
    assert.equal(found.length, 1, found.join('\n'))
    assert.match(found[0] ?? '', expected)
  })
}
