import assert from 'node:assert/strict'
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { type BindingType, findMechanism } from './mechanisms.ts'
import { deriveScramKeys } from './password-hash.ts'
import { ServerExchange } from './server.ts'
import { readResponse, writeChallenge } from './wire.ts'

/** A foreign client: GNU SASL on a pipe, base64 lines as in SMTP and IMAP. */

const BINDING = Buffer.from('keying material of one TLS session')
const LOGIN = 'a,b=c@example.test'

test('gsasl logs in by each mechanism, with a binding too, and at 600,000 iterations', async (t) => {
  if (spawnSync('gsasl', ['--version']).error !== undefined) return t.skip('gsasl is not on PATH')
  for (const mechanism of ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN', 'LOGIN']) {
    assert.equal(await loginBy(t, { mechanism, password: 'pencil' }), 'in', mechanism)
    assert.equal(await loginBy(t, { mechanism, password: 'pencils' }), 'refused', mechanism)
  }
  assert.equal(
    await loginBy(t, { mechanism: 'SCRAM-SHA-256', password: 'pencil', iterations: 600_000 }),
    'in',
  )
  const other = {
    mechanism: 'SCRAM-SHA-256-PLUS',
    password: 'pencil',
    binding: Buffer.from('of another session'),
  }
  assert.equal(await loginBy(t, other), 'binding')
})

async function loginBy(
  t: TestContext,
  how: {
    readonly mechanism: string
    readonly password: string
    readonly iterations?: number
    readonly binding?: Uint8Array
  },
): Promise<string> {
  const mechanism = findMechanism(how.mechanism)
  assert.ok(mechanism)
  const plus = mechanism.kind === 'scram' && mechanism.plus
  const exchange = new ServerExchange({
    mechanism,
    bindings: new Map<BindingType, Uint8Array>([['tls-exporter', BINDING]]),
    plusOffered: plus,
    random: Buffer.from('0123456789abcdefgh'),
  })
  const names = ['--authentication-id', LOGIN, '--password', how.password]
  const gsasl = spawn('gsasl', ['--client', '--quiet', '--mechanism', how.mechanism, ...names], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  t.after(() => gsasl.kill())
  // It leaves when it has been refused; what is still written to it then goes nowhere.
  gsasl.stdin.on('error', () => undefined)
  const lines = readLines(gsasl)
  const say = (bytes: Uint8Array): boolean => gsasl.stdin.write(`${writeChallenge(bytes)}\n`)
  // With every SCRAM it asks for a tls-exporter binding, and where there is none for a tls-unique one.
  if (mechanism.kind === 'scram')
    gsasl.stdin.write(plus ? `${writeChallenge(how.binding ?? BINDING)}\n` : '\n\n')
  let step = exchange.start()
  for (let rounds = 0; rounds < 8; rounds++) {
    if (step.kind === 'done') break
    if (step.kind === 'ask-password') {
      assert.equal(step.login, LOGIN)
      step = exchange.passwordChecked(step.password === 'pencil')
    } else if (step.kind === 'ask-scram') {
      assert.equal(step.login, LOGIN)
      const salt = Buffer.from('salt of sixteen!')
      const { hash } = step
      step = exchange.scramKeys([
        deriveScramKeys('pencil', { hash, salt, iterations: how.iterations ?? 4096 }),
      ])
    } else {
      // What can speak first does not wait for the empty challenge.
      if (rounds > 0 || step.bytes.length > 0) say(step.bytes)
      const { value } = await lines.next()
      const answer = readResponse(value ?? '')
      assert.ok(answer.kind === 'response', `gsasl said ${value}`)
      step = exchange.respond(answer.bytes)
    }
  }
  gsasl.stdin.end()
  assert.ok(step.kind === 'done')
  if (gsasl.exitCode === null) await once(gsasl, 'exit')
  // With SCRAM it answered our signature with nothing: a wrong one it would have left without a word.
  return step.ok ? 'in' : step.why
}

/** Its answers; the prompts and the mechanism's name that it prints with them are no base64 of a message. */
async function* readLines(
  gsasl: ChildProcessByStdio<Writable, Readable, null>,
): AsyncGenerator<string, undefined> {
  let text = ''
  for await (const chunk of gsasl.stdout) {
    text += String(chunk)
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const line = text.slice(0, end).replace(/^(?:Enter [^:]*: )+/, '')
      text = text.slice(end + 1)
      if (!/^(?:SCRAM-SHA-\d+(?:-PLUS)?|PLAIN|LOGIN)$/.test(line)) yield line
    }
  }
  return undefined
}
