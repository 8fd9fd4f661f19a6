import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { DkimFinding, Evidence } from '../mail/authentication.ts'
import { headerFields } from '../mime/header.ts'
import { formatAuthenticationResults, formatResults } from './authentication-results.ts'
import { parseResults } from './parse-results.ts'

const DKIM: DkimFinding = {
  result: 'pass',
  domain: 'example.org',
  selector: 's1',
  identity: '@example.org',
  algorithm: 'rsa-sha256',
  keyBits: 2048,
  signs: ['from'],
  b: 'abc/+d==',
}

const EVIDENCE: Evidence = {
  spf: { result: 'fail', domain: 'example.org', identity: 'mailfrom', why: 'no mechanism matched' },
  dkim: [
    DKIM,
    {
      ...DKIM,
      result: 'fail',
      selector: 's2',
      algorithm: 'ed25519-sha256',
      b: 'xyz',
      why: 'body hash did not verify',
    },
  ],
  arc: { result: 'pass', sealers: ['lists.example.net', 'relay.example.com'] },
  dmarc: { result: 'fail', domain: 'example.org', policy: 'reject', aligned: {} },
  dns: [],
  limits: [],
}

test('one field says all results with their properties, folded', () => {
  const field = formatAuthenticationResults({
    authservId: 'mx.example.com',
    evidence: EVIDENCE,
    disposition: 'quarantine',
    client: '2001:db8::1',
  })
  assert.equal(
    field,
    [
      'Authentication-Results: mx.example.com;',
      ' spf=fail reason="no mechanism matched" smtp.mailfrom=example.org;',
      ' dkim=pass header.d=example.org header.i=@example.org header.s=s1',
      ' header.a=rsa-sha256 header.b="abc/+d";',
      ' dkim=fail reason="body hash did not verify" header.d=example.org',
      ' header.i=@example.org header.s=s2 header.a=ed25519-sha256 header.b=xyz;',
      ' arc=pass (i=2) smtp.remote-ip="2001:db8::1";',
      ' dmarc=fail (p=reject dis=quarantine) header.from=example.org',
      '',
    ].join('\r\n'),
  )
})

test('a message without signature, sender or policy has results still', () => {
  const evidence: Evidence = {
    spf: { result: 'none', domain: 'mail.example.net', identity: 'helo' },
    dkim: [],
    arc: { result: 'none', sealers: [] },
    dmarc: { result: 'none', domain: '', aligned: {} },
    dns: [],
    limits: [],
  }
  assert.equal(
    formatResults({ authservId: 'mx.example.com', evidence }),
    'mx.example.com;\r\n spf=none smtp.helo=mail.example.net;\r\n dkim=none;\r\n arc=none;\r\n dmarc=none',
  )
})

/** Words that attackers put where a name should be (CVE-2019-20790, CVE-2020-12272). */
const HOSTILE = [
  '; dmarc=pass header.from=bank.example',
  '"; dkim=pass',
  '(',
  ')',
  '\\',
  '\\"',
  '"',
  ';',
  '=',
  ' dkim=pass ',
  '\r\n dmarc=pass',
  '\r\nSubject: x',
  '\n\n',
  '\0',
  '\u{202e}',
  'é',
  '\ud800',
  'example.org',
  '@',
  ',',
  '<',
  'spf=pass',
  'a'.repeat(400),
  '[192.0.2.1]',
  '=?utf-8?q?dmarc=3Dpass?=',
]
const hostile = fc.oneof(
  fc.array(fc.constantFrom(...HOSTILE), { maxLength: 4 }).map((words) => words.join('')),
  fc.string({ unit: 'binary' }),
)
const results = fc.constantFrom('pass', 'fail', 'neutral', 'temperror', 'permerror')
const dkimFinding = fc.record({
  result: results,
  domain: hostile,
  selector: hostile,
  identity: hostile,
  algorithm: hostile,
  signs: fc.constant([]),
  b: hostile,
  why: hostile,
})
const evidence: fc.Arbitrary<Evidence> = fc.record({
  spf: fc.record({
    result: results,
    domain: hostile,
    identity: fc.constantFrom('mailfrom', 'helo'),
    why: hostile,
  }),
  dkim: fc.array(dkimFinding, { maxLength: 3 }),
  arc: fc.record({
    result: fc.constantFrom('none', 'pass', 'fail'),
    sealers: fc.array(hostile),
    why: hostile,
  }),
  dmarc: fc.record({
    result: fc.constantFrom('none', 'pass', 'fail', 'temperror', 'permerror'),
    domain: hostile,
    policy: fc.constantFrom('none', 'quarantine', 'reject', undefined),
    aligned: fc.constant({}),
    why: hostile,
  }),
  dns: fc.constant([]),
  limits: fc.constant([]),
})

