import assert from 'node:assert/strict'
import { formatHostList, parseHostList } from '../src/app/operations/host-list.ts'
import { networkText } from '../src/app/operations/trust-entry.ts'
import { canonicalDomain } from '../src/mail/domain.ts'
import { parseNetwork } from '../src/mail/ip.ts'

/** Lists of hosts of opendkim and opendmarc, which an operator has from elsewhere. */
export const name = 'host-list'

export const corpus: readonly string[] = [
  '# a list\n127.0.0.1\n[::1]\n192.0.2.0/24\n.example.org\n!bad.example.net\n*.example.com\n',
  'csl:10.0.0.1,relay.example.org\nrefile:/etc/opendkim/TrustedHosts\n',
  'IgnoreHosts /etc/opendmarc/ignore.hosts\n300.0.0.1\n192.0.2.0/99\n',
]

export function fuzz(input: Uint8Array): void {
  const items = parseHostList(Buffer.from(input).toString('utf8'))
  for (const item of items) {
    if (item.kind === 'host') assert.equal(canonicalDomain(item.name), item.name)
    if (item.kind === 'network') assert.notEqual(parseNetwork(networkText(item.network)), undefined)
  }
  const plain = items.filter(({ kind, text }) => kind !== 'reference' && text.length < 300)
  assert.equal(parseHostList(formatHostList(plain)).length, plain.length)
}
