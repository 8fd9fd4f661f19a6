// Reports that we send, read by others: xmllint holds them against the schema of rfc9990, dmarc-cat prints their counts.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { parseAddress } from '../../src/mail/address.ts'
import { composeAggregate } from '../../src/mailauth/reports/aggregate.ts'
import { composeReportMail } from '../../src/mailauth/reports/aggregate-mail.ts'
import { readReports } from '../../src/mailauth/reports/read-message.ts'
import { aRecord, aReport } from '../../src/mailauth/reports/reports.test-kit.ts'
import { ReportSummary } from '../../src/mailauth/reports/summary.ts'
import { summarySvg } from '../../src/mailauth/reports/summary-svg.ts'
import type { ReportRecord } from '../../src/ports/reports.ts'
import { needPrograms } from '../harness/programs.ts'
import { run, describe as told } from '../harness/run.ts'
import { makeScratch, type Scratch } from '../harness/scratch.ts'

const SCHEMA = join(import.meta.dirname, '../reports/dmarc-xml-0.2.xsd')
/** Each value that a field may have, in some record. */
const RECORDS: readonly ReportRecord[] = [
  aRecord(),
  aRecord({
    sourceIp: '2001:db8::1',
    count: 1,
    envelopeFrom: undefined,
    spf: undefined,
    dkim: [],
    reasons: [],
  }),
  ...(['none', 'pass', 'quarantine', 'reject'] as const).map((disposition, i) =>
    aRecord({ disposition, sourceIp: `198.51.100.${i}`, count: 100 + i, dkimAligned: true }),
  ),
  ...(['none', 'pass', 'fail', 'softfail', 'policy', 'neutral', 'temperror', 'permerror'] as const).map(
    (result, i) =>
      aRecord({ sourceIp: `203.0.113.${i}`, count: 200 + i, spf: { domain: 'far.test', result } }),
  ),
  ...(['none', 'pass', 'fail', 'policy', 'neutral', 'temperror', 'permerror'] as const).map((result, i) =>
    aRecord({
      sourceIp: `203.0.113.${100 + i}`,
      count: 300 + i,
      dkim: [{ domain: 'far.test', selector: 's', result }],
    }),
  ),
  ...(['local_policy', 'mailing_list', 'other', 'policy_test_mode', 'trusted_forwarder'] as const).map(
    (type, i) =>
      aRecord({ sourceIp: `203.0.113.${200 + i}`, count: 400 + i, reasons: [{ type, comment: '<&>"\'' }] }),
  ),
]
const FAR = parseAddress('dmarc@example.com')
const FROM = parseAddress('dmarc-reports@far.test')

describe('reports that we send', () => {
  let scratch: Scratch
  before(() => {
    needPrograms('xmllint', 'dmarc-cat')
    scratch = makeScratch('reports')
  })
  after(() => scratch?.remove())

  test('are valid by the schema of rfc9990, with every value of every field', async () => {
    const file = join(scratch.folder, 'report.xml')
    for (const report of [
      aReport({ records: RECORDS }),
      aReport({
        policy: { domain: 'example.com' },
        errors: [],
        extraContact: undefined,
        generator: undefined,
      }),
      aReport({ organization: 'controls \u0000\u0001\u001b\ufffe and \ud800 halves' }),
    ]) {
      writeFileSync(file, composeAggregate(report))
      const ran = await run('xmllint', ['--noout', '--schema', SCHEMA, file])
      assert.equal(ran.code, 0, told(ran))
    }
  })

  test('the schema refuses what is no report', async () => {
    const file = join(scratch.folder, 'wrong.xml')
    writeFileSync(file, composeAggregate(aReport()).replace('<disposition>quarantine', '<disposition>maybe'))
    const ran = await run('xmllint', ['--noout', '--schema', SCHEMA, file])
    assert.notEqual(ran.code, 0)
  })

  test('dmarc-cat prints the same counts, and we read them back', async () => {
    assert(FAR !== undefined && FROM !== undefined)
    const report = aReport({ records: RECORDS })
    const composed = composeReportMail(report, { submitter: 'far.test', from: FROM, to: [FAR], nowMs: 0 })
    assert(composed !== undefined)
    assert.equal(composed.fileName, 'far.test!example.com!1795392000!1795478399.xml.gz')
    const mail = composed.octets.toString('latin1')
    const base64 = mail.split('base64\r\n\r\n')[1]?.split('\r\n--')[0] ?? ''
    const zipped = Buffer.from(base64, 'base64')
    assert.match(gunzipSync(zipped).toString(), /^<\?xml/)
    const file = join(scratch.folder, composed.fileName)
    writeFileSync(file, zipped)
    // With two threads it prints the addresses in another order than what belongs to them.
    const ran = await run('dmarc-cat', ['-N', '-j', '1', file])
    assert.equal(ran.code, 0, told(ran))
    const printed = String(ran.stdout)
    for (const { count, sourceIp } of RECORDS)
      assert.match(printed, new RegExp(`^${sourceIp.replaceAll('.', '\\.')}\\s+${count}\\s`, 'm'), told(ran))
    const [read] = readReports(composed.octets)
    assert(read?.kind === 'dmarc')
    const byIp = (records: readonly ReportRecord[]) =>
      records.toSorted((one, other) => (one.sourceIp < other.sourceIp ? -1 : 1))
    assert.deepEqual(byIp(read.parsed.report.records), byIp(RECORDS))
  })

  test('the picture of a summary is well-formed', async () => {
    const summary = new ReportSummary()
    const file = join(scratch.folder, 'plot.svg')
    writeFileSync(file, summarySvg(summary, '<&>\u0000'))
    const ran = await run('xmllint', ['--noout', file])
    assert.equal(ran.code, 0, told(ran))
  })
})
