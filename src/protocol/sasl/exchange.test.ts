import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ClientExchange } from './client.ts'
import { type BindingType, chooseMechanism, findMechanism, MECHANISMS, type Mechanism } from './mechanisms.ts'
import { type DerivedScramKeys, deriveScramKeys, type ScramHash } from './password-hash.ts'
import { ServerExchange } from './server.ts'
import type { ServerStep } from './server-step.ts'

const NO_BINDINGS: ReadonlyMap<BindingType, Uint8Array> = new Map()
const random = Buffer.from('0123456789abcdefgh')

function mechanism(name: string): Mechanism {
  const found = findMechanism(name)
  assert.ok(found, name)
  return found
}

function server(
  name: string,
  how: { bindings?: ReadonlyMap<BindingType, Uint8Array>; plusOffered?: boolean } = {},
): ServerExchange {
  const { bindings = NO_BINDINGS, plusOffered = false } = how
  return new ServerExchange({ mechanism: mechanism(name), bindings, plusOffered, random })
}

function keysOf(password: string, hash: ScramHash = 'SHA-256', iterations = 4096): DerivedScramKeys {
  return deriveScramKeys(password, { hash, salt: Buffer.from('saltsaltsaltsalt'), iterations })
}

function text(step: ServerStep): string {
  assert.equal(step.kind, 'challenge')
  return step.kind === 'challenge' ? Buffer.from(step.bytes).toString() : ''
}

function failed(step: ServerStep, why: string): void {
  assert.deepEqual(step.kind === 'done' && !step.ok && step.why, why, JSON.stringify(step))
}

interface Run {
  readonly step: ServerStep
  readonly trusted: boolean
}

/** Runs our client against our server; `accounts` are the right passwords. */
function run(
  server: ServerExchange,
  client: ClientExchange,
  passwords: readonly string[],
  hash: ScramHash = 'SHA-256',
): Run {
  let step = server.start(client.start())
  for (let rounds = 0; rounds < 10; rounds++) {
    if (step.kind === 'done') return { step, trusted: client.mayTrust() }
    if (step.kind === 'ask-password') step = server.passwordChecked(passwords.includes(step.password))
    else if (step.kind === 'ask-scram') step = server.scramKeys(passwords.map((one) => keysOf(one, hash)))
    else {
      const answer = client.respond(step.bytes)
      if (answer.kind === 'failed') return { step, trusted: false }
      step = server.respond(answer.bytes)
    }
  }
  assert.fail('the exchange does not end')
}

test('PLAIN of rfc4616 §4, with and without initial response', () => {
  const asked = { kind: 'ask-password', login: 'tim', password: 'tanstaaftanstaaf' }
  const message = Buffer.from('\0tim\0tanstaaftanstaaf')
  const one = server('PLAIN')
  assert.equal(text(one.start()), '')
  assert.deepEqual(one.respond(message), asked)
  const two = server('plain')
  assert.deepEqual(two.start(message), asked)
  assert.deepEqual(two.passwordChecked(true), { kind: 'done', ok: true, login: 'tim' })
  const three = server('PLAIN')
  three.start(message)
  failed(three.passwordChecked(false), 'refused')
})

test('attack 7b: an authzid that is not the login is refused before the password is looked at', () => {
  failed(server('PLAIN').start(Buffer.from('Ursel\0Kurt\0xipj3plmq')), 'refused')
  assert.equal(server('PLAIN').start(Buffer.from('Kurt\0Kurt\0xipj3plmq')).kind, 'ask-password')
  failed(server('SCRAM-SHA-256').start(Buffer.from('n,a=admin,n=user,r=abc')), 'refused')
  assert.equal(server('SCRAM-SHA-256').start(Buffer.from('n,a=user,n=user,r=abc')).kind, 'ask-scram')
})

