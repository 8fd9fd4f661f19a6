import assert from 'node:assert/strict'
import { formatAddress, parseAddress } from '../src/mail/address.ts'
import { canonicalIp, parseNetwork } from '../src/mail/ip.ts'

export const name = 'address'

export const corpus: readonly string[] = [
  'me@example.test',
  '"a\\"b"@example.test',
  'a..b@docomo.test',
  'u@[IPv6:2001:db8::1]',
  '用户@例え.test',
  '192.0.2.0/24',
  '::ffff:192.0.2.1',
  '2001:db8::/32',
]

/** What is read is written so that it is read the same. */
export function fuzz(input: Uint8Array): void {
  const text = Buffer.from(input).toString('utf8')
  const address = parseAddress(text)
  if (address !== undefined) assert.deepEqual(parseAddress(formatAddress(address)), address)
  const ip = canonicalIp(text)
  if (ip !== undefined) assert.equal(canonicalIp(ip), ip)
  parseNetwork(text)
}
