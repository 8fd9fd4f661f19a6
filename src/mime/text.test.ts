import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { htmlToText } from './html.ts'
import { decodeParts } from './parts.ts'
import { MessageScanner } from './scanner.ts'
import { formHolds, heldTexts, SearchedHeader, searchForm } from './search.ts'
import { decodeTransfer, type ReadableText, type ReadRange, readableText } from './text.ts'

function open(content: Uint8Array): { root: ReturnType<typeof decodeParts>; read: ReadRange } {
  const scanner = new MessageScanner()
  scanner.push(content)
  const root = decodeParts(scanner.end(new Uint8Array()).parts)
  return { root, read: (start, end) => content.subarray(start, end) }
}

function textOf(content: string): ReadableText {
  const { root, read } = open(Buffer.from(content, 'latin1'))
  return readableText(root, read)
}

const MIXED = [
  'Subject: =?ISO-2022-JP?B?GyRCMnE1RBsoQg==?= Notes',
  'From: Taro <taro@example.com>',
  'Content-Type: multipart/mixed; boundary=m',
  '',
  '--m',
  'Content-Type: multipart/alternative; boundary=a',
  '',
  '--a',
  'Content-Type: text/plain; charset=iso-2022-jp',
  '',
  '\u001b$B2q5D\u001b(B',
  '--a',
  'Content-Type: text/html; charset=utf-8',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  '<p>only=20in html</p>',
  '--a--',
  '--m',
  'Content-Type: text/plain; charset=us-ascii',
  'Content-Disposition: attachment; filename=x.txt',
  'Content-Transfer-Encoding: base64',
  '',
  'YXR0YWNobWVudA==',
  '--m',
  'Content-Type: message/rfc822',
  '',
  'Subject: Within',
  '',
  'body within',
  '--m--',
  '',
].join('\r\n')

test('the text is the plain alternative and messages within, without attachments', () => {
  assert.deepEqual(textOf(MIXED), { text: '会議\nbody within', isCut: false, leniencies: [] })
})

test('HTML alone is read as text', () => {
  const content = 'Content-Type: text/html\r\n\r\n<p>Hello<br>world &amp; all</p><script>x</script>'
  assert.equal(textOf(content).text, 'Hello\nworld & all')
})

test('HTML to text', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['a  b\n c', 'a b c'],
    ['<p>a</p><p>b</p>', 'a\n\nb'],
    ['a<div>b</div>c', 'a\nb\nc'],
    ['<b>a</b>b', 'ab'],
    ['<b>a</b> <i>b</i>', 'a b'],
    ['<td>a</td><td>b</td>', 'a b'],
    ['<pre>a\n  b</pre>', 'a\n  b'],
    ['x<style>y{}</style>z<!-- <p> -->w', 'xzw'],
    ['<SCRIPT>alert("</p>")</script >after', 'after'],
    ['<script>never closed', ''],
    ['&lt;&#12354;&#x3042;&nbsp;&unknown;&#0;&#xD800;&eacute', '<ああ\u00a0&unknown;\ufffd\ufffdé'],
    ['1 < 2 <3', '1 < 2 <3'],
    ['a <b', 'a'],
    ['', ''],
  ]
  for (const [html, text] of cases) assert.equal(htmlToText(html), text, html)
})

test('cut at every byte: HTML and transfer encodings never fail', () => {
  const html = '<p>a<!-- x --><script>y</script>&amp;&#12354;<pre> z</pre>'
  for (let cut = 0; cut <= html.length; cut++) {
    assert.ok(!htmlToText(html.slice(0, cut)).includes('y'))
    for (const encoding of ['base64', 'quoted-printable', '7bit', 'x-unknown'])
      assert.ok(decodeTransfer(Buffer.from(html.slice(0, cut)), encoding).length <= cut)
  }
})

test('round trip: a transfer encoding that is none', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => assert.deepEqual(decodeTransfer(bytes, '8bit'), bytes)),
    { numRuns: 20 },
  )
})

