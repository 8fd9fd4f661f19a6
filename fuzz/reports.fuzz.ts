import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import { composeAggregate } from '../src/mailauth/reports/aggregate.ts'
import { parseAggregate } from '../src/mailauth/reports/parse-aggregate.ts'
import { composeTlsReport, parseTlsReport } from '../src/mailauth/reports/parse-tls.ts'
import { readReports } from '../src/mailauth/reports/read-message.ts'
import { aReport, aTlsReport, zip } from '../src/mailauth/reports/reports.test-kit.ts'
import { unpackReport } from '../src/mailauth/reports/unpack.ts'
import { parseRua } from '../src/pipeline/reports/destinations.ts'

/** Reports that come by mail, packed and not. */
export const name = 'reports'

const xml = composeAggregate(aReport())

export const corpus: readonly string[] = [
  xml,
  composeTlsReport(aTlsReport()),
  gzipSync(xml).toString('latin1'),
  zip([{ name: 'a.xml', octets: Buffer.from(xml) }]).toString('latin1'),
  `Content-Type: application/gzip; name="a!b!1!2.xml.gz"\r\nContent-Transfer-Encoding: base64\r\n\r\n${gzipSync(xml).toString('base64')}`,
  'mailto:a%40b@c.test!10m?x=y',
]

export function fuzz(input: Uint8Array): void {
  const unpacked = unpackReport(input)
  const aggregate = parseAggregate(unpacked.ok ? unpacked.octets : input)
  // What was read is composed and read to the same.
  if (aggregate.ok) {
    const again = parseAggregate(Buffer.from(composeAggregate(aggregate.report)))
    assert.ok(again.ok)
    const { policy, ...rest } = aggregate.report
    assert.deepEqual(again.report.records, rest.records)
    assert.equal(again.report.organization, rest.organization)
    assert.equal(again.report.policy.domain, policy.domain)
  }
  const tls = parseTlsReport(input)
  if (tls.ok) assert.deepEqual(parseTlsReport(Buffer.from(composeTlsReport(tls.report))), tls)
  readReports(input)
  parseRua(Buffer.from(input).toString('latin1'))
}
