import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TraceId } from '../../mail/ids.ts'
import type { ReceivedReport, ReportRecord } from '../../ports/reports.ts'
import { aRecord } from './reports.test-kit.ts'
import { adviceFor, ReportSummary, tlsLines } from './summary.ts'
import { summarySvg } from './summary-svg.ts'
import { summaryLines } from './summary-text.ts'
import { guardXml } from './xml-guard.ts'

function summaryOf(records: readonly ReportRecord[], over: Partial<ReceivedReport> = {}): ReportSummary {
  const summary = new ReportSummary()
  summary.add({
    ...{
      organization: 'Far <b>',
      reportId: '1',
      policyDomain: 'example.com',
      beginMs: Date.UTC(2026, 10, 23),
    },
    ...{ endMs: 0, receivedAtMs: 0, traceId: '' as TraceId, records, omitted: 0 },
    ...over,
  })
  return summary
}
const failed = (over: Partial<ReportRecord>): ReportRecord =>
  aRecord({
    dkimAligned: false,
    spfAligned: false,
    reasons: [],
    dkim: [],
    spf: undefined,
    headerFrom: 'example.com',
    ...over,
  })

test('who sends, what passes and what fails is added up by source and day', () => {
  const summary = summaryOf(
    [
      aRecord({ count: 10, dkimAligned: true, spfAligned: true }),
      failed({ sourceIp: '203.0.113.9', count: 42, spf: { domain: 'bounce.test', result: 'pass' } }),
    ],
    { omitted: 5 },
  )
  const text = summaryLines(summary).join('\n')
  assert.match(text, /1 report of 1 receiver tells of 57 messages in your name, from 2 addresses/)
  assert.match(text, /10 of them passed DMARC \(17 %\), 42 did not/)
  assert.match(text, /5 more were counted but not described/)
  assert.match(text, /^203\.0\.113\.9 +42 +0 +0 +0 +42$/m)
  assert.match(text, /^2026-11-23 {2}#+\.+ 10 passed, 42 failed$/m)
  assert.match(
    text,
    /Mail of 203\.0\.113\.9 \(42 messages\) passed SPF, but for bounce\.test, which is not aligned with example\.com/,
  )
})

test('each kind of failure has its advice', () => {
  const advice = (over: Partial<ReportRecord>): string =>
    adviceFor(summaryOf([failed(over)]).busiest()[0] as never).join(' ')
  assert.match(advice({}), /passed nothing/)
  assert.match(advice({ reasons: [{ type: 'mailing_list' }] }), /nothing to do/)
  assert.match(
    advice({ dkim: [{ domain: 'esp.test', selector: 's', result: 'pass' }] }),
    /signature, but of esp\.test/,
  )
  assert.match(advice({ dkim: [{ domain: 'example.com', selector: 's', result: 'fail' }] }), /no longer fits/)
  assert.match(summaryLines(summaryOf([aRecord()])).join('\n'), /nothing to do/)
})

test('attack 20b: the picture is XML, whatever the title', () => {
  for (const records of [[], [aRecord({ count: 1 })], [failed({ count: 999_999_999 })]]) {
    const svg = summarySvg(summaryOf(records), 'a <script>&"\u0000')
    assert.equal(guardXml(svg).ok, true)
    assert.doesNotMatch(svg, /<script>|NaN|Infinity|undefined/)
  }
})

test('TLS reports are told with their causes, the worst first', () => {
  const lines = tlsLines([
    {
      ...{
        organization: 'Far',
        reportId: '1',
        policyDomain: 'example.com',
        policyType: 'sts',
        beginMs: 0,
        endMs: 1,
      },
      ...{ receivedAtMs: 0, traceId: '' as TraceId, successes: 7, failed: 5 },
      failures: [
        { resultType: 'starttls-not-supported', count: 1 },
        { resultType: 'certificate-expired', count: 4, receivingHost: 'mx.example.com' },
      ],
    },
  ])
  assert.match(lines[0] ?? '', /7 connections that were safe and 5 that failed/)
  assert.equal(lines[1], '  4 times certificate-expired at mx.example.com')
})
