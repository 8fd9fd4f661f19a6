// What is said of a signature is what mailauth by itself says of it, whatever was done to the message and to the key.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DkimVerifier } from 'mailauth/lib/dkim/dkim-verifier.js'
import type { DkimFinding } from '../mail/authentication.ts'
import { BoundedVerifier } from './bounded-verifier.ts'
import { boundedKeys, dkimFinding } from './dkim.ts'
import { type AskRecords, Inquiry } from './dns.ts'
import { HeaderBlock } from './header-block.ts'
import { EVALUATION_LIMITS as LIMITS } from './limits.ts'
import { ParsedKeys } from './parsed-keys.ts'
import { ed25519Key, rsaKey, signed, type TestKey } from './signed.test-kit.ts'
import { FACTS, StillClock, type Zone, ZoneDns } from './zone.test-kit.ts'

const RSA = rsaKey(2048)
const WEAK = rsaKey(512)
const ED25519 = ed25519Key()
const CLOCK = new StillClock()
const NAME = 's1._domainkey.sender.example'
const MESSAGE = [
  'From: Ann <ann@sender.example>',
  'To: bob@home.example,',
  '\t=?utf-8?q?J=C3=BCrg?= <j@home.example>',
  'Subject:  two   spaces',
  'Subject: twice',
  'Date: Sat, 31 Oct 2026 10:00:00 +0000',
  'Content-Type: multipart/mixed; boundary="b"',
  '',
  '--b',
  '',
  'one  two\tthree ',
  ' four \xe9',
  '',
  '--b--',
  '',
  '',
].join('\r\n')

function asks(zone: Zone): AskRecords {
  const inquiry = new Inquiry({
    ...{ dns: new ZoneDns(zone), clock: CLOCK, part: 'DKIM', maxQuestions: 50, client: FACTS.client },
    ...{ deadlineMs: Number.POSITIVE_INFINITY, answers: new Map() },
  })
  return boundedKeys(inquiry.ask)
}

async function ourFindings(message: Buffer, zone: Zone): Promise<DkimFinding[]> {
  const verifier = new BoundedVerifier({
    ...{ ask: asks(zone), nowMs: CLOCK.now(), authorDomain: '', keys: new ParsedKeys() },
  })
  const block = new HeaderBlock(message.length)
  const body = block.push(message)
  await verifier.header(block.bytes())
  verifier.body(body)
  return (await verifier.verified()).map(([header, result]) => dkimFinding(header, result))
}

/** mailauth's verifier with nothing of ours in it. */
async function theirFindings(message: Buffer, zone: Zone): Promise<DkimFinding[]> {
  const verifier = new DkimVerifier({
    ...{ resolver: asks(zone), minBitLength: LIMITS.minKeyBits, strict: true },
    curTime: new Date(CLOCK.now()),
  })
  await new Promise<void>((done) => verifier.end(message, done))
  const headers = verifier.signatureHeaders.filter(({ type }) => type === 'DKIM')
  return headers.map((header, i) =>
    dkimFinding(header, verifier.results[i] ?? assert.fail('it has a result for each')),
  )
}

const keys = fc.constantFrom<TestKey>(RSA, RSA, RSA, ED25519, WEAK)
const canonicalization = fc.constantFrom(
  'relaxed/relaxed',
  'simple/simple',
  'relaxed/simple',
  'simple/relaxed',
)
const days = (day: number): Date => new Date(Date.UTC(2026, 9, day))

const signatures = fc.record({
  key: keys,
  canonicalization,
  limitBytes: fc.option(fc.nat(60), { freq: 6 }),
  expires: fc.option(fc.constantFrom(days(1), days(2), new Date(Date.UTC(2036, 0, 1))), { freq: 4 }),
})

/** What an attacker, a list, a relay or a clumsy signer does to a message. */
const changes = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(1_500), length: fc.nat(3) }),
  fc.record({
    kind: fc.constant('put' as const),
    at: fc.nat(1_500),
    text: fc.constantFrom(' ', '\t', '\r\n', '\n', ';', '=', 'x', 'B', ':', '\r\n ', '\xa0', '@', '\0'),
  }),
  fc.record({
    kind: fc.constant('tag' as const),
    tag: fc.constantFrom('v', 'a', 'c', 'd', 's', 'h', 't', 'x', 'l', 'bh', 'b', 'q', 'i'),
    value: fc.constantFrom(
      ...['', '1', '0', '2', 'rsa-sha1', 'rsa-sha256', 'RSA-SHA256', 'ed25519-sha256', 'relaxed', 'nofws'],
      ...[
        'Sender.Example',
        'sub.sender.example',
        'example',
        '@sender.example',
        '@sub.sender.example',
        'b=40c@sub.sender.example',
      ],
      ...[
        'from',
        'from:to:subject',
        'From : Subject: subject:date',
        'subject',
        'dns/txt',
        'other',
        '99999999999999',
      ],
      ...['\u00fc.example', 's1', 'AAAA', '-', '1793000000', '1793500000'],
    ),
  }),
  fc.record({
    kind: fc.constant('add' as const),
    line: fc.constantFrom(
      'From: eve@evil.example',
      'Subject: more',
      'garbage',
      'To : x',
      ' folded',
      'Return-Path: <x@y>',
    ),
  }),
)

