import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkParsers } from './parsers.ts'
import { said } from './testing.ts'

const good = {
  'tools/parsers.tsv':
    '# head\nsrc/mime/date.ts\tsrc/mime/date.test.ts\tdate.test.ts: there and back\tdate\n' +
    'src/mime/lexer.ts\t-(its caller date.ts is tested)\n',
  'src/mime/date.ts':
    "import { Lexer } from './lexer.ts'\nexport function parseDate(text: string): Lexer {}\n",
  'src/mime/lexer.ts': 'export class Lexer {}\n',
  'src/mime/print.ts': 'export function readBack(date: Date): void {}\nfunction parse(text: string) {}\n',
  'src/mime/date.test.ts': [
    "import { parseDate } from './date.ts'",
    "test('a date cut at every byte is refused', () => {})",
    'test(`$\u007bfoo} there and back`, () => {})',
  ].join('\n'),
  'fuzz/date.fuzz.ts': [
    "import { parseDate } from '../src/mime/date.ts'",
    "export const name = 'date'",
    "export const corpus: readonly string[] = ['1 Jan']",
    'export function fuzz(input: Uint8Array): void {}',
  ].join('\n'),
}

const cases: [what: string, files: Record<string, string>, expected: RegExp[]][] = [
  ['a tree where each parser has its proofs is accepted', {}, []],
  [
    'a parser that is not listed is found by its name and arguments',
    {
      'src/protocol/a.ts': 'export function readPath(argument: string) {}\nexport class ReplyReader<A> {}\n',
      'src/protocol/b.ts': 'export function parseNoop(reader: CommandReader) {}\n',
      'src/session/c.ts': 'export function parseD(text: string) {}\n',
    },
    [/^src\/protocol\/a\.ts:1: parses \(readPath, ReplyReader\) and is not in/],
  ],
  [
    'a test without the cut is not enough',
    { 'src/mime/date.test.ts': "import './date.ts'\ntest('there and back', () => {})\n" },
    [/parsers\.tsv:2: src\/mime\/date\.test\.ts has no test named "cut at every byte"/],
  ],
  [
    'words in a comment or a string are no test',
    {
      'src/mime/date.test.ts':
        "import './date.ts'\n// test('cut at every byte')\nconst a = 'there and back'\n",
    },
    [/no test named "cut at every byte"/, /no test named "there and back"/],
  ],
  [
    'a test or a target that never reaches the parser proves nothing',
    {
      'src/mime/date.test.ts': "test('cut at every byte')\ntest('there and back')\n",
      'fuzz/date.fuzz.ts': "export const name = ''\nexport const corpus = ['']\nexport function fuzz() {}\n",
    },
    [/date\.test\.ts never reaches/, /date\.test\.ts never reaches/, /date\.fuzz\.ts never reaches/],
  ],
  [
    'a target without a corpus is no target',
    { 'fuzz/date.fuzz.ts': good['fuzz/date.fuzz.ts'].replace("'1 Jan'", '') },
    [/has an empty corpus/],
  ],
  [
    'a list that names what does not exist, or leaves a cell empty without a reason, is refused',
    {
      'tools/parsers.tsv':
        'src/mime/none.ts\ta.test.ts\tb.test.ts\tdate\nsrc/mime/date.ts\t\t\tdate\nsrc/mime/date.ts\tno.test.ts\t-\tno\n',
    },
    [
      /tsv:2: a line is/,
      /tsv:1: src\/mime\/none\.ts does not exist/,
      /tsv:3: no\.test\.ts does/,
      /"-" names/,
      /target no does/,
      /lexer\.ts:1: parses \(Lexer\)/,
    ],
  ],
  [
    'a star stands for the files of one folder',
    {
      'tools/parsers.tsv': `${good['tools/parsers.tsv']}src/protocol/commands/*.ts\t-(reached through parseCommand)\n`,
      'src/protocol/commands/a.ts': 'export function parseA(text: string) {}\n',
      'src/protocol/commands/deep/b.ts': 'export function parseB(text: string) {}\n',
    },
    [/deep\/b\.ts:1: parses \(parseB\)/],
  ],
]

for (const [what, files, expected] of cases) {
  test(what, (t) => {
    const lines = said(t, checkParsers, { ...good, ...files })
    assert.equal(lines.length, expected.length, lines.join('\n'))
    for (const [index, pattern] of expected.entries()) assert.match(lines[index] ?? '', pattern)
  })
}
