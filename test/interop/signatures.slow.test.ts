// What we sign and seal, verified by others: OpenDKIM and dkimpy ask a DNS of ours for the keys, as any receiver does.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { formatResults } from '../../src/mailauth/authentication-results.ts'
import { CanonicalBody } from '../../src/mailauth/body-hash.ts'
import { makeSeal } from '../../src/mailauth/seal.ts'
import { sign } from '../../src/mailauth/sign.ts'
import { contentOf, evaluated, type TestKey, testKey, zoneOf } from '../../src/mailauth/signing.test-kit.ts'
import { type DnsServer, startDns } from '../harness/dns.ts'
import { needPrograms, needSlowNamespace } from '../harness/programs.ts'
import { type Ran, run, describe as told } from '../harness/run.ts'
import { makeScratch, type Scratch } from '../harness/scratch.ts'

const RSA = testKey('signed.test', 'r1', 'rsa-sha256')
const ED25519 = testKey('signed.test', 'e1', 'ed25519-sha256')
const LIST = testKey('list.test', 'l1', 'rsa-sha256')
const RELAY = testKey('relay.test', 'f1', 'rsa-sha256')
const KEYS = [RSA, ED25519, LIST, RELAY]
const NAMES = { 'rsa-sha256': RSA, 'ed25519-sha256': ED25519 }

const HEADER =
  'From: Aya <aya@signed.test>\r\nTo: bo@far.test\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\n and \t more\r\n' +
  'Date: Tue, 24 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@signed.test>\r\n'
const LONG = 'x'.repeat(990)

const SHAPES: Readonly<Record<string, Buffer>> = {
  plain: text(`${HEADER}\r\nHello  there \r\n\r\nbye\r\n`),
  'empty body': text(`${HEADER}\r\n`),
  'only empty lines': text(`${HEADER}\r\n\r\n\r\n`),
  'only blanks': text(`${HEADER}\r\n \t \r\n  \r\n`),
  'empty lines and blanks at the end': text(`${HEADER}\r\nabc \r\n \t\r\n\r\n\r\n`),
  'long lines': text(`${HEADER}X-Long: ${LONG}\r\n ${LONG}\r\n\r\n${LONG}\r\n \t${LONG}\r\n`),
  'long and much folded fields': text(
    `References:\r\n ${'<0123456789@signed.test>\r\n\t '.repeat(60)}<x@y>\r\n${HEADER}\r\nx\r\n`,
  ),
  'fields many times': text(
    `${HEADER}${'List-Post: <x>\r\nResent-To: a@far.test\r\nKeywords: k\r\n'.repeat(20)}\r\nx\r\n`,
  ),
  'empty fields': text(`${HEADER}Cc:\r\nReply-To: \r\nReferences:\t\r\n x\r\n\r\nx\r\n`),
  'UTF-8 fields and body': text(`Cc: 例え <ö@例え.test>\r\n${HEADER}\r\n本文 \r\n`),
  '8-bit octets': Buffer.concat([
    text(`${HEADER}Content-Transfer-Encoding: 8bit\r\n\r\n`),
    allOctets(),
    text('\r\n'),
  ]),
  'no line end behind the last line': text(`${HEADER}\r\nabc`),
  'a line of dots': text(`${HEADER}\r\n.\r\n..\r\n. x\r\n`),
}

function text(content: string): Buffer {
  return Buffer.from(content)
}

/** Each octet but NUL (no mail has it for these programs), CR and LF. */
function allOctets(): Buffer {
  return Buffer.from(
    Array.from({ length: 256 }, (_, octet) => octet).filter((octet) => ![0, 10, 13].includes(octet)),
  )
}

async function signed(content: Buffer, keys: readonly TestKey[]): Promise<Buffer> {
  const added = text('Received: from c by signed.test; Tue, 24 Nov 2026 12:00:00 +0000\r\n')
  const fields = await sign({ content: contentOf(content).pieces(), added, keys, nowMs: Date.now() })
  return Buffer.concat([text(fields), added, content])
}

