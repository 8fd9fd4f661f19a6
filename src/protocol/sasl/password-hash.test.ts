import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { deriveScramKeys, hashArgon2id, matchArgon2id, parsePhc, verifyArgon2id } from './password-hash.ts'

const salt = Buffer.from('0123456789abcdef')
const quick = { memoryKib: 64, passes: 1, parallelism: 1 }

test('a hash says its parameters and verifies its password only', () => {
  const phc = hashArgon2id('correct horse', { salt })
  assert.match(phc, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$MDEyMzQ1Njc4OWFiY2RlZg\$[A-Za-z0-9+/]{43}$/)
  assert.ok(verifyArgon2id(phc, 'correct horse'))
  assert.ok(!verifyArgon2id(phc, 'correct horsf'))
  assert.ok(!verifyArgon2id(phc, ''))
})

test('a hash of the reference implementation verifies', () => {
  // phc-winner-argon2, test.c, version 0x13, Argon2id, t=2, m=2^16, p=1, password "password", salt "somesalt".
  const phc = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
  assert.ok(verifyArgon2id(phc, 'password'))
  assert.ok(!verifyArgon2id(phc, 'Password'))
})

test('several hashes: the one that fits is named, whatever stands beside it', () => {
  const hash = (password: string, own = salt): string => hashArgon2id(password, { salt: own, params: quick })
  const phcs = [hash('one'), 'nonsense', hash('two'), hash('three', Buffer.from('another salt here'))]
  assert.equal(matchArgon2id(phcs, 'one'), 0)
  assert.equal(matchArgon2id(phcs, 'two'), 2)
  assert.equal(matchArgon2id(phcs, 'three'), 3)
  assert.equal(matchArgon2id(phcs, 'four'), undefined)
  assert.equal(matchArgon2id([], 'one'), undefined)
})

test('two spellings of one password are one password', () => {
  const phc = hashArgon2id('Ünïcode\u00a0pass', { salt, params: quick })
  assert.ok(verifyArgon2id(phc, 'U\u0308ni\u0308code pass'))
})

test('a stored hash cannot ask for more than the bounds', () => {
  const ok = '$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
  assert.ok(parsePhc(ok))
  for (const wrong of [
    'm=131073,t=1,p=1',
    'm=9999999,t=1,p=1',
    'm=64,t=11,p=1',
    'm=64,t=0,p=1',
    'm=64,t=1,p=9',
  ])
    assert.equal(parsePhc(ok.replace('m=64,t=1,p=1', wrong)), undefined, wrong)
  for (const wrong of [
    '',
    '$argon2i$',
    ok.replace('v=19', 'v=16'),
    `${ok}$`,
    `${ok}${'A'.repeat(600)}`,
    `${ok}\n`,
  ])
    assert.equal(parsePhc(wrong), undefined, wrong)
  assert.ok(!verifyArgon2id('{SSHA}x', 'x'))
})

test('a PHC string cut at every byte is none; round trip: what is read is what was written', () => {
  const phc = hashArgon2id('some password', { salt, params: quick })
  for (let i = 0; i < phc.length - 22; i++)
    assert.equal(parsePhc(phc.slice(0, i)), undefined, phc.slice(0, i))
  const read = parsePhc(phc)
  assert.ok(read)
  assert.deepEqual(Buffer.from(read.salt), salt)
  assert.deepEqual(read.params, quick)
})

test('property: verify accepts what was hashed, and nothing one character longer', () => {
  const password = fc.string({ minLength: 1, maxLength: 30, unit: fc.constantFrom(...'abcÄ漢 🙂~') })
  fc.assert(
    fc.property(password, (text) => {
      const phc = hashArgon2id(text, { salt, params: quick })
      assert.ok(verifyArgon2id(phc, text))
      assert.ok(!verifyArgon2id(phc, `${text}x`))
    }),
    { numRuns: 50 },
  )
})

test('SCRAM keys are those of rfc7677 §3', () => {
  const keys = deriveScramKeys('pencil', {
    hash: 'SHA-256',
    salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'),
    iterations: 4096,
  })
  assert.equal(Buffer.from(keys.storedKey).toString('base64'), 'WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=')
  assert.equal(Buffer.from(keys.serverKey).toString('base64'), 'wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=')
})
