import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { composeParameterField } from './compose.ts'
import { headerFields } from './header.ts'
import { decodeParameters, parseParameters } from './params.ts'

function read(field: string): { value: string; params: Record<string, string>; tags: string[] } {
  const parsed = parseParameters(field)
  const { params, leniencies } = decodeParameters(parsed.raw)
  return {
    value: parsed.value,
    params: Object.fromEntries(params),
    tags: [...parsed.leniencies, ...leniencies],
  }
}

test('parameters of all forms', () => {
  const cases: readonly (readonly [string, string, Record<string, string>])[] = [
    ['text/plain', 'text/plain', {}],
    [' text/plain; charset =us-ascii (Plain text)', 'text/plain', { charset: 'us-ascii' }],
    [' message / rfc822 (x)', 'message/rfc822', {}],
    ['a/b;\r\n\tNAME="x; \\"y\\"";z=1', 'a/b', { name: 'x; "y"', z: '1' }],
    ["a/b; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A", 'a/b', { title: 'This is ***fun***' }],
    [
      "a/b; title*0*=us-ascii'en'even%20more%20; title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't it!\"",
      'a/b',
      { title: "even more ***fun*** isn't it!" },
    ],
    ["a/b; f*=iso-2022-jp''%1B$B2q5D%1B(B; f=x", 'a/b', { f: '会議' }],
  ]
  for (const [field, value, params] of cases)
    assert.deepEqual({ value: read(field).value, params: read(field).params }, { value, params }, field)
})

test('octets of one character may stand in two sections', () => {
  assert.deepEqual(read("a/b; f*1*=%AC; f*0*=utf-8''%E6%97%A5%E6%9C").params, { f: '日本' })
})

test('lenient forms are read and tagged', () => {
  const cases: readonly (readonly [string, Record<string, string>, string])[] = [
    ['a/b; name=my file.txt', { name: 'my file.txt' }, 'parameter-unquoted-space'],
    ['a/b; name="=?utf-8?B?5Lya6K2w?=.txt"', { name: '会議.txt' }, 'encoded-word-in-parameter'],
    ['a/b; name="open', { name: 'open' }, 'quote-unclosed'],
    ['a/b; x=1 y=2', { x: '1', y: '2' }, 'parameter-without-semicolon'],
    ['a/b\r\n x=1', { x: '1' }, 'parameter-without-semicolon'],
    ['a/b; f*0=a; f*2=c', { f: 'a' }, 'parameter-sections-missing'],
    ['a/b; f*=%41', { f: 'A' }, 'parameter-without-charset'],
    ['a/b; name=\u00e4\u00bc\u009a.txt', { name: '会.txt' }, ''],
    ['a/b; name="caf\u00e9"', { name: 'café' }, 'header-raw-8bit'],
  ]
  for (const [field, params, tag] of cases) {
    const { params: got, tags } = read(field)
    assert.deepEqual(got, params, field)
    assert.ok(tag === '' || tags.includes(tag), `${field}: ${tags}`)
  }
})

test('names of the prototype are names', () => {
  const { params } = decodeParameters(parseParameters('a/b; __proto__=1; constructor*0=2').raw)
  assert.deepEqual(params, [
    ['__proto__', '1'],
    ['constructor', '2'],
  ])
})

test('round trip: what is composed is read', () => {
  const name = fc.stringMatching(/^[a-z][a-z-]{0,10}$/)
  const text = fc
    .string({ unit: 'grapheme', maxLength: 40 })
    .filter((value) => !/[\x00-\x1f\x7f]/.test(value))
  fc.assert(
    fc.property(
      fc.dictionary(
        name,
        text.map((value) => value.toWellFormed()),
        { maxKeys: 4, noNullPrototype: true },
      ),
      (params) => {
        const field = composeParameterField('Content-Type', 'a/b', params)
        const raw = headerFields(Buffer.from(field, 'latin1'))[0]?.raw ?? ''
        const expected = Object.fromEntries(
          Object.entries(params).filter(([, value]) => !value.includes('=?')),
        )
        const got = read(raw).params
        for (const [key, value] of Object.entries(expected)) assert.equal(got[key], value, field)
      },
    ),
    { numRuns: 200 },
  )
})

test('cut at every byte: reading never fails', () => {
  const field = 'a/b (c); x="y\\"z"; f*0*=utf-8\'\'%E4%BC; f*1*=%9A; name==?utf-8?q?a?=; q="'
  for (let cut = 0; cut <= field.length; cut++) {
    assert.equal(typeof read(field.slice(0, cut)).value, 'string')
    assert.equal(typeof read(field.slice(cut)).value, 'string')
  }
})
