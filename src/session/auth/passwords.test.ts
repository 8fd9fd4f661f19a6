import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { AccountId } from '../../mail/ids.ts'
import type { StoredCredential } from '../../ports/accounts.ts'
import { matchArgon2id } from '../../protocol/sasl/password-hash.ts'
import { directHasher } from './direct-hasher.ts'
import { makeCredential, type PasswordTools } from './passwords.ts'
import { chooseScramKeys } from './scram-choice.ts'

const tools: PasswordTools = {
  hasher: directHasher(),
  random: { bytes: (count) => new Uint8Array(randomBytes(count)) },
  installationSecret: Buffer.from('installation secret'),
  scramSha1: false,
}
const login = 'sparrow@example.test'

async function kept(
  name: string,
  password: string | undefined,
  existing: readonly StoredCredential[],
): Promise<StoredCredential & { readonly password: string }> {
  const made = await makeCredential({ login, name, password, existing }, tools)
  assert.ok(made.ok)
  assert.equal(made.generated, password === undefined)
  return { ...made.credential, account: 1 as AccountId, createdAtMs: 0, password: made.password }
}

test('a chosen password has SCRAM keys at 600,000 iterations only; a generated one at a low count too', async () => {
  const chosen = await kept('main', 'a chosen pass phrase', [])
  assert.deepEqual(
    chosen.scram?.map((one) => [one.hash, one.iterations]),
    [['SHA-256', 600_000]],
  )
  const generated = await kept('phone', undefined, [chosen])
  assert.deepEqual(
    generated.scram?.map((one) => one.iterations),
    [10_000, 600_000],
  )
  assert.deepEqual(
    chooseScramKeys([generated], 'SHA-256').map((one) => one.iterations),
    [10_000],
  )
  assert.deepEqual(
    chooseScramKeys([chosen, generated], 'SHA-256').map((one) => one.iterations),
    [600_000, 600_000],
  )
  assert.deepEqual(chooseScramKeys([chosen, generated], 'SHA-1'), [])
  // One salt: one computation for all.
  assert.equal(chosen.argon2id.split('$')[4], generated.argon2id.split('$')[4])
  assert.equal(matchArgon2id([chosen.argon2id, generated.argon2id], generated.password), 1)
})

test('SCRAM-SHA-1 keys are kept where the setting allows the mechanism', async () => {
  const made = await makeCredential({ login, name: 'x', existing: [] }, { ...tools, scramSha1: true })
  assert.ok(made.ok)
  assert.deepEqual(
    made.credential.scram?.map((one) => one.hash),
    ['SHA-256', 'SHA-256', 'SHA-1', 'SHA-1'],
  )
})

test('weak passwords and a thirty-third one are refused with the reason; none is hashed for it', async () => {
  const refusing: PasswordTools = {
    ...tools,
    hasher: {
      argon2id: () => assert.fail('hashed'),
      matchArgon2id: () => assert.fail('hashed'),
      scramKeys: () => assert.fail('hashed'),
    },
  }
  const request = { login, name: 'main', existing: [] }
  const weak = await makeCredential({ ...request, password: 'sparrow-2026-x' }, refusing)
  assert.deepEqual(weak, {
    ok: false,
    reason: "it contains 'sparrow', which is part of the account's address",
  })
  const full = Array.from({ length: 32 }, (_, i) => ({
    account: 1 as AccountId,
    name: `device ${i}`,
    argon2id: '',
    createdAtMs: 0,
  }))
  const more = await makeCredential({ ...request, existing: full }, refusing)
  assert.ok(!more.ok && /32 passwords already/.test(more.reason))
})