async function passedOn(message: Buffer, key: TestKey): Promise<Buffer> {
  const evidence = await evaluated(message, zoneOf(...KEYS))
  const split = message.indexOf('\r\n\r\n') + 4
  const hash = createHash('sha256')
  const body = new CanonicalBody('relaxed', (octets) => hash.update(octets))
  body.update(message.subarray(split))
  body.end()
  const seal = makeSeal({
    header: message.subarray(0, split),
    bodyHash: hash.digest('base64'),
    arc: evidence.arc,
    results: formatResults({ authservId: key.domain, evidence, client: '11.22.33.25' }),
    key,
    nowMs: Date.now(),
  })
  assert.notEqual(seal, '')
  return Buffer.concat([text(seal), message])
}

describe('what we sign and seal', { timeout: 600_000 }, () => {
  let dns: DnsServer
  let scratch: Scratch

  before(async () => {
    needSlowNamespace()
    needPrograms('opendkim-testmsg', 'dkimverify', 'python3')
    scratch = makeScratch('signatures')
    const zone = KEYS.map(({ record: [name, record] }) => `${name} TXT ${record}`).join('\n')
    dns = await startDns({ address: '11.22.33.53', port: 53, zone })
  })

  after(async () => {
    await dns?.stop()
    scratch?.remove()
  })

  const opendkim = (input: Buffer): Promise<Ran> => run('opendkim-testmsg', ['-t', scratch.folder], { input })
  const dkimpy = (input: Buffer): Promise<Ran> => run('dkimverify', [], { input })
  const arcverify = async (input: Buffer): Promise<string> =>
    (await run('arcverify', [], { input })).stdout.toString()

  for (const [algorithm, key] of Object.entries(NAMES)) {
    for (const [shape, content] of Object.entries(SHAPES)) {
      test(`${algorithm}, ${shape}: OpenDKIM and dkimpy verify it`, async () => {
        const message = await signed(content, [key])
        for (const verify of [opendkim, dkimpy]) {
          const ran = await verify(message)
          assert.equal(ran.code, 0, told(ran))
          assert.doesNotMatch(ran.stdout.toString() + ran.stderr, /fail|error|bad/i)
        }
      })
    }

    test(`${algorithm}: neither takes a change, nor a second From, Subject or To`, async () => {
      const message = (await signed(SHAPES.plain as Buffer, [key])).toString()
      for (const changed of [
        message.replace('bye', 'bie'),
        message.replace('1@signed', '2@signed'),
        ...['From: eve@evil.test', 'Subject: x', 'To: x@far.test', 'Content-Type: text/html'].flatMap(
          (field) => [`${field}\r\n${message}`, message.replace('Message-ID:', `${field}\r\nMessage-ID:`)],
        ),
      ]) {
        assert.notEqual(changed, message)
        for (const verify of [opendkim, dkimpy]) {
          const ran = await verify(text(changed))
          assert.notEqual(ran.code, 0, `${told(ran)}\n${changed}`)
        }
      }
    })
  }

  test('both signatures of one message verify, each by its index', async () => {
    const message = await signed(SHAPES.plain as Buffer, [RSA, ED25519])
    for (const index of ['0', '1']) {
      const ran = await run('dkimverify', ['--index', index], { input: message })
      assert.equal(ran.code, 0, told(ran))
    }
    assert.equal((await opendkim(message)).code, 0)
  })

  test('25 MB verify', async () => {
    const content = Buffer.concat([
      text(`${HEADER}\r\n`),
      text('abc \t def  ghi jkl mno pqr stu vwx yz\r\n'.repeat(680_000)),
    ])
    const message = await signed(content, [RSA])
    for (const verify of [opendkim, dkimpy]) {
      const ran = await verify(message)
      assert.equal(ran.code, 0, told(ran))
    }
  })

  for (const [shape, content] of Object.entries(SHAPES)) {
    test(`ARC, ${shape}: dkimpy validates one set, and two`, async () => {
      const first = await passedOn(await signed(content, [RSA]), LIST)
      assert.match(await arcverify(first), /cv=b'pass'/)
      assert.match(await arcverify(await passedOn(first, RELAY)), /cv=b'pass'/)
    })
  }

  test('ARC: dkimpy refuses what was changed behind a seal, and the set that we make then', async () => {
    const first = (await passedOn(await signed(SHAPES.plain as Buffer, [RSA]), LIST)).toString()
    const changed = text(first.replace('bye', 'bie'))
    assert.match(await arcverify(changed), /cv=b'fail'/)
    assert.match(await arcverify(await passedOn(changed, RELAY)), /ARC-Seal\[2\] reported failure/)
  })
})
