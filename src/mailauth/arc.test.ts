import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ArcRead, type AskDns, validateArc } from './arc.ts'
import { readChain } from './chain.ts'
import { ARC_LIMITS, EVALUATION_LIMITS } from './limits.ts'

const never: AskDns = () => assert.fail('a question was asked')

function field(text: string): { original: Buffer; parsed: { d: { value: string } } } {
  return { original: Buffer.from(text), parsed: { d: { value: 'Lists.Example.NET' } } }
}

function set(
  i: number,
  results = `ARC-Authentication-Results: i=${i}; mx.example.net;\r\n dkim=pass`,
): object {
  return {
    i,
    'arc-seal': field(`ARC-Seal: i=${i}; cv=none; d=lists.example.net`),
    'arc-message-signature': field('ARC-Message-Signature: x'),
    'arc-authentication-results': field(results),
    messageSignature: { status: { result: 'pass' } },
  }
}

function read(...chain: object[]): ArcRead {
  return { chain: chain as never }
}

test('no ARC field: none, and no question', async () => {
  assert.deepEqual(await validateArc({ chain: false }, never), { result: 'none', sealers: [] })
})

test('what is wrong with the sets is told, whatever it is, on one line and not at length', async () => {
  const told = await validateArc({ chain: false, error: new Error(`i=2\r\n${'x'.repeat(5_000)}`) }, never)
  assert.equal(told.result, 'fail')
  assert.match(told.why ?? '', /^i=2\\x0d\\x0ax+…$/)
  assert.ok((told.why ?? '').length < EVALUATION_LIMITS.whyChars + 20)
  assert.equal((await validateArc({ chain: false, error: 'odd' }, never)).result, 'fail')
})

test('a message that was changed since the newest seal costs no question', async () => {
  const newest = {
    ...set(1),
    messageSignature: { status: { result: 'neutral', comment: 'body hash did not verify' } },
  }
  const found = await validateArc(read(newest), never)
  assert.deepEqual(found, {
    result: 'fail',
    sealers: ['lists.example.net'],
    said: 'mx.example.net; dkim=pass',
    why: 'the ARC-Message-Signature of i=1 did not verify: body hash did not verify',
  })
  const silent = { ...set(1), messageSignature: undefined }
  assert.equal((await validateArc(read(silent), never)).result, 'fail')
})

test('attack 19b: a seal over a part of the body, with l=, vouches for nothing', async () => {
  const part = { status: { result: 'pass' }, canonBodyLengthLimit: 5, canonBodyLengthTotal: 900 }
  const found = await validateArc(read({ ...set(1), messageSignature: part }), never)
  assert.equal(found.result, 'fail')
  assert.equal(found.why, 'the ARC-Message-Signature of i=1 signs 5 octets of a body of 900')
})

test('attack 19a: sets beyond the limit of octets are not hashed', async () => {
  const large = set(1, `ARC-Authentication-Results: i=1; ${'x'.repeat(ARC_LIMITS.chainBytes)}`)
  const found = await validateArc(read(large), never)
  assert.equal(found.why, `the ARC sets have more than ${ARC_LIMITS.chainBytes} octets`)
  assert.equal(found.said, undefined, 'half of what was said could say something else')
})

test('a resolver that fails is a failure of the chain with its cause, not a rejection', async () => {
  const whole = { i: 1, ...set(1) } as Record<string, unknown>
  const tags = {
    cv: { value: 'none' },
    a: { value: 'rsa-sha256' },
    s: { value: 's' },
    d: { value: 'd.example' },
    b: { value: 'AA' },
  }
  whole['arc-seal'] = { original: Buffer.from('ARC-Seal: i=1; b=AA'), parsed: tags }
  const ask: AskDns = async () => {
    throw Object.assign(new Error('no answer from the resolver'), { code: 'ESERVFAIL' })
  }
  const found = await validateArc(read(whole), ask)
  assert.equal(found.result, 'fail')
  assert.match(found.why ?? '', /no answer from the resolver \(s\._domainkey\.d\.example\)/)
})

test('the fields of a chain come in the order in which a seal covers them, however they stand', () => {
  const names = ['ARC-Seal', 'ARC-Message-Signature', 'ARC-Authentication-Results']
  const fields = [2, 1, 10].flatMap((i) =>
    names.map((name) => `${name}: a=b;\r\n i = ${i} ; cv=${i === 10 ? 'FAIL' : 'pass'}\r\n`),
  )
  const chain = readChain(Buffer.from(`${fields.join('')}\r\nARC-Seal: i=40\r\n`))
  assert.deepEqual(
    chain.fields.map(({ name, raw }) => `${name} ${/i = (\d+)/.exec(raw)?.[1]}`),
    [1, 2, 10].flatMap((i) => names.toReversed().map((name) => `${name} ${i}`)),
  )
  assert.equal(chain.highest, 10)
  assert.equal(chain.newestSaysFail, true)
  assert.deepEqual(readChain(Buffer.from('Subject: ARC-Seal: i=1\r\n\r\n')), {
    fields: [],
    highest: 0,
    newestSaysFail: false,
  })
})
