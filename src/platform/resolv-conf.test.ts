import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatIp } from '../mail/ip.ts'
import { parseDnsServer, parseResolvConf, systemDnsServers } from './resolv-conf.ts'
import { tempFolder } from './testing.ts'

const TEXT = '# c\nnameserver 192.0.2.53 ; x\nnameserver ::1\nnameserver nonsense\nsearch a.test\n'

test('servers in order; loopback is believed, others with trust-ad', () => {
  assert.deepEqual(parseResolvConf(TEXT), [
    { address: '192.0.2.53', port: 53, validates: false },
    { address: '::1', port: 53, validates: true },
  ])
  assert.equal(parseResolvConf(`${TEXT}options edns0 trust-ad\n`)[0]?.validates, true)
  assert.equal(parseResolvConf('nameserver 192.0.2.1\n'.repeat(50)).length, 4)
})

test('a missing or empty file means the server on this machine', async (t) => {
  const path = join(await tempFolder(t), 'resolv.conf')
  const local = [{ address: '127.0.0.1', port: 53, validates: true }]
  assert.deepEqual(systemDnsServers(path), local)
  await writeFile(path, 'search test\n')
  assert.deepEqual(systemDnsServers(path), local)
  await writeFile(path, TEXT)
  assert.equal(systemDnsServers(path).length, 2)
})

test('servers as settings name them', () => {
  assert.deepEqual(parseDnsServer('[2001:db8::53]:5353', true), {
    address: '2001:db8::53',
    port: 5353,
    validates: true,
  })
  assert.deepEqual(parseDnsServer('192.0.2.1:54', false), {
    address: '192.0.2.1',
    port: 54,
    validates: false,
  })
  assert.deepEqual(parseDnsServer('2001:db8::1', false), {
    address: '2001:db8::1',
    port: 53,
    validates: false,
  })
  for (const text of ['dns.test', '192.0.2.1:70000', '192.0.2.1:0', '[::1', '', ':53'])
    assert.equal(parseDnsServer(text, false), undefined, text)
})

test('cut at every byte: only servers that stand in the text', () => {
  for (let cut = 0; cut <= TEXT.length; cut++)
    for (const { address } of parseResolvConf(TEXT.slice(0, cut)))
      assert.match(address, /^(192\.0\.2\.\d+|::1?)$/)
})

test('round trip: any address and port', () => {
  const octets = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  )
  fc.assert(
    fc.property(octets, fc.integer({ min: 1, max: 65_535 }), (bytes, port) => {
      const address = formatIp(bytes)
      const text = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
      const server = parseDnsServer(text, true)
      assert.equal(server?.port, port)
      assert.deepEqual(server, parseDnsServer(text, true))
      if (!address.startsWith('::ffff:')) assert.equal(server?.address, address)
      assert.equal(parseResolvConf(`nameserver ${address}`)[0]?.address, server?.address)
    }),
  )
})
