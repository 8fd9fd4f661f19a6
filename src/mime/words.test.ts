import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodedWords, decodeWords, encodePhrase, encodeWords } from './words.ts'

const octets = (text: string): string => Buffer.from(text).toString('latin1')

test('words of both encodings are decoded', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['=?iso-8859-1?q?caf=E9_au_lait?=', 'café au lait'],
    ['=?ISO-2022-JP?B?GyRCMnE1RBsoQg==?=', '会議'],
    ['=?Shift_JIS?B?ie+LYw==?=', '会議'],
    ['=?EUC-JP?B?svG1xA==?=', '会議'],
    ['=?utf-8*ja?B?5Lya6K2w?=', '会議'],
    ['a =?utf-8?q?b?= c', 'a b c'],
    ['=?utf-8?q?a?= =?utf-8?q?b?=', 'ab'],
    ['=?utf-8?q?a?=\r\n =?iso-8859-1?q?b?=', 'ab'],
    ['=?utf-8?q?a?= b =?utf-8?q?c?=', 'a b c'],
    ['no words', 'no words'],
    ['', ''],
  ]
  for (const [value, text] of cases) assert.equal(decodedWords(value), text, value)
})

test('a character split between two words is joined', () => {
  assert.equal(decodedWords('=?utf-8?B?5Lw=?= =?utf-8?B?muitsA==?='), '会議')
  assert.equal(decodedWords('=?utf-8?q?=E4=BC?= =?UTF-8?B?mg==?='), '会')
  assert.equal(decodedWords('=?iso-2022-jp?B?GyRCMnE=?= =?iso-2022-jp?B?NUQbKEI=?='), '会議')
})

test('lenient forms are decoded and tagged', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['=?iso-8859-1?q?this is some text?=', 'this is some text', 'encoded-word-space'],
    ['[SPAM]x=?utf-8?q?y?=', '[SPAM]xy', 'encoded-word-inside-text'],
    ['=?none?q?abc=E9?=', 'abcé', 'charset-unknown'],
    ['=?utf-8?q?=FF?=', '\ufffd', 'charset-damaged'],
    ['caf\u00e9', 'café', 'header-raw-8bit'],
    ['\u001b$B2q5D\u001b(B', '会議', 'header-raw-8bit'],
    ['=?us-ascii?B?GyRCMnE1RBsoQg==?=', '会議', 'charset-not-ascii'],
  ]
  for (const [value, text, tag] of cases) {
    const words = decodeWords(value)
    assert.equal(words.text, text, value)
    assert.ok(words.leniencies.includes(tag), `${value}: ${words.leniencies}`)
  }
  assert.deepEqual(decodeWords(octets('会議')), { text: '会議', leniencies: [] })
})

test('what is no word stays', () => {
  for (const value of ['=?', '=?utf-8', '=?utf-8?q?open', '=?utf-8?x?a?=', '=?=?=?', '=??q?a?='])
    assert.equal(decodedWords(value), value)
})

test('round trip: any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      const encoded = encodeWords(text)
      assert.match(encoded, /^[\x20-\x7e]*$/)
      if (encoded !== text)
        for (const word of encoded.split(' ')) assert.match(word, /^=\?UTF-8\?B\?[A-Za-z0-9+/=]*\?=$/)
      assert.equal(decodedWords(encoded), text.toWellFormed())
      assert.ok(encoded.split(' ').every((word) => encoded === text || word.length <= 75))
    }),
    { numRuns: 300 },
  )
})

test('cut at every byte: decoding never fails', () => {
  const value = 'a =?ISO-2022-JP?B?GyRCMnE1RBsoQg==?= =?utf-8?q?=E4=BC=9A?= b'
  for (let cut = 0; cut <= value.length; cut++) {
    assert.equal(typeof decodedWords(value.slice(0, cut)), 'string')
    assert.equal(typeof decodedWords(value.slice(cut)), 'string')
  }
})

test('a display name is an atom, a quoted string or words', () => {
  assert.equal(encodePhrase('Taro Yamada'), 'Taro Yamada')
  assert.equal(encodePhrase('a@b "c"'), '"a@b \\"c\\""')
  assert.equal(encodePhrase('山田'), '=?UTF-8?B?5bGx55Sw?=')
})
