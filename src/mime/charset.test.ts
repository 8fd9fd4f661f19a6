import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalCharset, decodeText } from './charset.ts'
import { decodeIso2022Jp } from './iso2022.ts'
import { decodeUtf7 } from './utf7.ts'

const bytes = (octets: string): Uint8Array => Buffer.from(octets, 'latin1')
const decode = (octets: string, label?: string): string => decodeText(bytes(octets), label).text
const E = '\u001b'

test('charsets of mail in Japan', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['iso-2022-jp', `${E}$B2q5D${E}(B`, '会議'],
    ['ISO-2022-JP', `${E}$@2q5D${E}(J`, '会議'],
    ['iso-2022-jp-ms', `${E}$B-!y!${E}(B`, '①纊'],
    ['cp50220', `${E}(I1234${E}(B.`, 'ｱｲｳｴ.'],
    ['iso-2022-jp', `\u000e12\u000fA`, 'ｱｲA'],
    ['iso-2022-jp', '\u00b1\u00b2A', 'ｱｲA'],
    ['iso-2022-jp-1', `${E}$(D0!${E}(B`, '丂'],
    ['iso-2022-jp-2', `${E}$A0!${E}$(C0!${E}$B0!${E}(B`, '啊가亜'],
    ['shift_jis', '\u0089\u00ef\u008bc\u0087@\u00b1', '会議①ｱ'],
    ['windows-31j', '\u0081`', '～'],
    ['x-sjis', '\u0083\\', 'ソ'],
    ['cp932', '\u00faA', 'ⅱ'],
    ['euc-jp', '\u00b2\u00f1\u00b5\u00c4\u008e\u00b1', '会議ｱ'],
    ['cp51932', '\u00ad\u00a1', '①'],
    ['eucJP-ms', '\u008f\u00b0\u00a1', '丂'],
  ]
  for (const [label, octets, text] of cases) assert.equal(decode(octets, label), text, `${label} ${text}`)
})

test('other charsets and their labels', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['utf-8', '\u00e4\u00bc\u009a', '会'],
    ['"UTF8"'.replaceAll('"', ''), '\u00c3\u00a9', 'é'],
    ['iso-8859-1', '\u00e9\u0080', 'é€'],
    ['iso-8859-15', '\u00a4', '€'],
    ['latin1', '\u00e9', 'é'],
    ['cp1252', '\u0093x\u0094', '“x”'],
    ['windows-1251', '\u00cf', 'П'],
    ['koi8-r', '\u00f0', 'П'],
    ['gb2312', '\u00b0\u00a1', '啊'],
    ['gb18030', '\u00810\u00846', '¥'],
    ['big5', '\u00a4@', '一'],
    ['ks_c_5601-1987', '\u00b0\u00a1', '가'],
    ['utf-16be', '\u004f\u001a', '会'],
    ['utf-7', 'a+ZeVnLA-b+-', 'a日本b+'],
  ]
  for (const [label, octets, text] of cases) assert.equal(decode(octets, label), text, label)
  assert.equal(canonicalCharset('ANSI_X3.4-1968'), 'us-ascii')
  assert.equal(canonicalCharset('x-nobody-knows'), undefined)
  assert.equal(canonicalCharset('__proto__'), undefined)
})

test('attack 23b: an unterminated shift ends with its line, and is tagged', () => {
  const { text, leniencies } = decodeText(bytes(`${E}$B2q5D\r\nplain ${E}$B2q`), 'iso-2022-jp')
  assert.equal(text, '会議\r\nplain 会')
  assert.deepEqual(leniencies, ['iso-2022-jp-unterminated'])
})

test('attack 23a: escape tricks hide nothing', () => {
  assert.equal(decode(`<scr${E}(Bipt>`, 'iso-2022-jp'), '<script>')
  assert.equal(decode(`${E}$B2${E}(Bq`, 'iso-2022-jp'), '\ufffdq')
  assert.equal(decode(`${E}$B\r\n<b>`, 'iso-2022-jp'), '\r\n<b>')
  assert.equal(decode(`${E}%x${E}`, 'iso-2022-jp'), '\u001a%x\u001a')
})

test('attack 23c, 23d: octets that the label does not allow become U+FFFD and are tagged', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['utf-8', '\u00c0\u00af'],
    ['utf-8', '\u00ed\u00a0\u0080'],
    ['euc-jp', '\u00a4"'],
    ['shift_jis', '\u0082"'],
    ['gb18030', '\u0081"'],
  ]
  for (const [label, octets] of cases) {
    const { text, leniencies } = decodeText(bytes(octets), label)
    assert.ok(text.includes('\ufffd') && leniencies.includes('charset-damaged'), `${label} ${text}`)
    // A quote after a broken lead octet must not be swallowed: it may end an attribute.
    if (octets.endsWith('"')) assert.ok(text.endsWith('"'))
  }
})

test('text without a label is guessed', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['plain', 'us-ascii', 'plain'],
    ['\u00c3\u00a9', 'utf-8', 'é'],
    [`${E}$B2q5D${E}(B`, 'iso-2022-jp', '会議'],
    ['\u0082\u00a0\u0082\u00e8', 'shift_jis', 'あり'],
    ['\u00a4\u00a2\u00a4\u00ea', 'euc-jp', 'あり'],
    ['caf\u00e9', 'windows-1252', 'café'],
  ]
  for (const [octets, charset, text] of cases) {
    const guessed = decodeText(bytes(octets), undefined)
    assert.deepEqual([guessed.charset, guessed.text], [charset, text])
  }
  assert.deepEqual(decodeText(bytes('\u00e9'), 'us-ascii').leniencies, [
    'charset-not-ascii',
    'charset-guessed',
  ])
})

test('round trip: UTF-8', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      assert.equal(decodeText(Buffer.from(text), 'utf-8').text, text)
    }),
  )
})

test('cut at every byte: no charset fails, and a whole line is not changed by a later cut', () => {
  const jis = bytes(`${E}$B2q5D${E}(B\n${E}(I12${E}(B${E}$A0!${E}$(D0!\n\u000e1\u000f${E}`)
  for (let cut = 0; cut <= jis.length; cut++) {
    const { text } = decodeIso2022Jp(jis.subarray(0, cut))
    if (cut > 12) assert.ok(text.startsWith('会議\n'))
    for (const label of ['shift_jis', 'euc-jp', 'utf-8', 'utf-7', 'gb18030', 'utf-16le', undefined])
      assert.equal(typeof decodeText(jis.subarray(0, cut), label).text, 'string')
  }
  for (let cut = 0; cut <= 10; cut++) assert.equal(typeof decodeUtf7('a+ZeVnLA-b'.slice(0, cut)), 'string')
  assert.equal(decodeUtf7('+2D0-'), '\ufffd')
})
