import { deflateRawSync } from 'node:zlib'
import type { ReportRecord } from '../../ports/reports.ts'
import type { AggregateReport } from './aggregate.ts'
import type { TlsReport } from './parse-tls.ts'

export function aRecord(over: Partial<ReportRecord> = {}): ReportRecord {
  return {
    sourceIp: '192.0.2.1',
    count: 3,
    disposition: 'quarantine',
    dkimAligned: false,
    spfAligned: true,
    reasons: [{ type: 'mailing_list', comment: 'List-Id <a.b> & "more"' }, { type: 'other' }],
    headerFrom: 'news.example.com',
    envelopeFrom: '',
    dkim: [
      { domain: 'example.com', selector: 's1', result: 'fail' },
      { domain: 'far.test', selector: '', result: 'pass' },
    ],
    spf: { domain: 'mx.far.test', result: 'softfail' },
    ...over,
  }
}

export function aReport(over: Partial<AggregateReport> = {}): AggregateReport {
  return {
    organization: 'Far & <script>alert(1)</script> 著',
    email: 'dmarc-reports@far.test',
    extraContact: 'https://far.test/?a=1&b=2',
    reportId: '2026-11-23_example.com@far.test',
    beginSeconds: 1_795_392_000,
    endSeconds: 1_795_478_399,
    errors: ['one "thing"'],
    generator: 'Hikyaku 0.1',
    policy: {
      ...{ domain: 'example.com', p: 'reject', sp: 'quarantine', np: 'none', adkim: 'r', aspf: 's' },
      ...{ fo: '1', testing: true, discovery: 'treewalk' },
    },
    records: [
      aRecord(),
      aRecord({ sourceIp: '2001:db8::1', count: 1, envelopeFrom: undefined, spf: undefined }),
    ],
    ...over,
  }
}

export function aTlsReport(over: Partial<TlsReport> = {}): TlsReport {
  return {
    organization: 'Far',
    reportId: '5065427c-23d3@far.test',
    contact: 'tls@far.test',
    beginMs: Date.UTC(2026, 10, 23),
    endMs: Date.UTC(2026, 10, 23, 23, 59, 59),
    policies: [
      {
        domain: 'example.com',
        type: 'sts',
        successes: 5326,
        failed: 2,
        failures: [
          {
            ...{
              resultType: 'certificate-expired',
              count: 2,
              sendingIp: '192.0.2.1',
              receivingIp: '2001:db8::5',
            },
            ...{ receivingHost: 'mx.example.com', reasonCode: 'x' },
          },
        ],
      },
    ],
    ...over,
  }
}

export interface ZipFile {
  readonly name: string
  readonly octets: Uint8Array
  readonly method?: 0 | 8 | 99
}

/** A zip archive; `claim` overrides what its directory says of the first file. */
export function zip(
  files: readonly ZipFile[],
  claim: { readonly packedBytes?: number; readonly localAt?: number; readonly flags?: number } = {},
): Buffer {
  const locals: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const [i, { method = 8, name, octets }] of files.entries()) {
    const packed = method === 8 ? deflateRawSync(octets) : Buffer.from(octets)
    const text = Buffer.from(name)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(method, 8)
    local.writeUInt32LE(packed.length, 18)
    local.writeUInt32LE(octets.length, 22)
    local.writeUInt16LE(text.length, 26)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50, 0)
    entry.writeUInt16LE((i === 0 ? claim.flags : undefined) ?? 0, 8)
    entry.writeUInt16LE(method, 10)
    entry.writeUInt32LE((i === 0 ? claim.packedBytes : undefined) ?? packed.length, 20)
    entry.writeUInt32LE(octets.length, 24)
    entry.writeUInt16LE(text.length, 28)
    entry.writeUInt32LE((i === 0 ? claim.localAt : undefined) ?? at, 42)
    locals.push(local, text, packed)
    directory.push(entry, text)
    at += 30 + text.length + packed.length
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(files.length, 8)
  end.writeUInt16LE(files.length, 10)
  end.writeUInt32LE(size, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...locals, ...directory, end])
}
