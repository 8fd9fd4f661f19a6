import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { parseAddress } from '../../mail/address.ts'
import type { AuthDns } from '../../mailauth/dns.ts'
import type { EvaluationFacts, ReadableContent, SigningKey } from '../../ports/mail-auth.ts'
import type { Answer } from '../../ports/resolver.ts'
import { ThreadedMailAuth } from './threaded-mail-auth.ts'

/* The thread as the server starts it, with what it really computes. */

const found = (text: string): Answer<string> => ({
  ...{ kind: 'found', records: [text], ttlSeconds: 60, authenticated: false },
})
const noName = async (): Promise<Answer<never>> => ({ kind: 'no-name' })

function makeKey(algorithm: SigningKey['algorithm'], selector: string) {
  const pair =
    algorithm === 'rsa-sha256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ed25519')
  const spki = pair.publicKey.export({ type: 'spki', format: 'der' })
  const p = algorithm === 'rsa-sha256' ? spki : spki.subarray(-32)
  const key: SigningKey = {
    ...{ domain: 'a.test', selector, algorithm },
    privateKeyPem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
  const kind = algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519'
  return {
    key,
    name: `${selector}._domainkey.a.test`,
    record: `v=DKIM1; k=${kind}; p=${p.toString('base64')}`,
  }
}

function start(t: TestContext, records: Readonly<Record<string, string>>): ThreadedMailAuth {
  const txt = async (name: string) => {
    const text = records[name]
    return text === undefined ? noName() : found(text)
  }
  const dns: AuthDns = { a: noName, aaaa: noName, mx: noName, ptr: noName, cname: noName, txt }
  const auth = new ThreadedMailAuth({ dns, nowMs: () => performance.now() })
  t.after(() => auth.close())
  return auth
}

function contentOf(text: string, pieceBytes = 40_000): ReadableContent {
  const bytes = Buffer.from(text, 'latin1')
  return {
    sizeBytes: bytes.length,
    async *pieces() {
      for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
    },
  }
}

const reversePath = parseAddress('x@a.test') ?? null
const facts: EvaluationFacts = {
  client: '192.0.2.1',
  helo: 'mx.a.test',
  reversePath,
  authservId: 'mx.b.test',
}
const header =
  'From: X <x@a.test>\r\nTo: y@b.test\r\nSubject: hello\r\nDate: Tue, 2 Jan 2024 10:00:00 +0900\r\nMessage-ID: <1@a.test>\r\n'

for (const lines of [3, 60_000]) {
  test(`what is signed here passes here, sealed it passes further on: ${lines} lines`, async (t) => {
    const [rsa, ed] = [makeKey('rsa-sha256', 'r'), makeKey('ed25519-sha256', 'e')]
    const auth = start(t, {
      'a.test': 'v=spf1 ip4:192.0.2.0/24 -all',
      '_dmarc.a.test': 'v=DMARC1; p=reject',
      [rsa.name]: rsa.record,
      [ed.name]: ed.record,
    })
    const content = `${header}\r\n${'a line of text, and no more\r\n'.repeat(lines)}`
    const added = Buffer.from('Received: from c by d; Tue, 2 Jan 2024 10:00:00 +0900\r\n')
    const signatures = await auth.sign(contentOf(content), added, [rsa.key, ed.key])
    const message = signatures + added.toString() + content
    const { evidence, seal } = await auth.evaluate(contentOf(message, 70_001), facts, rsa.key)
    assert.deepEqual(
      evidence.dkim.map(({ result, algorithm }) => `${result} ${algorithm}`),
      ['pass rsa-sha256', 'pass ed25519-sha256'],
    )
    assert.deepEqual(
      [evidence.spf.result, evidence.dmarc.result, evidence.arc.result, evidence.limits],
      ['pass', 'pass', 'none', []],
    )
    assert.match(seal, /^ARC-Seal: /)
    const again = await auth.evaluate(contentOf(seal + message), { ...facts, client: '198.51.100.1' })
    assert.deepEqual([again.evidence.arc.result, again.evidence.spf.result], ['pass', 'fail'])
    assert.deepEqual(again.evidence.arc.sealers, ['a.test'])
    assert.equal(again.seal, '')
    // Sealing is for RSA keys alone.
    assert.equal((await auth.evaluate(contentOf(message), facts, ed.key)).seal, '')
  })
}

test('a key that is none is told without its words', async (t) => {
  const auth = start(t, {})
  const key: SigningKey = {
    domain: 'a.test',
    selector: 's',
    algorithm: 'rsa-sha256',
    privateKeyPem: '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----',
  }
  await assert.rejects(auth.sign(contentOf(`${header}\r\nx\r\n`), new Uint8Array(), [key]), (error) => {
    assert.doesNotMatch(String((error as Error).stack), /PRIVATE|c2VjcmV0/)
    return true
  })
})
