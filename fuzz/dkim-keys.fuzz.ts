import assert from 'node:assert/strict'
import { formatKeys, parseKeys } from '../src/pki/dkim-file.ts'
import { compareRecord, parseTags } from '../src/pki/dkim-record.ts'

/** Files with DKIM keys, and records as the DNS has them. */
export const name = 'dkim-keys'

const RSA = { selector: 'hk202611r', algorithm: 'rsa-sha256', publicKey: 'QUJD' } as const
const HEAD = 'Hikyaku DKIM keys 1\nDomain: example.test\n\n'

export const corpus: readonly string[] = [
  `${HEAD}Generation: hk202611\nState: signing\nMade: 2026-11-24T10:00:00.000Z\n-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\nEnd\n`,
  'v=DKIM1; k=rsa; h=sha256; t=s:y; p=QU JD',
  'v=DKIM1; p=',
]

export function fuzz(input: Uint8Array): void {
  const text = Buffer.from(input).toString('latin1')
  const read = parseKeys(text, 'example.test')
  if (read.ok) assert.deepEqual(parseKeys(formatKeys('example.test', read.generations), 'example.test'), read)
  const match = compareRecord(RSA, text)
  if (match.kind === 'matches') assert.equal(parseTags(text)?.get('p')?.replace(/\s/g, ''), RSA.publicKey)
}
