import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { REPORT_LIMITS } from './limits.ts'
import { zip } from './reports.test-kit.ts'
import { unpackReport } from './unpack.ts'

const XML = Buffer.from(`<feedback>${'<a>some text 著</a>'.repeat(50)}</feedback>`)
const whyNot = (packed: Uint8Array): string => {
  const result = unpackReport(packed)
  return result.ok ? 'it was unpacked' : result.why
}

test('round trip: gzip, zip (compressed and stored) and plain give the same octets', () => {
  const forms = [
    XML,
    gzipSync(XML),
    zip([{ name: 'a!b!1!2.xml', octets: XML }]),
    zip([{ name: 'a.xml', octets: XML, method: 0 }]),
    zip([
      { name: 'd/', octets: Buffer.alloc(0), method: 0 },
      { name: 'd/readme.txt', octets: Buffer.from('x') },
      { name: 'd/a.XML', octets: XML },
    ]),
    Buffer.concat([zip([{ name: 'a.xml', octets: XML }]), Buffer.from('a comment behind the end')]),
  ]
  for (const packed of forms) assert.deepEqual(unpackReport(packed), { ok: true, octets: XML })
})

test('cut at every byte: refused with a reason, and never thrown', () => {
  for (const packed of [gzipSync(XML), zip([{ name: 'a.xml', octets: XML }])])
    for (let end = 4; end < packed.length; end++)
      assert.equal(unpackReport(packed.subarray(0, end)).ok, false, `cut at ${end}`)
})

test('attack 20a: a gzip bomb and a zip bomb are refused before they are inflated', () => {
  const zeros = Buffer.alloc(64 * 1024 * 1024)
  assert.match(whyNot(gzipSync(zeros)), /bomb/)
  assert.match(whyNot(zip([{ name: 'a.xml', octets: zeros }])), /bomb/)
  // Below the limit of octets, above that of the ratio.
  const small = gzipSync(Buffer.alloc(2 * 1024 * 1024))
  assert.ok(small.length * REPORT_LIMITS.ratio < 2 * 1024 * 1024)
  assert.match(whyNot(small), /bomb/)
})

test('attack 20a: an archive within an archive is not opened', () => {
  assert.match(whyNot(gzipSync(gzipSync(XML))), /within an archive/)
  assert.match(
    whyNot(zip([{ name: 'a.xml', octets: zip([{ name: 'b.xml', octets: XML }]) }])),
    /within an archive/,
  )
  assert.match(whyNot(zip([{ name: 'a.xml', octets: gzipSync(XML), method: 0 }])), /within an archive/)
})

test('attack 20a: archives that lie or hold too much are refused', () => {
  const one = { name: 'a.xml', octets: XML }
  assert.match(whyNot(zip([one, { ...one, name: 'b.xml' }])), /more than one/)
  assert.match(whyNot(zip(Array.from({ length: 9 }, () => one))), /9 files/)
  const folder = { name: 'd/', octets: Buffer.alloc(0), method: 0 as const }
  assert.match(whyNot(zip([folder])), /no file/)
  assert.match(whyNot(zip([one], { flags: 1 })), /encrypted/)
  assert.match(whyNot(zip([one], { localAt: 0xffff_fff0 })), /not there/)
  assert.match(whyNot(zip([one], { localAt: 1 })), /not there/)
  assert.match(whyNot(zip([one], { packedBytes: 0x7fff_ffff })), /cut short/)
  assert.match(whyNot(zip([{ ...one, method: 99 }])), /method 99/)
})
