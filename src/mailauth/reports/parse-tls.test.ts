import assert from 'node:assert/strict'
import { test } from 'node:test'
import { composeTlsReport, parseTlsReport } from './parse-tls.ts'
import { aTlsReport } from './reports.test-kit.ts'

const whyNot = (text: string): string => {
  const result = parseTlsReport(Buffer.from(text))
  return result.ok ? 'it was read' : result.why
}

test('round trip: what is composed is read as it was', () => {
  const report = aTlsReport()
  assert.deepEqual(parseTlsReport(Buffer.from(composeTlsReport(report))), { ok: true, report })
})

test('cut at every byte: refused with a reason, and never thrown', () => {
  const json = Buffer.from(composeTlsReport(aTlsReport()))
  for (let end = 0; end < json.length; end++)
    assert.equal(parseTlsReport(json.subarray(0, end)).ok, false, `cut at ${end}`)
})

test('the example of rfc8460, appendix B, is read', () => {
  const json = `{"organization-name":"Company-X","date-range":{"start-datetime":"2016-04-01T00:00:00Z",
    "end-datetime":"2016-04-01T23:59:59Z"},"contact-info":"sts-reporting@company-x.example","report-id":
    "5065427c-23d3-47ca-b6e0-946ea0e8c4be","policies":[{"policy":{"policy-type":"sts","policy-string":
    ["version: STSv1","mode: testing"],"policy-domain":"company-y.example","mx-host":["*.mail.company-y.example"]},
    "summary":{"total-successful-session-count":5326,"total-failure-session-count":303},"failure-details":
    [{"result-type":"certificate-expired","sending-mta-ip":"2001:db8:abcd:0012::1","receiving-mx-hostname":
    "mx1.mail.company-y.example","failed-session-count":100},{"result-type":"starttls-not-supported",
    "sending-mta-ip":"2001:db8:abcd:0013::1","failed-session-count":200,"additional-information":"x"}]}]}`
  const parsed = parseTlsReport(Buffer.from(json))
  assert(parsed.ok)
  const [policy] = parsed.report.policies
  assert.deepEqual([policy?.successes, policy?.failed], [5326, 303])
  assert.deepEqual(
    policy?.failures.map(({ count, resultType, sendingIp }) => [resultType, count, sendingIp]),
    [
      ['certificate-expired', 100, '2001:db8:abcd:12::1'],
      ['starttls-not-supported', 200, '2001:db8:abcd:13::1'],
    ],
  )
})

test('attack 20a: deep nesting, other JSON and members that reach into objects are refused or left out', () => {
  assert.match(whyNot('['.repeat(1_000_000)), /too deeply/)
  for (const text of ['null', '1', '"x"', '[]', '{}', '{"policies":{}}', '\u0000'])
    assert.doesNotMatch(whyNot(text), /was read/)
  const polluted = composeTlsReport(aTlsReport()).replace('{', '{"__proto__":{"polluted":1},')
  assert.equal(parseTlsReport(Buffer.from(polluted)).ok, true)
  assert.equal(({} as Record<string, unknown>).polluted, undefined)
  const counts = composeTlsReport(aTlsReport()).replace('5326', '"7"').replace(':2}', ':-2}')
  const parsed = parseTlsReport(Buffer.from(counts))
  assert.deepEqual(
    parsed.ok && [parsed.report.policies[0]?.successes, parsed.report.policies[0]?.failed],
    [7, 0],
  )
})