test('PLAIN out of form', () => {
  for (const message of [
    '',
    '\0',
    '\0\0',
    '\0a\0',
    '\0\0b',
    'a\0b',
    '\0a\0b\0c',
    '\0a\0b\0',
    '\0a\rb\0c',
    'x\n\0a\0b',
  ])
    failed(server('PLAIN').start(Buffer.from(message)), 'malformed')
  failed(server('PLAIN').start(Buffer.from([0, 0xc0, 0x80, 0, 0x61])), 'malformed')
  failed(server('PLAIN').start(Buffer.from(`\0a\0${'x'.repeat(1025)}`)), 'malformed')
})

test('LOGIN asks for name and password; the name may come first', () => {
  const one = server('LOGIN')
  assert.equal(text(one.start()), 'Username:')
  assert.equal(text(one.respond(Buffer.from('a@b.test'))), 'Password:')
  assert.deepEqual(one.respond(Buffer.from('secret')), {
    kind: 'ask-password',
    login: 'a@b.test',
    password: 'secret',
  })
  assert.equal(text(server('LOGIN').start(Buffer.from('a@b.test'))), 'Password:')
  for (const name of ['', 'a\0b', 'a\nb', 'x'.repeat(321)])
    failed(server('LOGIN').start(Buffer.from(name)), 'malformed')
  for (const password of ['', 'a\0b', 'x'.repeat(1025)]) {
    const two = server('LOGIN')
    two.start(Buffer.from('a'))
    failed(two.respond(Buffer.from(password)), 'malformed')
  }
})

test('our client and our server agree on every mechanism, and only on the right password', () => {
  const octets = Buffer.from('exported keying material 1234567')
  for (const one of MECHANISMS)
    for (const type of ['tls-exporter', 'tls-server-end-point'] as const)
      for (const password of ['right password', 'wrong password']) {
        const hash = one.kind === 'scram' ? one.hash : 'SHA-256'
        const exchange = server(one.name, { bindings: new Map([[type, octets]]), plusOffered: true })
        const binding = one.kind === 'scram' && one.plus ? { type, octets } : undefined
        const client = new ClientExchange({ mechanism: one, login: 'a,=@b.test', password, binding, random })
        const { step, trusted } = run(exchange, client, ['another one', 'right password'], hash)
        const ok = password === 'right password'
        assert.equal(step.kind === 'done' && step.ok, ok, `${one.name} ${password}`)
        if (ok) assert.ok(step.kind === 'done' && step.ok && step.login === 'a,=@b.test' && trusted)
      }
})

test('property: any login and password that can be prepared go through SCRAM', () => {
  const word = fc.string({ minLength: 1, maxLength: 20, unit: fc.constantFrom(...'ab,= Ä漢\u00a0🙂%"\\') })
  fc.assert(
    fc.property(word, word, (login, password) => {
      fc.pre(password.trim() !== '')
      const how = { mechanism: mechanism('SCRAM-SHA-256'), binding: undefined, random }
      const { step } = run(server('SCRAM-SHA-256'), new ClientExchange({ ...how, login, password }), [
        password,
      ])
      assert.ok(step.kind === 'done' && step.ok, JSON.stringify(step))
    }),
    { numRuns: 40 },
  )
})

test('a channel binding of another connection is told from a wrong password', () => {
  const bindings = new Map([['tls-exporter', Buffer.from('ours')]] as const)
  const plus = mechanism('SCRAM-SHA-256-PLUS')
  const binding = { type: 'tls-exporter', octets: Buffer.from('a forwarder’s') } as const
  const client = new ClientExchange({ mechanism: plus, login: 'a', password: 'right', binding, random })
  failed(run(server(plus.name, { bindings, plusOffered: true }), client, ['right']).step, 'binding')
})

