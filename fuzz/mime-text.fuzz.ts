import assert from 'node:assert/strict'
import { decodeText } from '../src/mime/charset.ts'
import { htmlToText } from '../src/mime/html.ts'
import { decodeIso2022Jp } from '../src/mime/iso2022.ts'
import { searchForm } from '../src/mime/search.ts'
import { decodeUtf7 } from '../src/mime/utf7.ts'

/** Octets under every charset, and HTML. */
export const name = 'mime-text'

export const corpus: readonly string[] = [
  '\u001b$B2q5D\u001b(B\r\n\u001b(I12\u001b(B\u001b$(D0!\u001b$A0!\u001b$(C0!\u000e1\u000f\u00b1',
  '\u0089\u00ef\u008bc\u0087@\u00b1 \u00b2\u00f1\u00b5\u00c4\u008e\u00b1\u008f\u00b0\u00a1',
  '\u00c0\u00af\u00ed\u00a0\u0080\u00ef\u00bb\u00bf',
  'a+ZeVnLA-b+-+2D0-',
  '<p>a<!-- x --><script>y</script >&amp;&#12354;&#xD800;<pre> z</pre><td>',
]

const LABELS = [
  'iso-2022-jp',
  'shift_jis',
  'euc-jp',
  'utf-8',
  'utf-7',
  'gb18030',
  'big5',
  'euc-kr',
  'utf-16le',
  'us-ascii',
  'x-none',
  undefined,
]

export function fuzz(input: Uint8Array): void {
  for (const label of LABELS) {
    const { text } = decodeText(input, label)
    assert.ok(text.isWellFormed(), `${label} gives half a character`)
    searchForm(text)
  }
  decodeIso2022Jp(input)
  const octets = Buffer.from(input).toString('latin1')
  assert.ok(decodeUtf7(octets).isWellFormed())
  assert.ok(htmlToText(octets).length <= octets.length * 2)
}
