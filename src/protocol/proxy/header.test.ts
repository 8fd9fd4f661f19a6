import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { formatIp } from '../../mail/ip.ts'
import type { ProxyResult } from './header.ts'
import { formatProxyHeader, readProxyHeader } from './header.ts'
import { V2_BODY_BYTES } from './limits.ts'

const V4 = Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.2 40000 25\r\n')
const V2 = formatProxyHeader({ ip: '2001:db8::1', port: 1 }, { ip: '2001:db8::2', port: 25 }) as Buffer

function v2(command: number, family: number, body: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(body.length)
  return Buffer.concat([V2.subarray(0, 12), Buffer.from([command, family]), length, body])
}

test('version 1', () => {
  assert.deepEqual(readProxyHeader(Buffer.concat([V4, Buffer.from('EHLO x\r\n')])), {
    kind: 'header',
    version: 1,
    sizeBytes: V4.length,
    local: false,
    tlvBytes: 0,
    source: { ip: '192.0.2.1', port: 40000 },
    destination: { ip: '198.51.100.2', port: 25 },
  })
  const unknown = readProxyHeader(Buffer.from('PROXY UNKNOWN ffff::1 x y z\r\n'))
  assert.ok(unknown.kind === 'header' && unknown.source === undefined)
  const mapped = readProxyHeader(Buffer.from('PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n'))
  assert.ok(mapped.kind === 'header' && mapped.source?.ip === '192.0.2.1')
})

test('version 2, with additions and as LOCAL', () => {
  const v4 = v2(0x21, 0x11, Buffer.from('c0000201c63364029c400019030004aabbccdd', 'hex'))
  assert.deepEqual(readProxyHeader(v4), {
    kind: 'header',
    version: 2,
    sizeBytes: 16 + 19,
    source: { ip: '192.0.2.1', port: 40000 },
    destination: { ip: '198.51.100.2', port: 25 },
    local: false,
    tlvBytes: 7,
  })
  const local = readProxyHeader(v2(0x20, 0x00, Buffer.alloc(0)))
  assert.ok(local.kind === 'header' && local.local && local.source === undefined)
  const unix = readProxyHeader(v2(0x21, 0x31, Buffer.alloc(216)))
  assert.ok(unix.kind === 'header' && unix.source === undefined)
  const mapped = formatMapped()
  assert.ok(mapped.kind === 'header' && mapped.source?.ip === '192.0.2.1')
})

function formatMapped(): ProxyResult {
  const from = Buffer.from('00000000000000000000ffffc0000201', 'hex')
  return readProxyHeader(v2(0x21, 0x21, Buffer.concat([from, from, Buffer.alloc(4)])))
}

test('a header cut at every octet needs more until its last one', () => {
  for (const whole of [V4, V2, v2(0x20, 0, Buffer.alloc(3))])
    for (let cut = 0; cut < whole.length; cut++)
      assert.equal(readProxyHeader(whole.subarray(0, cut)).kind, 'need-more', `${cut} of ${whole.length}`)
})

test('attack 6a: PROXY header that never finishes or is too long', () => {
  assert.equal(readProxyHeader(Buffer.from(`PROXY UNKNOWN ${'x'.repeat(93)}`)).kind, 'invalid')
  assert.equal(readProxyHeader(Buffer.from(`PROXY UNKNOWN ${'x'.repeat(91)}\r\n`)).kind, 'header')
  const claims = v2(0x21, 0x11, Buffer.alloc(0))
  claims.writeUInt16BE(65_535, 14)
  assert.equal(readProxyHeader(claims).kind, 'invalid')
})

test('attack 6a: PROXY header that is none, or holds no addresses, is refused', () => {
  const lines = [
    'EHLO x\r\n',
    'PROXY\r\n',
    'proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\rX',
    'PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n',
    'PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n',
    'PROXY TCP4 ::1 ::1 1 2\r\n',
    'PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n',
    'PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n',
    'PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n',
  ]
  for (const line of lines) assert.equal(readProxyHeader(Buffer.from(line)).kind, 'invalid', line)
  assert.equal(readProxyHeader(v2(0x11, 0x11, Buffer.alloc(12))).kind, 'invalid')
  assert.equal(readProxyHeader(v2(0x22, 0x11, Buffer.alloc(12))).kind, 'invalid')
  assert.equal(readProxyHeader(v2(0x21, 0x11, Buffer.alloc(11))).kind, 'invalid')
})

test('attack 6c: additions whose lengths lie are passed over whole, and move nothing', () => {
  const addresses = Buffer.from('c0000201c63364029c400019', 'hex')
  for (const additions of ['ff', 'ffff', '01ffff', '0100', '030004aa', '200000', '01000001000001']) {
    const header = readProxyHeader(
      Buffer.concat([
        v2(0x21, 0x11, Buffer.concat([addresses, Buffer.from(additions, 'hex')])),
        Buffer.from('QUIT\r\n'),
      ]),
    )
    assert.ok(header.kind === 'header', additions)
    assert.equal(header.sizeBytes, 16 + 12 + additions.length / 2)
    assert.equal(header.source?.ip, '192.0.2.1')
    assert.equal(header.tlvBytes, additions.length / 2)
  }
  // The largest that is taken, and one octet more.
  const most = v2(
    0x21,
    0x11,
    Buffer.concat([addresses, Buffer.alloc(V2_BODY_BYTES - addresses.length, 0xff)]),
  )
  assert.equal(readProxyHeader(most).kind, 'header')
  assert.equal(readProxyHeader(v2(0x21, 0x11, Buffer.alloc(V2_BODY_BYTES + 1))).kind, 'invalid')
  // A body for IPv6 under the mark of IPv4 is read as IPv4 and additions.
  const mixed = readProxyHeader(v2(0x21, 0x11, Buffer.alloc(36, 1)))
  assert.ok(mixed.kind === 'header' && mixed.source?.ip === '1.1.1.1' && mixed.tlvBytes === 24)
})

test('property: what is written is read', () => {
  const port = fc.integer({ min: 0, max: 65_535 })
  const octets = fc.oneof(
    fc.tuple(...[4, 4].map((n) => fc.uint8Array({ minLength: n, maxLength: n }))),
    fc.tuple(...[16, 16].map((n) => fc.uint8Array({ minLength: n, maxLength: n }))),
  )
  fc.assert(
    fc.property(octets, port, port, ([from, to], fromPort, toPort) => {
      const source = { ip: formatIp(from as Uint8Array), port: fromPort }
      const destination = { ip: formatIp(to as Uint8Array), port: toPort }
      const bytes = formatProxyHeader(source, destination)
      // An IPv4-mapped one is IPv4 and may not fit the other.
      if (bytes === undefined) return
      const read = readProxyHeader(bytes)
      assert.ok(read.kind === 'header')
      assert.deepEqual(read.destination?.port, toPort)
      assert.deepEqual(read.sizeBytes, bytes.length)
      assert.deepEqual(formatProxyHeader(read.source ?? source, read.destination ?? destination), bytes)
    }),
  )
})