test('search looks into decoded headers, all text parts and messages within', () => {
  const content = Buffer.from(MIXED, 'latin1')
  const { root, read } = open(content)
  const header = content.subarray(0, root.bodyStart)
  const searched = new SearchedHeader(header)
  assert.ok(searched.holds('subject', '会議 NOTES'))
  assert.ok(searched.holds('Subject', 'gyrcmn'))
  assert.ok(searched.holds('from', ''))
  assert.ok(!searched.holds('cc', ''))
  const held = (kind: 'body' | 'text', ...texts: string[]): readonly string[] => {
    const wanted = texts.map((text) => ({ kind, text }))
    return heldTexts({ root, header: searched, read }, wanted).flatMap((yes, i) =>
      yes ? [texts[i] as string] : [],
    )
  }
  const within = ['会議', 'ONLY IN', 'attachment', 'within', '', 'subject: within']
  assert.deepEqual(held('body', 'taro', ...within, '会 議', 'none'), within)
  for (const text of within) assert.deepEqual(held('body', text), [text])
  const anywhere = ['taro@', 'Notes', 'attachment', 'from: taro', '']
  assert.deepEqual(held('text', ...anywhere, 'none of it'), anywhere)
})

test('property: a long text is found exactly where the engine finds it', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'é'), maxLength: 200 })
  fc.assert(
    fc.property(text, text, fc.nat(100), (before, needle, from) => {
      const long = needle + 'ab'.repeat(20)
      const hay = `${before}${long.slice(from)}${long}`.slice(0, before.length + 2 * long.length - from - 1)
      for (const form of [hay, `${hay}${long.at(-1)}`, before])
        assert.equal(formHolds(form, long), form.includes(long))
    }),
  )
})

test('attack 32e: a text is sought in time that grows with its length, not with the product', {
  timeout: 60_000,
}, () => {
  const form = 'a'.repeat(4_000_000)
  // In the search of the engine this takes 200,000,000,000 comparisons.
  assert.ok(!formHolds(form, `b${'a'.repeat(60_000)}`))
  assert.ok(formHolds(form, 'a'.repeat(60_000)))
})

test('attack 32e: each part is read once, whatever the number of texts that are sought', () => {
  const content = Buffer.from(MIXED, 'latin1')
  const { root, read } = open(content)
  const header = new SearchedHeader(content.subarray(0, root.bodyStart))
  const reads = (count: number): number => {
    let times = 0
    const counting = (start: number, end: number): Uint8Array => {
      times++
      return read(start, end)
    }
    const wanted = Array.from({ length: count }, (_, i) => ({ kind: 'text' as const, text: `nowhere ${i}` }))
    assert.ok(!heldTexts({ root, header, read: counting }, wanted).includes(true))
    return times
  }
  assert.equal(reads(1000), reads(1))
})

test('attack 22e: marks that combine without end are put in order in no time', { timeout: 60_000 }, () => {
  const many = 1_000_000
  for (const run of [
    '\u0300'.repeat(many) + '\u0316'.repeat(many),
    '\u0300\u0316'.repeat(many),
    '\uff9e\u0316'.repeat(many),
    '\u0344\u0316'.repeat(many),
    '\u{1d165}\u0300\u3099'.repeat(many / 2),
  ])
    assert.ok(formHolds(searchForm(`before a${run} behind`), 'behind'))
  // What languages write is as it was.
  assert.equal(searchForm('a\u0316\u0300'), searchForm('a\u0300\u0316'))
})

test('case and width do not matter, accents do', () => {
  assert.equal(searchForm('ＡＢＣ'), 'abc')
  assert.equal(searchForm('ｶﾞｷﾞ'), 'ガギ')
  assert.equal(searchForm('ΣΊΣΥΦΟΣ'), searchForm('σίσυφος'))
  assert.notEqual(searchForm('é'), searchForm('e'))
  assert.equal(searchForm('e\u0301'), searchForm('É'))
})
