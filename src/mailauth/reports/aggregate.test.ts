import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { composeAggregate, publishedPolicy } from './aggregate.ts'
import { parseAggregate } from './parse-aggregate.ts'
import { aRecord, aReport } from './reports.test-kit.ts'

const parsed = (xml: string | Uint8Array) => {
  const result = parseAggregate(Buffer.from(xml))
  assert(result.ok, result.ok ? '' : result.why)
  return result
}
const whyNot = (xml: string): string => {
  const result = parseAggregate(Buffer.from(xml))
  return result.ok ? 'it was read' : result.why
}

test('round trip: what is composed is read as it was', () => {
  const report = aReport()
  assert.deepEqual(parsed(composeAggregate(report)), { ok: true, report, omitted: 0, broken: 0 })
})

test('attack 20b: round trip of any text, count and address: nothing in them is markup', () => {
  const text = fc
    .string({ unit: 'grapheme', maxLength: 60 })
    .map((one) => one.replace(/[\p{C}\p{Z}\s]+/gu, ' ').trim())
    .filter((one) => one !== '')
  const count = fc.integer({ min: 0, max: 999_999_999 })
  fc.assert(
    fc.property(text, text, text, count, (organization, reportId, comment, number) => {
      const records = [aRecord({ count: number, reasons: [{ type: 'local_policy', comment }] })]
      const report = aReport({ organization, reportId, records })
      assert.deepEqual(parsed(composeAggregate(report)).report, report)
    }),
    { numRuns: 200 },
  )
})

test('cut at every byte: refused with a reason, and never thrown', () => {
  const xml = Buffer.from(composeAggregate(aReport()).trimEnd())
  for (let end = 0; end < xml.length; end++) {
    const result = parseAggregate(xml.subarray(0, end))
    assert.equal(result.ok, false, `cut at ${end}`)
    assert.ok(result.why.length > 10)
  }
})

test('tags without a value have their defaults (rfc9990 §3.1.1.5)', () => {
  const seen = { domain: 'a.test', p: 'reject', adkim: 'r', aspf: 'r', t: false, rua: [] } as const
  const { np, sp, testing } = publishedPolicy(seen)
  assert.deepEqual([sp, np, testing], ['reject', 'reject', false])
  const { np: other } = publishedPolicy({ ...seen, sp: 'none' })
  assert.equal(other, 'none')
})

const OLD = `<?xml version="1.0" encoding="windows-1252"?>
<!-- a comment --><feedback><report_metadata><org_name>G\u00e9ant</org_name><report_id>77</report_id>
<date_range><begin>1795392000</begin><end>1795478400</end></date_range></report_metadata>
<policy_published><domain>Example.COM.</domain><p>REJECT</p><pct>100</pct></policy_published>
<record><row><source_ip>192.0.2.1</source_ip><count> 2 </count><policy_evaluated><disposition>none</disposition>
<dkim>PASS</dkim><spf>fail</spf><reason><type>forwarded</type><comment/></reason></policy_evaluated></row>
<identifiers><header_from>example.com</header_from></identifiers><auth_results>
<spf><domain>x@bounce.example.com</domain><result>hardfail</result></spf></auth_results></record></feedback>`

test('a report of rfc7489 with what senders get wrong is read', () => {
  const { report } = parsed(Buffer.from(OLD, 'latin1'))
  assert.equal(report.organization, 'Géant')
  assert.deepEqual(
    [report.policy.domain, report.policy.p, report.policy.sp],
    ['example.com', 'reject', undefined],
  )
  const [record] = report.records
  assert.deepEqual(record, {
    ...{ sourceIp: '192.0.2.1', count: 2, disposition: 'none', dkimAligned: true, spfAligned: false },
    reasons: [{ type: 'other', comment: 'forwarded' }],
    ...{ headerFrom: 'example.com', envelopeFrom: undefined, dkim: [] },
    spf: { domain: 'bounce.example.com', result: 'fail' },
  })
})

