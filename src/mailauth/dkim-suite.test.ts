import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CanonicalBody } from './body-hash.ts'
import { evidenceOf, signed } from './signed.test-kit.ts'
import type { Zone } from './zone.test-kit.ts'

// Messages of rfc6376 and rfc8463, and Mail-DKIM's corpus, read where HIKYAKU_TESTDATA says they are.
const folder = process.env.HIKYAKU_TESTDATA
const skip = folder === undefined ? 'HIKYAKU_TESTDATA is not set: no DKIM messages' : false

const read = (name: string): Buffer => readFileSync(join(folder ?? '', 'dkim', name))

/** rfc8463 appendix A, and the key that Exim's tests publish. */
const ZONE: Zone = {
  'brisbane._domainkey.football.example.com': {
    TXT: ['v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo='],
  },
  'test._domainkey.football.example.com': {
    TXT: [
      'v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB',
    ],
  },
  'sed._domainkey.test.ex': {
    TXT: ['v=DKIM1; k=ed25519; p=sPs07Vu29FpHT/80UXUcYHFOHifD4o2ZlP2+XUh9g6E='],
  },
}

test('the message of RFC 6376 with both signatures of RFC 8463 passes twice', { skip }, async () => {
  const { dkim } = await evidenceOf(read('rfc6376.signed.msg'), { zone: ZONE })
  assert.deepEqual(
    dkim.map(({ result, selector, algorithm }) => [result, selector, algorithm]),
    [
      ['pass', 'brisbane', 'ed25519-sha256'],
      ['pass', 'test', 'rsa-sha256'],
    ],
  )
})

test("Exim's Ed25519 message passes, and the other one does once its key has signed it", {
  skip,
}, async () => {
  const [found] = (await evidenceOf(read('ed25519test2.msg'), { zone: ZONE })).dkim
  assert.deepEqual([found?.result, found?.algorithm], ['pass', 'ed25519-sha256'])
  const message = read('ed25519test.msg').toString('latin1').replaceAll('\n', '\r\n')
  const der = Buffer.concat([
    Buffer.from('302e020100300506032b657004220420', 'hex'),
    Buffer.from(read('ed25519test.key').toString('latin1').trim(), 'base64'),
  ])
  const privateKeyPem = `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`
  const record = read('ed25519test.dns').toString('latin1').trim()
  const signedMessage = await signed(message, { key: { privateKeyPem, record }, domain: 'example.com' })
  const [own] = (
    await evidenceOf(signedMessage, { zone: { 's1._domainkey.example.com': { TXT: [record] } } })
  ).dkim
  assert.deepEqual([own?.result, own?.algorithm], ['pass', 'ed25519-sha256'])
})

interface CorpusCase {
  readonly file: string
  /** What Mail-DKIM says. */
  readonly result: string
  /** base64. */
  readonly message: string
}

/**
 * The corpus is from before rfc6376: what it holds without `v=`, with rsa-sha1 or with keys of 512 bits is no pass any
 * more. The table says of each signature what came of it, and whether our canonical body has the hash that it names.
 */
test("Mail-DKIM's corpus is parsed and canonicalised as recorded", { skip }, async () => {
  const { dns, cases } = JSON.parse(read('corpus.json').toString()) as {
    readonly dns: Readonly<Record<string, string>>
    readonly cases: readonly CorpusCase[]
  }
  const zone = Object.fromEntries(
    Object.entries(dns).map(([name, text]) => [name.toLowerCase(), { TXT: [text] }]),
  )
  const lines = ['# file, what Mail-DKIM says, then for each signature: result / body hash fits or not / why']
  for (const one of cases) {
    const message = Buffer.from(one.message, 'base64')
    const { dkim } = await evidenceOf(message, { zone })
    const bodies = bodyHashes(message.toString('latin1'))
    const each = dkim.map(({ result, why }, i) => `${result} / ${bodies[i] ?? '-'} / ${why ?? ''}`)
    lines.push([one.file, one.result, ...each].join('\t'))
  }
  const path = join(import.meta.dirname, 'dkim-corpus.tsv')
  assert.deepEqual(lines, readFileSync(path, 'utf8').trimEnd().split('\n'))
})

/** Of each signature in order: what `bh=` says against our canonical body. */
function bodyHashes(message: string): string[] {
  const end = /\r?\n\r?\n/.exec(message)
  const header = end === null ? message : message.slice(0, end.index)
  const body = end === null ? '' : message.slice(end.index + end[0].length)
  const fields = header.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)
  return fields
    .filter((field) => /^dkim-signature:/i.test(field))
    .map((field) => {
      const tag = (name: string): string =>
        new RegExp(`[;:]\\s*${name}\\s*=([^;]*)`).exec(field)?.[1]?.replaceAll(/\s/g, '') ?? ''
      const how = tag('c').split('/')[1] ?? 'simple'
      const algorithm = tag('a').split('-')[1] ?? ''
      if (!['sha1', 'sha256'].includes(algorithm) || !['simple', 'relaxed'].includes(how) || tag('l') !== '')
        return '-'
      const hash = createHash(algorithm)
      const canonical = new CanonicalBody(how as 'simple' | 'relaxed', (octets) => hash.update(octets))
      canonical.update(Buffer.from(body, 'latin1'))
      canonical.end()
      return hash.digest('base64') === tag('bh') ? 'fits' : 'does not fit'
    })
}
