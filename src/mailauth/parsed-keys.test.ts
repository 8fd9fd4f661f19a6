import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evaluate } from './evaluate.ts'
import { EVALUATION_LIMITS as LIMITS } from './limits.ts'
import { ParsedKeys } from './parsed-keys.ts'
import { ed25519Key, keyAt, rsaKey, signed } from './signed.test-kit.ts'
import { contentOf, FACTS, StillClock, type Zone, ZoneDns } from './zone.test-kit.ts'

const MESSAGE = 'From: ann@sender.example\r\nSubject: x\r\n\r\nHello.\r\n'
const RSA = rsaKey(1024)

async function resultOf(message: string, zone: Zone, keys: ParsedKeys): Promise<unknown> {
  const dns = new ZoneDns(zone)
  const { dkim } = await evaluate(contentOf(Buffer.from(message)), FACTS, {
    dns,
    clock: new StillClock(),
    keys,
  })
  assert.ok(dns.asked.includes('TXT s1._domainkey.sender.example'))
  return [dkim[0]?.result, dkim[0]?.keyBits]
}

test('a key is parsed once; a changed, revoked or unreachable record counts at once', async () => {
  const keys = new ParsedKeys()
  const message = await signed(MESSAGE, { key: RSA, domain: 'sender.example' })
  const name = 's1._domainkey.sender.example'
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(await resultOf(message, keyAt('sender.example', RSA), keys), ['pass', 1024])
    assert.equal(keys.size, 1)
  }
  assert.deepEqual(await resultOf(message, { [name]: { TXT: ['v=DKIM1; p='] } }, keys), [
    'permerror',
    undefined,
  ])
  assert.deepEqual(await resultOf(message, { [name]: { down: true } }, keys), ['temperror', undefined])
  assert.deepEqual(await resultOf(message, {}, keys), ['permerror', undefined])
  assert.deepEqual(await resultOf(message, keyAt('sender.example', rsaKey(1024)), keys), ['fail', 1024])
  const notForSha256 = { [name]: { TXT: [RSA.record.replace('k=rsa', 'k=rsa; h=sha1')] } }
  assert.deepEqual(await resultOf(message, notForSha256, keys), ['permerror', undefined])
  assert.deepEqual(await resultOf(message, keyAt('sender.example', RSA), keys), ['pass', 1024])
  assert.equal(keys.size, 2)
})

test('an Ed25519 key is kept likewise, and what is kept is bounded', async () => {
  const keys = new ParsedKeys()
  const key = ed25519Key()
  const message = await signed(MESSAGE, { key, domain: 'sender.example' })
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(await resultOf(message, keyAt('sender.example', key), keys), ['pass', undefined])
  }
  assert.equal(keys.size, 1)
  const pem = RSA.privateKeyPem
  const front = keys.inFrontOf(
    { resolver: undefined, get: async () => ({ publicKey: pem }) },
    async (name) => [[name]],
  )
  for (let i = 0; i < LIMITS.keysKept + 10; i++) await front.get('DKIM', `n${i}`, 1024, {})
  assert.equal(keys.size, LIMITS.keysKept)
})
