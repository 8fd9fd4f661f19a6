import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Mailbox, parseAddresses } from './address.ts'
import { AddressLexer } from './address-lexer.ts'
import { readAddressList } from './address-list.ts'
import { composeAddressField } from './compose.ts'
import { headerFields } from './header.ts'
import { MAX_ADDRESSES } from './limits.ts'

function show({ name, local, domain, route, group }: Mailbox): string {
  const address = `${route === undefined ? '' : `{${route}}`}${local}@${domain}`
  return `${group === undefined ? '' : `${group}: `}${name === undefined ? '' : `${name} `}<${address}>`
}

const read = (raw: string): string[] => parseAddresses(raw).mailboxes.map(show)

test('addresses of rfc5322 and its obsolete forms', () => {
  const cases: readonly (readonly [string, string[]])[] = [
    ['', []],
    ['a@b.test', ['<a@b.test>']],
    ['<a@b.test>', ['<a@b.test>']],
    ['John Doe <jdoe@machine.example>, x@y', ['John Doe <jdoe@machine.example>', '<x@y>']],
    ['"Giant; \\"Big\\" Box" <s@e.net>', ['Giant; "Big" Box <s@e.net>']],
    ['a@b.test (Old Form)', ['Old Form <a@b.test>']],
    ['Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>', ['Pete <pete@silly.test>']],
    ['A Group:Ed <c@a>, joe@w;, z@z', ['A Group: Ed <c@a>', 'A Group: <joe@w>', '<z@z>']],
    ['Undisclosed recipients:;', []],
    ['Mary <@n.test,@m.test:mary@e.net>', ['Mary <{@n.test,@m.test}mary@e.net>']],
    ['jdoe@test  . example, , x@y', ['<jdoe@test.example>', '<x@y>']],
    ['"john smith"@e.net, "a"."b"@e.net', ['<john smith@e.net>', '<a.b@e.net>']],
    ['a@[192.0.2.1]', ['<a@[192.0.2.1]>']],
    ['=?utf-8?B?5bGx55Sw?= <a@b>', ['山田 <a@b>']],
    ['=?iso-2022-jp?B?GyRCOzNFRBsoQg==?=\r\n =?iso-2022-jp?B?GyRCQkBPOhsoQg==?= <a@b>', ['山田太郎 <a@b>']],
  ]
  for (const [raw, expected] of cases) assert.deepEqual(read(raw), expected, raw)
})

test('lenient forms are read and tagged', () => {
  const cases: readonly (readonly [string, string[], string])[] = [
    ['a..b@docomo.ne.jp', ['<a..b@docomo.ne.jp>'], 'address-lenient-local'],
    ['X <x.@docomo.ne.jp>', ['X <x.@docomo.ne.jp>'], 'address-lenient-local'],
    ['"a@b" <c@d>', ['a@b <c@d>'], ''],
    ['a@b <c@d>', ['a@b <c@d>'], 'address-in-name'],
    ['a@b c@d', ['<a@b>', '<c@d>'], 'address-comma-missing'],
    ['<a@b> <c@d>', ['<a@b>', '<c@d>'], 'address-comma-missing'],
    ['A <a@b>; B <c@d>', ['A <a@b>', 'B <c@d>'], 'address-semicolon'],
    ['A <a@b, c@d', ['A <a@b>', '<c@d>'], 'bracket-unclosed'],
    ['"A <a@b>, c@d', ['A <a@b>', '<c@d>'], 'quote-unclosed'],
    ['A (open <a@b>', ['open <a@b> <A@>'], 'comment-unclosed'],
    ['Pete p@silly.test', ['Pete <p@silly.test>'], 'address-without-brackets'],
    ['root', ['<root@>'], 'address-without-domain'],
    ['a@b@c', ['<a@b@c>'], ''],
    ['=?utf-8?q?a,_b?= <x@y>', ['a, b <x@y>'], ''],
    ['a: b: c@d;', ['b: <c@d>'], 'group-nested'],
    ['g: a@b', ['g: <a@b>'], 'group-unclosed'],
    ['<<a@b>>', ['<a@b>'], 'address-stray-bracket'],
    ['\u00e5\u00b1\u00b1\u00e7\u0094\u00b0 <\u00e5\u00b1\u00b1@b>', ['山田 <山@b>'], ''],
  ]
  for (const [raw, expected, tag] of cases) {
    const { mailboxes, leniencies } = parseAddresses(raw)
    assert.deepEqual(mailboxes.map(show), expected, raw)
    assert.ok(tag === '' ? leniencies.length === 0 : leniencies.includes(tag), `${raw}: ${leniencies}`)
  }
})

test('round trip: what is composed is read', () => {
  const atom = fc.stringMatching(/^[a-z0-9]{1,8}$/)
  const name = fc.option(fc.string({ unit: 'grapheme', maxLength: 20 }), { nil: undefined })
  const mailbox = fc.record(
    { name, local: fc.stringMatching(/^[ -~]{1,10}$/), domain: atom },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(fc.array(mailbox, { minLength: 1, maxLength: 5 }), (list) => {
      const clean = list
        .map((entry) => ({ ...entry, name: entry.name?.replace(/[\x00-\x1f\x7f]|=\?/g, '') }))
        .map((entry) => ({ ...entry, name: entry.name === '' ? undefined : entry.name?.toWellFormed() }))
      const field = composeAddressField(
        'To',
        clean.map(({ name: display, ...address }) => ({ name: display, address })),
      )
      const raw = headerFields(Buffer.from(field))[0]?.raw ?? ''
      assert.deepEqual(parseAddresses(raw).mailboxes, clean, field)
    }),
    { numRuns: 300 },
  )
})

test('cut at every byte: earlier addresses stay, reading never fails', () => {
  const raw = 'A <a@b>, "q\\"" <c@d>, G: e@f (x(y)z), <@r:g@h>;, =?utf-8?q?i?= <j@k>, [l'
  for (let cut = 0; cut <= raw.length; cut++) {
    const read = parseAddresses(raw.slice(0, cut)).mailboxes
    if (cut >= 8) assert.equal(read[0]?.local, 'a')
    assert.ok(parseAddresses(raw.slice(cut)).mailboxes.length <= 6)
  }
})

test('tokens are as they stand', () => {
  const lexer = new AddressLexer('a."b\\"c" (d (e)) <[1]>', new Set())
  const tokens = []
  for (let token = lexer.next(); token !== undefined; token = lexer.next())
    tokens.push([token.kind, token.text])
  assert.deepEqual(tokens, [
    ['atom', 'a.'],
    ['quoted', 'b"c'],
    ['comment', 'd (e)'],
    ['special', '<'],
    ['literal', '[1]'],
    ['special', '>'],
  ])
})

test('attack 9b: the number of addresses is bounded', () => {
  const { entries, leniencies } = readAddressList('a@b,'.repeat(MAX_ADDRESSES + 100))
  assert.ok(entries.length <= MAX_ADDRESSES + 1)
  assert.ok(leniencies.includes('address-list-cut'))
})
