import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closing, codeOf, tokenize } from './tokens.ts'

function shown(text: string): string[] {
  return tokenize(text).map((token) => `${token.kind} ${token.text}`)
}

test('a word in a comment, a string, a template or a pattern is not code', () => {
  const text = [
    "// import a from 'a'",
    "/* import b\n from 'b' */",
    'const c = "import \\" d"',
    'const e = `import ${f(`g ${h}`)} }`',
    'const i = /import["\'`/*]/u.test(j) / k / 2',
  ].join('\n')
  const words = tokenize(text).filter((token) => token.kind === 'word')
  assert.deepEqual(
    words.map((token) => token.text),
    ['const', 'c', 'const', 'e', 'f', 'h', 'const', 'i', 'test', 'j', 'k'],
  )
  assert.equal(words.at(-1)?.line, 6)
})

test('a slash after a value divides, elsewhere it begins a pattern', () => {
  assert.deepEqual(shown('a / b / c'), ['word a', 'mark /', 'word b', 'mark /', 'word c'])
  assert.deepEqual(shown('return /b/ '), ['word return', 'regex /b/'])
  assert.deepEqual(
    shown('x = [1] / 2 / 3').filter((token) => token.startsWith('regex')),
    [],
  )
})

test('nothing is lost and nothing is made up', () => {
  const text = 'a?.b ?? c => { ...d } // e\n`f${{ g: "h" }}i` 0x1f 1e-5 .5'
  assert.equal(
    tokenize(text)
      .map((token) => token.text)
      .join(''),
    'a?.b??c=>{...d}// e`f${{g:"h"}}i`0x1f1e-5.5',
  )
  for (const token of tokenize(text)) {
    assert.equal(text.slice(token.offset, token.offset + token.text.length), token.text)
  }
})

test('broken text ends, wherever it is cut', () => {
  const text = 'a(`b${"c"}d`, /e[/]f/, \'g\') /* h */'
  for (let cut = 0; cut < text.length; cut += 1) tokenize(text.slice(0, cut))
})

test('a bracket is closed by its own kind of end, past templates', () => {
  const code = codeOf(tokenize('f({ a: `x${[1]}y` }) + 1'))
  assert.equal(code[closing(code, 1)]?.offset, 19)
})
