import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { AccountId } from '../../mail/ids.ts'
import type { AccountInfo, StoredCredential } from '../../ports/accounts.ts'
import type { Attempt, AttemptBudget } from '../../ports/budget.ts'
import type { Clock } from '../../ports/clock.ts'
import type { AttemptContext, Hasher, LoginResult } from '../../ports/credentials.ts'
import { ClientExchange } from '../../protocol/sasl/client.ts'
import { findMechanism } from '../../protocol/sasl/mechanisms.ts'
import { deriveScramKeys, hashArgon2id, matchArgon2id } from '../../protocol/sasl/password-hash.ts'
import { Authenticator, type AuthenticatorOptions } from './authenticator.ts'
import { AuthExchange, type AuthStep } from './exchange.ts'
import { VERIFIED_FOR_MS, WRONG_FOR_MS } from './limits.ts'
import { makeCredential } from './passwords.ts'

const SECRET = Buffer.from('installation secret')
const random = { bytes: (count: number) => new Uint8Array(randomBytes(count)) }
const quick = { memoryKib: 64, passes: 1, parallelism: 1 }

interface Rig {
  readonly authenticator: Authenticator
  readonly hasher: { calls: number; fails: boolean; hold: Promise<undefined> | undefined }
  readonly waits: number[]
  readonly good: Set<string>
  settings: { plainTextOnLoopback: boolean; scramSha1: boolean }
  storeFails: boolean
  pass(ms: number): void
  add(login: string, password?: string, name?: string): Promise<string>
  change(login: string, fields: Partial<AccountInfo>): void
  login(login: string, password: string, client?: string): Promise<LoginResult>
}

