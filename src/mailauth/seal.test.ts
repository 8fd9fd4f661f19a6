import assert from 'node:assert/strict'
import { createHash, createPublicKey, verify } from 'node:crypto'
import { test } from 'node:test'
import { headerFields, unfold } from '../mime/header.ts'
import { formatResults } from './authentication-results.ts'
import { CanonicalBody } from './body-hash.ts'
import { ARC_LIMITS } from './limits.ts'
import { parseResults } from './parse-results.ts'
import { relaxedField } from './relaxed.ts'
import { makeSeal } from './seal.ts'
import { sign } from './sign.ts'
import { contentOf, evaluated, testKey, zoneOf } from './signing.test-kit.ts'

const AUTHOR = testKey('example.org', 'a', 'ed25519-sha256')
const FIRST = testKey('lists.example.net', 'l1', 'rsa-sha256')
const SECOND = testKey('relay.example.com', 'r1', 'rsa-sha256')
const ZONE = zoneOf(AUTHOR, FIRST, SECOND)
const NOW_MS = Date.UTC(2026, 10, 24, 12)

const CONTENT = Buffer.from(
  'From: aya@example.org\r\nTo: list@lists.example.net\r\nSubject: One\r\nDate: Tue, 24 Nov 2026 12:00:00 +0000\r\n' +
    'Message-ID: <1@example.org>\r\n\r\nHello \r\n\r\n',
)

async function fromAuthor(): Promise<Buffer> {
  const fields = await sign({
    content: contentOf(CONTENT).pieces(),
    added: Buffer.alloc(0),
    keys: [AUTHOR],
    nowMs: NOW_MS,
  })
  return Buffer.concat([Buffer.from(fields), CONTENT])
}

async function seal(message: Buffer, key = FIRST, seen = message): Promise<string> {
  const evidence = await evaluated(seen, ZONE)
  const split = message.indexOf('\r\n\r\n') + 4
  const hash = createHash('sha256')
  const body = new CanonicalBody('relaxed', (octets) => hash.update(octets))
  body.update(message.subarray(split))
  body.end()
  return makeSeal({
    header: message.subarray(0, split),
    bodyHash: hash.digest('base64'),
    arc: evidence.arc,
    results: formatResults({ authservId: `mx.${key.domain}`, evidence, client: '192.0.2.1' }),
    key,
    nowMs: NOW_MS,
  })
}

async function passedOn(message: Buffer, key = FIRST): Promise<Buffer> {
  return Buffer.concat([Buffer.from(await seal(message, key)), message])
}

test('a message without a chain gets its first set, which verifies and says what we saw', async () => {
  const set = await seal(await fromAuthor())
  assert.deepEqual(
    headerFields(Buffer.from(set)).map(({ name }) => name),
    ['ARC-Seal', 'ARC-Message-Signature', 'ARC-Authentication-Results'],
  )
  assert.ok(set.split('\r\n').every((line) => line.length <= 78))
  assert.match(
    unfold(set),
    /ARC-Seal: a=rsa-sha256; b=[^;]+; cv=none; d=lists\.example\.net; i=1; s=l1; t=1795521600ARC-/,
  )
  const { arc } = await evaluated(Buffer.concat([Buffer.from(set), await fromAuthor()]), ZONE)
  assert.equal(arc.result, 'pass', arc.why)
  assert.deepEqual(arc.sealers, ['lists.example.net'])
  const said = parseResults(arc.said ?? '')
  assert.equal(said?.authservId, 'mx.lists.example.net')
  assert.deepEqual(
    said?.results.map(({ method, result }) => `${method}=${result}`),
    ['spf=none', 'dkim=pass', 'arc=none', 'dmarc=none'],
  )
})

test('each hand seals what is there; the newest is heard', async () => {
  const second = await passedOn(await passedOn(await fromAuthor()), SECOND)
  const { arc } = await evaluated(second, ZONE)
  assert.equal(arc.result, 'pass', arc.why)
  assert.deepEqual(arc.sealers, ['lists.example.net', 'relay.example.com'])
  assert.match(arc.said ?? '', /^mx\.relay\.example\.com;/)
})

test("a list that breaks the author's signature and seals what it then has is believed by its seal", async () => {
  const original = await fromAuthor()
  const changed = Buffer.from(original.toString().replace('Subject: One', 'Subject: [list] One'))
  const message = Buffer.concat([Buffer.from(await seal(changed, FIRST, original)), changed])
  const { arc, dkim } = await evaluated(message, ZONE)
  assert.equal(dkim[0]?.result, 'fail')
  assert.equal(arc.result, 'pass', arc.why)
  assert.match(arc.said ?? '', /dkim=pass header\.d=example\.org/)
})

test('any change of a set, of a sealed field or of the body fails the chain and says why', async () => {
  const message = (await passedOn(await passedOn(await fromAuthor()), SECOND)).toString()
  for (const [from, to] of [
    ['Subject: One', 'Subject: Two'],
    ['Hello', 'Hallo'],
    ['mx.lists.example.net', 'mx.lists.example.com'],
    ['cv=pass', 'cv=none'],
    ['i=1; s=l1', 'i=1; s=l2'],
    ['dkim=pass', 'dkim=fail'],
    ['From: aya', 'From: eve@example.com\r\nFrom: aya'],
  ] as const) {
    assert.ok(message.includes(from))
    const { arc } = await evaluated(Buffer.from(message.replace(from, to)), ZONE)
    assert.equal(arc.result, 'fail', to)
    assert.ok((arc.why ?? '').length > 10)
  }
})

