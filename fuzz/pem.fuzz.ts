import { Bug } from '../src/mail/assert.ts'
import { namesOf, orderChain } from '../src/pki/chain.ts'
import { makeCa } from '../src/pki/own.ts'
import { exportKey, pemBlocks, readCertificates, readKey } from '../src/pki/pem.ts'

/** Files that people give as key or certificate. */
export const name = 'pem'

const { key, certificate } = makeCa('example.test', Date.UTC(2026, 0))

export const corpus: readonly string[] = [
  exportKey(key) + certificate.toString(),
  `-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n`,
  `Bag Attributes\n-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n`,
]

export function fuzz(input: Uint8Array): void {
  const text = Buffer.from(input).toString('utf8')
  for (const { pem } of pemBlocks(text))
    if (!text.includes(pem.trimEnd())) throw new Bug('a block that is not there')
  readKey(text)
  const read = readCertificates(text)
  if (!read.ok) return
  for (const one of read.certificates) namesOf(one)
  orderChain(read.certificates, key)
}