test('namespaces, letter case, attributes, byte order marks and extensions are disregarded', () => {
  const { report } = parsed(composeAggregate(aReport()))
  const prefixed = composeAggregate(aReport())
    .replace(/<(\/?)([a-z])/g, '<$1d:$2')
    .replace('xmlns=', 'xmlns:d=')
  const upper = composeAggregate(aReport()).replace(/<\/?[a-z_]+/g, (tag) => tag.toUpperCase())
  const lang = composeAggregate(aReport()).replaceAll('<comment>', '<comment lang="en">')
  const extended = composeAggregate(aReport()).replace(
    '</policy_published>',
    '</policy_published><extension><x:y xmlns:x="urn:x">z</x:y></extension>',
  )
  const utf16 = Buffer.from(`\ufeff${composeAggregate(aReport())}`, 'utf16le')
  for (const form of [prefixed, upper, lang, extended, utf16, `\ufeff\r\n${prefixed}`])
    assert.deepEqual(parsed(form).report, report)
})

test('records that cannot be read are counted, the others are kept', () => {
  const xml = composeAggregate(aReport()).replace('<count>3</count>', '<count>many</count>')
  const result = parsed(xml)
  assert.deepEqual([result.broken, result.report.records.length], [1, 1])
})

test('attack 20a: records beyond the bound are counted as messages', () => {
  const records = Array.from({ length: 10_003 }, () => aRecord({ dkim: [], reasons: [], count: 2 }))
  const result = parsed(composeAggregate(aReport({ records })))
  assert.deepEqual([result.report.records.length, result.omitted], [10_000, 6])
})

test('attack 20a: billion laughs, foreign files and every other document type are refused before a parser sees them', () => {
  const laughs = `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><feedback>&b;</feedback>`
  assert.match(whyNot(laughs), /document type/)
  assert.match(whyNot(`<!DOCTYPE f SYSTEM "file:///etc/passwd"><f/>`), /document type/)
  assert.match(whyNot(composeAggregate(aReport()).replace('Far', '&b;')), /entity/)
  assert.match(whyNot('<f>&#x110000000;</f>'), /entity/)
})

test('attack 20a: deep nesting, too many elements, huge tags, texts and comments are refused', () => {
  assert.match(whyNot('<a>'.repeat(100_000)), /nest deeper/)
  assert.match(whyNot(`<f>${'<a/>'.repeat(700_000)}</f>`), /more than 600000 elements/)
  assert.match(whyNot(`<f a="${'x'.repeat(5000)}"/>`), /longer than/)
  assert.match(whyNot(`<f ${'a="" '.repeat(5000)}/>`), /longer than/)
  assert.match(whyNot(`<f>${'x'.repeat(9000)}</f>`), /longer than/)
  assert.match(whyNot(`<f><!--${'x'.repeat(9000)}--></f>`), /longer than/)
  assert.match(whyNot(`<f><![CDATA[${'x'.repeat(100)}`), /does not end/)
  assert.match(whyNot(`<${'f'.repeat(9000)}`), /does not end/)
})

test('what is not well nested is refused', () => {
  for (const xml of [
    '<a><b></a></b>',
    '<a></b>',
    '<a/><b/>',
    '<a/>text',
    'text<a/>',
    '</a>',
    '<a',
    '',
    '<1/>',
    '<a b="<"',
  ])
    assert.equal(parseAggregate(Buffer.from(xml)).ok, false, xml)
})

test('attack 20a: names that would reach into an object are refused, and nothing is polluted', () => {
  for (const name of ['__proto__', 'constructor', 'x:prototype', '__PROTO__'])
    assert.match(whyNot(`<feedback><${name}><polluted>1</polluted></${name}></feedback>`), /odd name/)
  assert.equal(({} as Record<string, unknown>).polluted, undefined)
})

test('numbers and times that cannot be are refused', () => {
  const good = composeAggregate(aReport())
  assert.match(whyNot(good.replace('<end>1795478399', '<end>5')), /which time/)
  assert.match(whyNot(good.replace('<begin>1795392000', '<begin>99999999999999999')), /which time/)
  assert.match(whyNot(good.replace(/<count>\d+/g, '<count>-1')), /no record/)
  assert.match(whyNot(good.replace(/<source_ip>[^<]+/g, '<source_ip>mail.far.test')), /no record/)
})

test('attack 20b: control characters and terminal escapes do not get through', () => {
  const xml = composeAggregate(aReport()).replace('<org_name>', '<org_name>&#27;[2J&#8238;')
  const { organization } = parsed(xml).report
  assert.doesNotMatch(organization, /[\x00-\x1f\x7f\u202e]/)
})