test('rfc5802 §6: flags that do not fit', () => {
  const bindings = new Map([['tls-exporter', Buffer.from('ours')]] as const)
  const first = (name: string, message: string, plusOffered = true): ServerStep =>
    server(name, { bindings, plusOffered }).start(Buffer.from(message))
  failed(first('SCRAM-SHA-256', 'y,,n=a,r=b'), 'binding')
  assert.equal(first('SCRAM-SHA-256', 'y,,n=a,r=b', false).kind, 'ask-scram')
  assert.equal(first('SCRAM-SHA-256', 'n,,n=a,r=b').kind, 'ask-scram')
  failed(first('SCRAM-SHA-256', 'p=tls-exporter,,n=a,r=b'), 'malformed')
  failed(first('SCRAM-SHA-256-PLUS', 'n,,n=a,r=b'), 'malformed')
  failed(first('SCRAM-SHA-256-PLUS', 'y,,n=a,r=b'), 'malformed')
  failed(first('SCRAM-SHA-256-PLUS', 'p=tls-unique,,n=a,r=b'), 'binding')
  failed(first('SCRAM-SHA-256-PLUS', 'p=tls-server-end-point,,n=a,r=b'), 'binding')
  failed(first('SCRAM-SHA-256-PLUS', 'p=__proto__,,n=a,r=b'), 'malformed')
  assert.equal(first('SCRAM-SHA-256-PLUS', 'p=tls-exporter,,n=a,r=b').kind, 'ask-scram')
})

test('attack 7e: a proof is for one nonce, one salt and one message only', () => {
  const keys = [keysOf('right')]
  const started = (octets: Buffer): ServerExchange => {
    const exchange = new ServerExchange({
      mechanism: mechanism('SCRAM-SHA-256'),
      bindings: NO_BINDINGS,
      plusOffered: false,
      random: octets,
    })
    exchange.start(Buffer.from('n,,n=a,r=clientnonce'))
    return exchange
  }
  const client = new ClientExchange({
    mechanism: mechanism('SCRAM-SHA-256'),
    login: 'a',
    password: 'right',
    binding: undefined,
    random,
  })
  const exchange = server('SCRAM-SHA-256')
  exchange.start(client.start())
  const answer = client.respond(Buffer.from(text(exchange.scramKeys(keys))))
  assert.ok(answer.kind === 'response')
  // The recorded answer in another exchange: its nonce is not that exchange's.
  const later = started(Buffer.from('another nonce here'))
  later.scramKeys(keys)
  failed(later.respond(answer.bytes), 'refused')
  // Any octet changed: never a success.
  const good = Buffer.from(answer.bytes)
  for (let i = 0; i < good.length; i++) {
    const bad = Buffer.from(good)
    bad[i] = (bad[i] as number) ^ 1
    const again = server('SCRAM-SHA-256')
    again.start(Buffer.from(`n,,n=a,r=${random.toString('base64')}`))
    again.scramKeys(keys)
    assert.equal(again.respond(bad).kind, 'done', `octet ${i}`)
  }
  assert.match(text(exchange.respond(good)), /^v=/)
  failed(exchange.respond(Buffer.from('x')), 'malformed')
})

test('attack 7c: cut at every byte, no message logs in', () => {
  const how = { login: 'a@b.test', password: 'right', binding: undefined, random }
  for (const one of MECHANISMS.filter((each) => each.kind !== 'scram' || !each.plus)) {
    const hash = one.kind === 'scram' ? one.hash : 'SHA-256'
    const answers: Uint8Array[] = []
    const recorder = server(one.name)
    const client = new ClientExchange({ ...how, mechanism: one })
    let step = recorder.start(client.start())
    while (step.kind !== 'done') {
      if (step.kind === 'ask-password') step = recorder.passwordChecked(true)
      else if (step.kind === 'ask-scram') step = recorder.scramKeys([keysOf('right', hash)])
      else {
        const answer = client.respond(step.bytes)
        assert.ok(answer.kind === 'response')
        answers.push(answer.bytes)
        step = recorder.respond(answer.bytes)
      }
    }
    const initial = new ClientExchange({ ...how, mechanism: one }).start()
    const messages = [...(initial === undefined ? [] : [initial]), ...answers]
    for (const [i, message] of messages.entries())
      for (let cut = 0; cut < message.length; cut++)
        assert.ok(
          !logsIn(server(one.name), messages.with(i, message.subarray(0, cut)), hash),
          `${one.name} ${i} ${cut}`,
        )
    assert.ok(logsIn(server(one.name), messages, hash), one.name)
  }
})