function expected({ spf, dkim, arc, dmarc }: Evidence): string[] {
  const signatures = dkim.length === 0 ? ['dkim=none'] : dkim.map(({ result }) => `dkim=${result}`)
  return [`spf=${spf.result}`, ...signatures, `arc=${arc.result}`, `dmarc=${dmarc.result}`]
}

test('attack 15b: nothing that a peer writes adds, changes or hides a result (round trip)', () => {
  fc.assert(
    fc.property(evidence, hostile, (found, client) => {
      const field = formatAuthenticationResults({ authservId: 'mx.example.com', evidence: found, client })
      assert.match(field, /^[\x20-\x7e\r\n]*$/)
      assert.equal(headerFields(Buffer.from(field)).length, 1)
      assert.ok(field.split('\r\n').every((line) => line.length <= 998 && !/[\r\n]/.test(line)))
      assert.ok(!/\r\n(?! |$)/.test(field), 'each line but the first is a fold')
      const read = parseResults(field.slice(field.indexOf(':') + 1))
      assert.equal(read?.authservId, 'mx.example.com')
      assert.deepEqual(
        read?.results.map(({ method, result }) => `${method}=${result}`),
        expected(found),
      )
      for (const { properties } of read?.results ?? [])
        for (const { type, name } of properties) assert.match(`${type}.${name}`, /^(smtp|header)\.[a-z-]+$/)
    }),
    { numRuns: 500 },
  )
})

test('attack 15b: also a reader that only searches the text finds our results and no others', () => {
  fc.assert(
    fc.property(evidence, (found) => {
      const text = formatResults({ authservId: 'mx.example.com', evidence: found })
      const naive = [...text.matchAll(/(spf|dkim|arc|dmarc)\s*=\s*([a-z]+)/gi)].map(
        ([, method, result]) => `${method}=${result}`,
      )
      assert.deepEqual(naive, expected(found))
    }),
    { numRuns: 500 },
  )
})

test('property: names, identities and selectors of honest mail are read as they were written (round trip)', () => {
  const name = fc.constantFrom(
    'example.org',
    'xn--r8jz45g.example',
    '_spf.example.com',
    's2026-11._a',
    'a.b.c.d.example',
  )
  fc.assert(
    fc.property(
      name,
      name,
      fc.constantFrom('@', 'user@', 'a+b.c@', 'x_y@'),
      fc.base64String(),
      (domain, selector, local, b) => {
        const finding: DkimFinding = { ...DKIM, domain, selector, identity: `${local}${domain}`, b }
        const read = parseResults(
          formatResults({ authservId: 'mx.example.com', evidence: { ...EVIDENCE, dkim: [finding] } }),
        )
        const properties = read?.results[1]?.properties.map(({ type, name: property, value }) => [
          `${type}.${property}`,
          value,
        ])
        assert.deepEqual(Object.fromEntries(properties ?? []), {
          'header.d': domain,
          'header.i': `${local}${domain}`,
          'header.s': selector,
          'header.a': 'rsa-sha256',
          ...(b === '' ? {} : { 'header.b': b.replace(/=+$/, '') }),
        })
      },
    ),
  )
})