type Change = (typeof changes)['generate'] extends (...all: never[]) => { readonly value: infer C }
  ? C
  : never

function changed(text: string, change: Change): string {
  if (change.kind === 'cut') return text.slice(0, change.at) + text.slice(change.at + change.length)
  if (change.kind === 'put') return text.slice(0, change.at) + change.text + text.slice(change.at)
  if (change.kind === 'add') return `${change.line}\r\n${text}`
  const pattern = new RegExp(`([:;]\\s*${change.tag}=)[^;\\r]*`)
  return pattern.test(text)
    ? text.replace(pattern, (_, start: string) => `${start}${change.value}`)
    : text.replace('DKIM-Signature:', () => `DKIM-Signature: ${change.tag}=${change.value};`)
}

const records = fc.oneof(
  fc.record({ kind: fc.constant('as it is' as const) }),
  fc.record({ kind: fc.constant('as it is' as const) }),
  fc.record({
    kind: fc.constant('with' as const),
    tags: fc.constantFrom(
      't=y',
      't=s',
      't=y:s',
      'h=sha1',
      'h=sha256',
      's=chat',
      's=email',
      'n=note',
      'x=;;',
      'k=rsa',
    ),
  }),
  fc.record({
    kind: fc.constant('text' as const),
    text: fc.constantFrom(
      'v=DKIM1; p=',
      'v=DKIM2; p=AAAA',
      'v=DKIM1; k=dsa; p=AAAA',
      'v=DKIM1; p=!!!',
      'nothing',
      '',
    ),
  }),
  fc.record({ kind: fc.constant('other' as const), key: keys }),
  fc.record({ kind: fc.constant('none' as const) }),
  fc.record({ kind: fc.constant('dead' as const) }),
)

type Published = (typeof records)['generate'] extends (...all: never[]) => { readonly value: infer R }
  ? R
  : never

function zoneOf(key: TestKey, published: Published): Zone {
  if (published.kind === 'none') return {}
  if (published.kind === 'dead') return { [NAME]: { down: true } }
  if (published.kind === 'other') return { [NAME]: { TXT: [published.key.record] } }
  if (published.kind === 'text') return { [NAME]: { TXT: [published.text] } }
  const more = published.kind === 'with' ? `; ${published.tags}` : ''
  return { [NAME]: { TXT: [`${key.record}${more}`] } }
}

type Made = typeof signatures extends fc.Arbitrary<infer S> ? S : never

const MADE: Made = { key: RSA, canonicalization: 'relaxed/relaxed', limitBytes: null, expires: null }
const WITHIN: Change = { kind: 'tag', tag: 'i', value: '@sub.sender.example' }

/** What chance would hardly make. */
const RARE: [Made[], Change[], Published][] = [
  [[{ ...MADE, expires: days(2) }], [], { kind: 'as it is' }],
  [[MADE], [WITHIN], { kind: 'as it is' }],
  [[MADE], [WITHIN], { kind: 'with', tags: 't=s' }],
  [[MADE], [WITHIN], { kind: 'with', tags: 't=y:s' }],
]

test('each signature is said of what mailauth by itself says, in result and reason', async () => {
  const results = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(
      fc.array(signatures, { minLength: 1, maxLength: 2 }),
      fc.array(changes, { maxLength: 2 }),
      records,
      async (made, changeList, published) => {
        let message = MESSAGE
        for (const { limitBytes, expires, ...one } of made) {
          const optional = {
            ...(limitBytes === null ? {} : { limitBytes }),
            ...(expires === null ? {} : { expires }),
          }
          message = await signed(message, {
            ...one,
            ...optional,
            domain: 'sender.example',
            signedAt: days(1),
          })
        }
        for (const change of changeList) message = changed(message, change)
        const zone = zoneOf(made[0]?.key ?? RSA, published)
        const octets = Buffer.from(message, 'latin1')
        const dkim = await ourFindings(octets, zone)
        const theirs = await theirFindings(octets, zone)
        // An empty or half `c=` has no meaning for us; mailauth guesses or throws.
        const isStricter = (at: number): boolean => dkim[at]?.why === 'unknown canonicalization'
        assert.deepEqual(
          dkim.filter((_, at) => !isStricter(at)),
          theirs.filter((_, at) => !isStricter(at)),
        )
        for (const { result, why = '' } of dkim) {
          const seen = `${result}: ${why}`
          results.set(seen, (results.get(seen) ?? 0) + 1)
        }
      },
    ),
    { numRuns: 2_000, examples: RARE },
  )
  // Comparing a few kinds of results only would show little.
  assert.ok(results.size >= 20, [...results].map(([seen, count]) => `${count} ${seen}`).join('\n'))
})