/** An authenticator on fakes: cheap hashes, a clock that goes at once, accounts in a Map. */
function rig(): Rig {
  let now = 5_000
  const accounts = new Map<string, AccountInfo>()
  const credentials = new Map<string, StoredCredential[]>()
  const listeners = new Set<(change: { login?: string | undefined }) => void>()
  const hasher = { calls: 0, fails: false, hold: undefined as Promise<undefined> | undefined }
  const good = new Set<string>()
  const waits: number[] = []
  const clock: Clock = {
    now: () => now,
    zoneMinutes: () => 0,
    monotonic: () => now,
    after(delayMs, callback) {
      waits.push(delayMs)
      queueMicrotask(callback)
      return () => assert.fail('nothing cancels')
    },
  }
  const fakeHasher: Hasher = {
    argon2id: async (password, salt) => hashArgon2id(password, { salt, params: quick }),
    async matchArgon2id(phcs, password) {
      hasher.calls++
      // Held: a flood, whose hashes would only cost the test's time.
      if (hasher.hold !== undefined) return await hasher.hold
      if (hasher.fails) throw new Error('the worker died')
      return matchArgon2id(phcs, password)
    },
    scramKeys: async (password, how) =>
      deriveScramKeys(password, { ...how, iterations: Math.min(how.iterations, 4097) }),
  }
  const store: AuthenticatorOptions['accounts'] = {
    async findAccount(login) {
      if (made.storeFails) throw new Error('disk')
      return accounts.get(login)
    },
    credentials: async (login) => credentials.get(login) ?? [],
    noteGoodAddress: (account, key) => void good.add(`${account} ${key}`),
    isGoodAddress: (account, key) => good.has(`${account} ${key}`),
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const context: AttemptContext = { client: '192.0.2.1', protocol: 'imap', mechanism: 'PLAIN' }
  const made: Rig = {
    hasher,
    good,
    waits,
    storeFails: false,
    settings: { plainTextOnLoopback: false, scramSha1: false },
    authenticator: new Authenticator({
      accounts: store,
      hasher: fakeHasher,
      budget: fakeBudget(() => now),
      clock,
      random,
      installationSecret: SECRET,
      settings: () => made.settings,
    }),
    pass(ms) {
      now += ms
    },
    async add(login, password, name = 'main') {
      const existing = credentials.get(login) ?? []
      const tools = {
        hasher: fakeHasher,
        random,
        installationSecret: SECRET,
        scramSha1: made.settings.scramSha1,
      }
      const result = await makeCredential({ login, name, password, existing }, tools)
      assert.ok(result.ok, JSON.stringify(result))
      const account = accounts.get(login)?.id ?? ((accounts.size + 1) as AccountId)
      accounts.set(login, { id: account, login, createdAtMs: 0, usedBytes: 0, disabled: false })
      const kept = { ...result.credential, account, createdAtMs: now }
      credentials.set(login, [...existing.filter((one) => one.name !== name), kept])
      for (const listener of listeners) listener({ login })
      return result.password
    },
    change(login, fields) {
      accounts.set(login, { ...(accounts.get(login) as AccountInfo), ...fields })
    },
    login: (login, password, client = context.client) =>
      made.authenticator.verifyPassword(login, password, { ...context, client }),
  }
  return made
}

/** Ten free failures, ten slow ones, then 900 s blocked; by account, or by pair where the address is known. */
function fakeBudget(now: () => number): AttemptBudget {
  const failures = new Map<string, number>()
  const key = (one: Attempt): string => (one.knownGood ? `${one.client} ${one.login}` : one.login)
  return {
    admit(attempt) {
      const before = failures.get(key(attempt)) ?? 0
      const blockedForMs = before < 20 ? 0 : 905_000 - now()
      if (blockedForMs > 0) return { blockedForMs }
      failures.set(key(attempt), before + 1)
      return { delayMs: before < 10 ? 0 : 1_000 }
    },
    refund: (attempt) => void failures.set(key(attempt), (failures.get(key(attempt)) ?? 0) - 1),
  }
}

async function converse(
  { authenticator }: Rig,
  how: {
    readonly mechanism: string
    readonly login: string
    readonly password: string
    readonly plus?: Uint8Array
    readonly clientSees?: Uint8Array
  },
): Promise<AuthStep> {
  const bindings = how.plus === undefined ? [] : (['tls-exporter'] as const)
  const offered = authenticator.mechanisms({ tls: true, loopback: false, bindings })
  const mechanism = findMechanism(how.mechanism)
  assert.ok(mechanism)
  const tls = { version: 'TLSv1.3', cipher: 'x', exporter: how.plus }
  const server = new AuthExchange(authenticator, {
    client: '192.0.2.1',
    protocol: 'smtp',
    mechanism: how.mechanism,
    offered,
    tls,
    random,
  })
  const octets = how.clientSees ?? how.plus
  const binding = octets === undefined ? undefined : ({ type: 'tls-exporter', octets } as const)
  const client = new ClientExchange({ ...how, mechanism, binding, random: randomBytes(18) })
  let step = await server.start(client.start())
  while (step.kind === 'challenge') {
    const answer = client.respond(step.bytes)
    assert.ok(answer.kind === 'response', JSON.stringify(answer))
    step = await server.respond(answer.bytes)
  }
  if (step.kind === 'ok') assert.ok(client.mayTrust())
  return step
}

test('every mechanism logs in with the generated password and with no other', async () => {
  const all = rig()
  all.settings.scramSha1 = true
  const password = await all.add('me@example.test')
  for (const mechanism of [
    'PLAIN',
    'LOGIN',
    'SCRAM-SHA-256',
    'SCRAM-SHA-1',
    'SCRAM-SHA-256-PLUS',
    'SCRAM-SHA-1-PLUS',
  ]) {
    const plus = mechanism.endsWith('-PLUS') ? Buffer.from('exported') : undefined
    const how = { mechanism, login: 'Me@Example.TEST', ...(plus === undefined ? {} : { plus }) }
    const step = await converse(all, { ...how, password })
    assert.deepEqual(step, { kind: 'ok', account: 1, login: 'me@example.test' }, mechanism)
    assert.equal((await converse(all, { ...how, password: `${password}x` })).kind, 'refused', mechanism)
    assert.equal(
      (await converse(all, { ...how, login: 'no@example.test', password })).kind,
      'refused',
      mechanism,
    )
  }
})

test('a binding of another connection is refused as an attack, a wrong password is not one', async () => {
  const all = rig()
  const password = await all.add('me@example.test')
  const how = { mechanism: 'SCRAM-SHA-256-PLUS', login: 'me@example.test', plus: Buffer.from('ours') }
  const forwarded = await converse(all, { ...how, password, clientSees: Buffer.from('the forwarder’s') })
  assert.ok(forwarded.kind === 'refused' && forwarded.attack === true)
  const wrong = await converse(all, { ...how, password: `${password}x` })
  assert.ok(wrong.kind === 'refused' && wrong.attack === undefined)
})

test('each app password works, with PLAIN and with SCRAM, beside one that was chosen', async () => {
  const all = rig()
  const passwords = [
    await all.add('me@example.test', undefined, 'phone'),
    await all.add('me@example.test', 'a chosen pass phrase', 'main'),
    await all.add('me@example.test', undefined, 'laptop'),
  ]
  for (const mechanism of ['PLAIN', 'SCRAM-SHA-256'])
    for (const password of passwords)
      assert.equal(
        (await converse(all, { mechanism, login: 'me@example.test', password })).kind,
        'ok',
        mechanism,
      )
  await all.add('me@example.test', undefined, 'phone')
  const old = { login: 'me@example.test', password: passwords[0] as string }
  assert.equal((await converse(all, { mechanism: 'SCRAM-SHA-256', ...old })).kind, 'refused')
  assert.equal((await converse(all, { mechanism: 'PLAIN', ...old })).kind, 'refused')
})

test('what is on offer: nothing before TLS, -PLUS only with a binding, SHA-1 only where allowed', () => {
  const all = rig()
  const offer = (tls: boolean, loopback: boolean, bindings: readonly 'tls-exporter'[] = []): string =>
    all.authenticator.mechanisms({ tls, loopback, bindings }).join(' ')
  assert.equal(offer(false, false), '')
  assert.equal(offer(false, true), '')
  assert.equal(offer(true, false), 'SCRAM-SHA-256 PLAIN LOGIN')
  assert.equal(offer(true, false, ['tls-exporter']), 'SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN')
  all.settings = { plainTextOnLoopback: true, scramSha1: true }
  assert.equal(offer(false, false), '')
  assert.equal(offer(false, true), 'SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN')
})

test('a verified login is remembered for a while, and forgotten when the password changes', async () => {
  const all = rig()
  const password = await all.add('me@example.test')
  assert.equal((await all.login('me@example.test', password)).kind, 'ok')
  assert.equal((await all.login('me@example.test', password)).kind, 'ok')
  assert.equal((await all.login('me@example.test', password, '198.51.100.9')).kind, 'ok')
  assert.equal(all.hasher.calls, 1)
  all.pass(VERIFIED_FOR_MS)
  assert.equal((await all.login('me@example.test', password)).kind, 'ok')
  assert.equal(all.hasher.calls, 2)
  await all.add('me@example.test')
  assert.equal((await all.login('me@example.test', password)).kind, 'refused')
  assert.equal(all.hasher.calls, 3)
})

test('a change that nobody told of is noticed all the same: disabled, removed, made anew', async () => {
  const all = rig()
  const password = await all.add('me@example.test')
  assert.equal((await all.login('me@example.test', password)).kind, 'ok')
  all.change('me@example.test', { disabled: true })
  assert.deepEqual(await all.login('me@example.test', password), {
    kind: 'refused',
    cause: 'the account me@example.test is disabled',
  })
  assert.equal(
    (await converse(all, { mechanism: 'SCRAM-SHA-256', login: 'me@example.test', password })).kind,
    'refused',
  )
  all.change('me@example.test', { disabled: false, id: 99 as AccountId })
  assert.deepEqual(await all.login('me@example.test', password), {
    kind: 'ok',
    account: 99,
    login: 'me@example.test',
  })
  assert.equal(all.hasher.calls, 3)
})

test('an account that is disabled between proof and end is refused', async () => {
  const all = rig()
  await all.add('me@example.test')
  const context = { client: '192.0.2.1', protocol: 'smtp', mechanism: 'SCRAM-SHA-256' } as const
  const found = await all.authenticator.scramKeys('me@example.test', 'SHA-256', context)
  assert.ok(found.kind === 'keys' && found.account === 1)
  all.change('me@example.test', { disabled: true })
  assert.equal(
    (await all.authenticator.scramEnded(found.login, found.account, true, context)).kind,
    'refused',
  )
  all.change('me@example.test', { disabled: false, id: 7 as AccountId })
  assert.equal(
    (await all.authenticator.scramEnded(found.login, found.account, true, context)).kind,
    'refused',
  )
})

test('attack 7d: unknown users cost the same work and have stable salts', async () => {
  const all = rig()
  await all.add('me@example.test')
  await all.login('nobody@example.test', 'guess')
  await all.login('not an address', 'guess')
  assert.equal(all.hasher.calls, 2)
  const context = { client: '192.0.2.1', protocol: 'imap', mechanism: 'SCRAM-SHA-256' } as const
  const salts = async (login: string): Promise<unknown> => {
    const found = await all.authenticator.scramKeys(login, 'SHA-256', context)
    assert.ok(found.kind === 'keys')
    return { login: found.login, salt: found.keys[0]?.salt, count: found.keys[0]?.iterations }
  }
  assert.deepEqual(await salts('nobody@example.test'), await salts('Nobody@EXAMPLE.test'))
  assert.notDeepEqual(await salts('nobody@example.test'), await salts('me@example.test'))
})

test('wrong passwords: slow, then blocked; then not even the right one is looked at', async () => {
  const all = rig()
  const password = await all.add('me@example.test')
  const kinds: string[] = []
  for (let i = 0; i < 22; i++) kinds.push((await all.login('me@example.test', `guess ${i}`)).kind)
  assert.deepEqual(kinds, [...new Array(20).fill('refused'), 'blocked', 'blocked'])
  assert.deepEqual(all.waits, new Array(10).fill(1_000))
  const calls = all.hasher.calls
  const blocked = await all.login('me@example.test', password)
  assert.deepEqual(blocked, { kind: 'blocked', retryAfterSeconds: 900 })
  assert.equal(all.hasher.calls, calls)
  const scram = await converse(all, { mechanism: 'SCRAM-SHA-256', login: 'me@example.test', password })
  assert.equal(scram.kind, 'blocked')
  all.pass(900_000)
  assert.equal((await all.login('me@example.test', password)).kind, 'ok')
})

test('SCRAM guesses are counted with the others, also those that are never finished', async () => {
  const all = rig()
  await all.add('me@example.test')
  const context = { client: '192.0.2.1', protocol: 'imap', mechanism: 'SCRAM-SHA-256' } as const
  for (let i = 0; i < 10; i++) await all.authenticator.scramKeys('me@example.test', 'SHA-256', context)
  for (let i = 0; i < 10; i++) await all.login('me@example.test', `guess ${i}`)
  assert.equal((await all.authenticator.scramKeys('me@example.test', 'SHA-256', context)).kind, 'blocked')
})

test('attack 28a: an address that has worked before is not locked out by others', async () => {
  const all = rig()
  const password = await all.add('me@example.test')
  assert.equal((await all.login('me@example.test', password, '2001:db8::1')).kind, 'ok')
  assert.ok(all.good.has('1 2001:db8::/64'))
  for (let i = 0; i < 30; i++) await all.login('me@example.test', `guess ${i}`, `192.0.2.${i}`)
  assert.equal((await all.login('me@example.test', password, '198.51.100.7')).kind, 'blocked')
  assert.equal((await all.login('me@example.test', password, '2001:db8::abcd')).kind, 'ok')
})

test('an old phone that repeats one wrong password is not counted again', async () => {
  const all = rig()
  const password = await all.add('me@example.test')
  for (let i = 0; i < 100; i++)
    assert.equal((await all.login('me@example.test', 'old password')).kind, 'refused')
  assert.equal(all.hasher.calls, 1)
  assert.deepEqual(all.waits, [])
  assert.equal((await all.login('me@example.test', password)).kind, 'ok')
  all.pass(WRONG_FOR_MS)
  await all.login('me@example.test', 'old password')
  assert.equal(all.hasher.calls, 3)
})

test('a phone that opens ten connections at once is one attempt', async () => {
  const all = rig()
  const password = await all.add('me@example.test')
  const results = await Promise.all(Array.from({ length: 30 }, () => all.login('me@example.test', password)))
  assert.ok(results.every((one) => one.kind === 'ok'))
  assert.equal(all.hasher.calls, 1)
})

test('our own faults are temporary, never "wrong password", and are not counted', async () => {
  const all = rig()
  const password = await all.add('me@example.test')
  all.storeFails = true
  assert.equal((await all.login('me@example.test', password)).kind, 'temporary')
  const scram = { mechanism: 'SCRAM-SHA-256', login: 'me@example.test', password }
  assert.equal((await converse(all, scram)).kind, 'temporary')
  all.storeFails = false
  all.hasher.fails = true
  for (let i = 0; i < 40; i++) {
    const result = await all.login('me@example.test', `${password}${i}`)
    assert.deepEqual(result, {
      kind: 'temporary',
      cause: 'the password could not be checked: the worker died',
    })
  }
  all.hasher.fails = false
  assert.equal((await all.login('me@example.test', password)).kind, 'ok')
})

test('attack 10c: a flood of logins waits in no queue without end', async () => {
  const all = rig()
  let release = (): void => assert.fail('not held')
  all.hasher.hold = new Promise((resolve) => {
    release = () => resolve(undefined)
  })
  const flood = Array.from({ length: 250 }, (_, i) => all.login(`u${i}@example.test`, 'x', `10.0.${i}.1`))
  const first = await Promise.race(flood)
  assert.equal(first.kind, 'temporary')
  release()
  const kinds = (await Promise.all(flood)).map((one) => one.kind)
  assert.equal(kinds.filter((kind) => kind === 'temporary').length, 50)
})
