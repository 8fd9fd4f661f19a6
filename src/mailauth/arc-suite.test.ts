import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CanonicalBody } from './body-hash.ts'
import { parseResults } from './parse-results.ts'
import { makeSeal } from './seal.ts'
import { evaluated } from './signing.test-kit.ts'

// ValiMail's arc_test_suite, read where HIKYAKU_TESTDATA says it is; through the evaluation that mail takes.
const folder = process.env.HIKYAKU_TESTDATA
const options = { skip: folder === undefined ? 'HIKYAKU_TESTDATA is not set: no ARC suite' : false }

interface Suite<T> {
  readonly description: string
  readonly tests: Readonly<Record<string, T>>
  readonly 'txt-records'?: Readonly<Record<string, string>>
}

interface ValidationCase {
  readonly message: string
  /** `None`, `Pass` or `Fail`; empty where the suite expects nothing. */
  readonly cv: string
}

interface SigningCase {
  readonly message: string
  readonly t: number
  readonly 'sig-headers': string
  readonly 'srv-id': string
  readonly AS: string
  readonly AMS: string
  readonly AAR: string
}

interface SigningSuite extends Suite<SigningCase> {
  readonly domain: string
  readonly sel: string
  readonly privatekey: string
}

/** Cases of which we say something else than the suite, with the sentence that justifies it. */
const MISSES: Readonly<Record<string, string>> = {
  ams_fields_c_na:
    'rfc8617 §4.1.2: "The AMS header field has the same syntax and semantics as the DKIM-Signature field"; rfc6376 §3.5, ' +
    'c=: "OPTIONAL, default is \'simple/simple\'". The suite made its signature in relaxed/relaxed.',
  ams_fields_h_empty:
    'rfc6376 §3.5, h=: "This list MUST NOT be empty"; §5.4: "The From header field MUST be signed".',
}

function suites<T>(name: string): readonly T[] {
  return folder === undefined ? [] : (JSON.parse(readFileSync(join(folder, 'arc', name), 'utf8')) as T[])
}

function octetsOf(message: string): Buffer {
  return Buffer.from(message.replace(/\r?\n/g, '\r\n'))
}

test(
  'arc_test_suite: each validation ends as expected, but for those that contradict the RFCs',
  options,
  async () => {
    let cases = 0
    const missed: string[] = []
    for (const suite of suites<Suite<ValidationCase>>('validate.json')) {
      for (const [name, { message, cv }] of Object.entries(suite.tests)) {
        const { arc, limits } = await evaluated(octetsOf(message), suite['txt-records'] ?? {})
        assert.deepEqual(limits, [], name)
        if ((cv ?? '') === '') continue
        cases++
        if (arc.result !== cv.toLowerCase()) missed.push(name)
        if (arc.result === 'fail') assert.ok((arc.why ?? '').length > 5, `${name} fails without a reason`)
      }
    }
    assert.equal(cases, 168)
    assert.deepEqual(missed.toSorted(), Object.keys(MISSES).toSorted())
  },
)

test('arc_test_suite: each set that we make says what is expected, to the octet', options, async () => {
  let cases = 0
  for (const suite of suites<SigningSuite>('sign.json')) {
    for (const [name, expected] of Object.entries(suite.tests)) {
      cases++
      const zone = Object.fromEntries(
        Object.entries(suite['txt-records'] ?? {}).map(([at, text]) => [at, text.replace(/\n/g, '')]),
      )
      const message = octetsOf(expected.message)
      const seal = await sealed(message, suite, expected, zone)
      if (expected.AS === '') {
        assert.equal(seal, '', name)
        continue
      }
      const [made = '', signature = '', results = ''] = seal.split(/\r\n(?=ARC-)/)
      assert.equal(squeezed(results), squeezed(`ARC-Authentication-Results:${expected.AAR}`), name)
      assert.equal(squeezed(signature), squeezed(`ARC-Message-Signature:${expected.AMS}`), name)
      assert.equal(tagsWithoutB(made), tagsWithoutB(`ARC-Seal:${expected.AS}`), name)
      // The suite's seals were made over results folded otherwise, so each is held against its key instead.
      const { arc } = await evaluated(Buffer.concat([Buffer.from(seal), message]), zone)
      assert.equal(arc.result, /cv=fail/.test(made) ? 'fail' : 'pass', `${name}: ${arc.why}`)
    }
  }
  assert.equal(cases, 17)
})

/** Seals a message as its case asks. */
async function sealed(
  message: Buffer,
  suite: SigningSuite,
  expected: SigningCase,
  zone: Readonly<Record<string, string>>,
): Promise<string> {
  const { arc } = await evaluated(message, zone)
  const split = message.indexOf('\r\n\r\n') + 4
  const hash = createHash('sha256')
  const body = new CanonicalBody('relaxed', (octets) => hash.update(octets))
  body.update(message.subarray(split))
  body.end()
  return makeSeal({
    header: message.subarray(0, split),
    bodyHash: hash.digest('base64'),
    arc,
    results: ownResults(message.toString(), expected['srv-id']),
    key: {
      domain: suite.domain,
      selector: suite.sel,
      algorithm: 'rsa-sha256',
      privateKeyPem: suite.privatekey,
    },
    nowMs: expected.t * 1000,
    signs: expected['sig-headers'].split(':'),
  })
}

/** What the server itself wrote into Authentication-Results, gathered as rfc8617 §4.1.1 says. */
function ownResults(message: string, authservId: string): string {
  const values = [...message.matchAll(/^authentication-results:([^\n]*(?:\n[ \t][^\n]*)*)/gim)].map(
    ([, value = '']) => value,
  )
  const own = values.filter((value) => parseResults(value)?.authservId === authservId)
  return [authservId, ...own.map((value) => value.slice(value.indexOf(';') + 1).trim())].join('; ')
}

function squeezed(text: string): string {
  return text.replace(/\s+/g, '')
}

function tagsWithoutB(field: string): string {
  return squeezed(field).replace(/;b=[^;]*/, ';b=')
}