test('a chain that failed gets one set more, over itself alone, and then none (rfc8617 §5.1.2)', async () => {
  const failing = Buffer.from((await passedOn(await fromAuthor())).toString().replace('Hello', 'Hallo'))
  const set = await seal(failing, SECOND)
  assert.match(unfold(set), /cv=fail; d=relay\.example\.com; i=2;/)
  assert.ok(sealVerifies(set), 'the seal covers the three fields of its set and no other')
  const after = await passedOn(failing, SECOND)
  assert.equal((await evaluated(after, ZONE)).arc.result, 'fail')
  assert.equal(await seal(after, FIRST), '')
})

/** rfc8617 §5.1.2: results, signature, seal without `b=`, as if there were no other set. */
function sealVerifies(set: string): boolean {
  const [seal, signature, results] = headerFields(Buffer.from(set)).map(({ name, raw }) =>
    relaxedField(name, raw),
  )
  const b = /; b=([^;]*);/.exec(seal ?? '')?.[1] ?? ''
  const text = `${results}\r\n${signature}\r\n${seal?.replace(`b=${b};`, 'b=;')}`
  return verify('sha256', Buffer.from(text), createPublicKey(SECOND.privateKeyPem), Buffer.from(b, 'base64'))
}

test('no set where nobody can say which would be the next', async () => {
  for (const instance of ['0', '51', '99', 'x', '1000']) {
    const message = Buffer.concat([Buffer.from(`ARC-Seal: i=${instance}; cv=none\r\n`), CONTENT])
    assert.equal((await evaluated(message, ZONE)).arc.result, 'fail')
    assert.equal(await seal(message), '', instance)
  }
  const looked = { result: 'none', sealers: [] } as const
  const header = Buffer.from('ARC-Seal: i=1; cv=none\r\nFrom: aya@example.org\r\n\r\n')
  assert.equal(makeSeal({ header, bodyHash: '', arc: looked, results: 'mx', key: FIRST, nowMs: NOW_MS }), '')
})

test('a chain that is not all of the ARC fields that stand there is not sealed', async () => {
  const message = await passedOn(await fromAuthor())
  const { arc } = await evaluated(message, ZONE)
  const header = message.subarray(0, message.indexOf('\r\n\r\n') + 4)
  const input = { header, bodyHash: '', arc, results: 'mx', key: SECOND, nowMs: NOW_MS }
  assert.notEqual(makeSeal(input), '')
  assert.equal(makeSeal({ ...input, arc: { ...arc, sealers: ['a.example', 'b.example'] } }), '')
  const more = Buffer.concat([Buffer.from('ARC-Seal: i=1; cv=none\r\n'), header])
  assert.equal(makeSeal({ ...input, header: more }), '')
})

test('attack 19a: a chain of 50 sets passes, and gets no 51st', async () => {
  let message = await fromAuthor()
  for (let sets = 0; sets < ARC_LIMITS.sets; sets++)
    message = await passedOn(message, sets % 2 === 0 ? FIRST : SECOND)
  const { arc } = await evaluated(message, ZONE)
  assert.equal(arc.result, 'pass', arc.why)
  assert.equal(arc.sealers.length, ARC_LIMITS.sets)
  assert.equal(await seal(message), '')
})

test('attack 19b: sets that are missing, double or contradict each other fail, and are told', async () => {
  const first = (await passedOn(await fromAuthor())).toString()
  const second = (await passedOn(Buffer.from(first), SECOND)).toString()
  const [firstSet = ''] = first.split('DKIM-Signature')
  for (const [what, message, why] of [
    ['the first set is gone', second.replace(firstSet, ''), /i=2 expected=1/],
    [
      'the second set stands alone in part',
      second.replace(/ARC-Seal:[\s\S]*?(?=ARC-M)/, ''),
      /i=2 no arc-seal/,
    ],
    ['a set stands twice', firstSet + first, /i=1 multiple arc-seal/],
    ['a number of three digits', first.replace('i=1;', 'i=001;'), /instance/],
    ['cv=pass in the first', first.replace('cv=none', 'cv=pass'), /cv=/],
    ['cv=none in the second', second.replace('cv=pass', 'cv=none'), /cv=none/],
  ] as const) {
    const { arc } = await evaluated(Buffer.from(message), ZONE)
    assert.equal(arc.result, 'fail', what)
    assert.match(arc.why ?? '', why, what)
  }
})

test('an Ed25519 key makes no set: verifiers of ARC do not know it', () => {
  const looked = { result: 'none', sealers: [] } as const
  assert.throws(
    () => makeSeal({ header: CONTENT, bodyHash: '', arc: looked, results: 'mx', key: AUTHOR, nowMs: NOW_MS }),
    /an ARC set is signed by an RSA key/,
  )
})