function logsIn(exchange: ServerExchange, messages: readonly Uint8Array[], hash: ScramHash): boolean {
  let step = exchange.start()
  for (const message of messages) {
    if (step.kind !== 'challenge') break
    step = exchange.respond(message)
    if (step.kind === 'ask-password')
      step = exchange.passwordChecked(step.login === 'a@b.test' && step.password === 'right')
    if (step.kind === 'ask-scram')
      step =
        step.login === 'a@b.test'
          ? exchange.scramKeys([keysOf('right', hash)])
          : exchange.scramKeys([keysOf('no', hash)])
  }
  return step.kind === 'done' && step.ok
}

test('attack 7d: short, long and empty proofs do not match', () => {
  for (const proof of [
    'AAAA',
    '',
    Buffer.alloc(31).toString('base64'),
    Buffer.alloc(64).toString('base64'),
  ]) {
    const exchange = server('SCRAM-SHA-256')
    exchange.start(Buffer.from('n,,n=a,r=b'))
    exchange.scramKeys([keysOf('right')])
    const step = exchange.respond(Buffer.from(`c=biws,r=b${random.toString('base64')},p=${proof}`))
    assert.ok(step.kind === 'done' && !step.ok, proof)
  }
})

test('our client does not believe a server that does not know the keys', () => {
  const start = (): ClientExchange => {
    const client = new ClientExchange({
      mechanism: mechanism('SCRAM-SHA-256'),
      login: 'a',
      password: 'p',
      binding: undefined,
      random,
    })
    client.start()
    return client
  }
  const nonce = random.toString('base64')
  for (const first of [
    'r=other,s=c2FsdA==,i=4096',
    `r=${nonce},s=c2FsdA==,i=4096`,
    `r=${nonce}x,s=c2FsdA==,i=4095`,
    `r=${nonce}x,s=c2FsdA==,i=1000001`,
    `r=${nonce}x,s=c2FsdA==,i=9999999999`,
    `r=${nonce}x,s=c2FsdA==,i=0`,
    `m=x,r=${nonce}x,s=c2FsdA==,i=4096`,
    `r=${nonce}x,s=c2FsdA=,i=4096`,
  ])
    assert.equal(start().respond(Buffer.from(first)).kind, 'failed', first)
  for (const final of ['v=AAAA', 'e=other-error', 'v=', '', `v=${Buffer.alloc(32).toString('base64')}`]) {
    const client = start()
    assert.equal(client.respond(Buffer.from(`r=${nonce}x,s=c2FsdA==,i=4096`)).kind, 'response')
    assert.ok(!client.mayTrust())
    assert.equal(client.respond(Buffer.from(final)).kind, 'failed', final)
    assert.ok(!client.mayTrust())
  }
})

test('our client takes the strongest mechanism on offer, and shows no password without TLS', () => {
  const pick = (offered: string, clearText: boolean, binding: boolean): string | undefined =>
    chooseMechanism(offered.split(' '), { clearText, binding })?.name
  const all = 'plain login scram-sha-1 SCRAM-SHA-256 SCRAM-SHA-256-PLUS'
  assert.equal(pick(all, true, true), 'SCRAM-SHA-256-PLUS')
  assert.equal(pick(all, true, false), 'SCRAM-SHA-256')
  assert.equal(pick('LOGIN PLAIN XOAUTH2', true, false), 'PLAIN')
  assert.equal(pick('LOGIN PLAIN', false, false), undefined)
  assert.equal(pick('SCRAM-SHA-1 PLAIN', false, false), 'SCRAM-SHA-1')
})
