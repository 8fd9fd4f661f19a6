import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseNetwork } from '../../mail/ip.ts'
import type { TrustEntry } from '../../ports/trust.ts'
import { dmarc, evidence, signature, spf } from './evidence.test-kit.ts'
import { proposeTrust } from './propose.ts'
import { matchTrust } from './trust.ts'

const FAILS = dmarc('fail', 'strict.test', 'reject')
const LIST_SIGNED = evidence(FAILS, {
  dkim: [signature('pass', 'list.test', { signs: ['from', 'list-id'] })],
})
const entry = (kind: 'dkim' | 'arc' | 'spf', domain: string, more: Partial<TrustEntry> = {}): TrustEntry => ({
  id: 1,
  key: { kind, domain },
  addedAtMs: 0,
  ...more,
})
const matches = (
  one: TrustEntry,
  seen = LIST_SIGNED,
  more: { client?: string; listId?: string } = {},
): boolean =>
  matchTrust([one], { evidence: seen, client: '192.0.2.1', nowMs: 100, ...more }).entry !== undefined

test('dkim: a passing signature of exactly that domain', () => {
  assert.ok(matches(entry('dkim', 'list.test')))
  assert.ok(!matches(entry('dkim', 'test')))
  assert.ok(!matches(entry('dkim', 'sub.list.test')))
  assert.ok(!matches(entry('dkim', 'list.test'), evidence(FAILS, { dkim: [signature('fail', 'list.test')] })))
})

test('attack 34a: dkim: a list must be named exactly, and signed by that very signature', () => {
  const one = entry('dkim', 'list.test', { list: 'a.list.test' })
  assert.ok(matches(one, LIST_SIGNED, { listId: 'a.list.test' }))
  assert.ok(!matches(one, LIST_SIGNED, { listId: 'b.list.test' }))
  assert.ok(!matches(one, LIST_SIGNED), 'no List-Id, or two')
  const unsigned = evidence(FAILS, {
    dkim: [signature('pass', 'list.test'), signature('pass', 'other.test', { signs: ['list-id'] })],
  })
  assert.ok(!matches(one, unsigned, { listId: 'a.list.test' }), 'another domain signs the List-Id')
  const broken = evidence(FAILS, {
    dkim: [signature('pass', 'list.test'), signature('fail', 'list.test', { signs: ['list-id'] })],
  })
  assert.ok(!matches(one, broken, { listId: 'a.list.test' }), 'the signature that covers it is broken')
})

test('spf: the reverse-path only, narrowed to a network', () => {
  const seen = evidence(FAILS, spf('pass', 'fw.test'))
  assert.ok(matches(entry('spf', 'fw.test'), seen))
  assert.ok(!matches(entry('spf', 'fw.test'), evidence(FAILS, spf('pass', 'fw.test', 'helo'))))
  assert.ok(!matches(entry('spf', 'fw.test'), evidence(FAILS, spf('softfail', 'fw.test'))))
  const host = parseNetwork('192.0.2.0/24')
  assert.ok(matches(entry('spf', 'fw.test', { host }), seen))
  assert.ok(!matches(entry('spf', 'fw.test', { host }), seen, { client: '198.51.100.1' }))
})

test('arc: the newest sealer, and only where it saw the author authenticated', () => {
  const sealed = (said: string, sealers = ['first.test', 'fw.test']) =>
    evidence(FAILS, { arc: { result: 'pass', sealers, said } })
  const one = entry('arc', 'fw.test')
  assert.ok(matches(one, sealed('fw.test; dmarc=pass header.from=strict.test')))
  assert.ok(matches(one, sealed('fw.test; spf=fail smtp.mailfrom=x.test; dkim=pass header.d=strict.test')))
  assert.ok(matches(one, sealed('fw.test; spf=pass smtp.mailfrom=a@strict.test')))
  assert.ok(!matches(one, sealed('fw.test; dkim=pass header.d=evil.test; spf=pass smtp.mailfrom=evil.test')))
  assert.ok(!matches(one, sealed('fw.test; dmarc=pass header.from=evil.test')))
  assert.ok(!matches(one, sealed('fw.test; dmarc=fail header.from=strict.test')))
  assert.ok(!matches(one, sealed('fw.test; dmarc=pass header.from=strict.test', ['fw.test', 'last.test'])))
  const broken = evidence(FAILS, {
    arc: { result: 'fail', sealers: ['fw.test'], said: 'fw.test; dmarc=pass header.from=strict.test' },
  })
  assert.ok(!matches(one, broken))
})

test('an entry past its time does not match', () => {
  assert.ok(matches(entry('dkim', 'list.test', { untilMs: 101 })))
  assert.ok(!matches(entry('dkim', 'list.test', { untilMs: 100 })))
})

const proposed = (seen = LIST_SIGNED, list?: string) =>
  proposeTrust({ evidence: seen, client: '192.0.2.1', list })

test('the narrowest key is proposed, and it lets that message pass', () => {
  const seen = evidence(FAILS, spf('pass', 'list.test'), {
    dkim: [signature('pass', 'esp.test'), signature('pass', 'list.test', { signs: ['list-id'] })],
  })
  const found = proposed(seen, 'a.list.test')
  assert.ok(found.kind === 'proposal')
  assert.deepEqual(found.args, ['--dkim', 'list.test', '--list', 'a.list.test'])
  assert.equal(found.caution, undefined)
  assert.ok(matches(entry('dkim', 'list.test', { list: found.list }), seen, { listId: 'a.list.test' }))
})

test('a signature without the List-Id, a seal, an envelope: each says what one vouches for', () => {
  const args = (seen: typeof LIST_SIGNED, list?: string) => {
    const found = proposed(seen, list)
    assert.ok(found.kind === 'proposal')
    assert.match(found.vouches, /may then name any author, strict\.test too\.$/)
    assert.match(found.caution ?? '', /a forger has such a domain as well/)
    return found.args.join(' ')
  }
  assert.equal(
    args(evidence(FAILS, { dkim: [signature('pass', 'list.test')] }), 'a.list.test'),
    '--dkim list.test',
  )
  const arc = {
    result: 'pass',
    sealers: ['fw.test'],
    said: 'fw.test; dmarc=pass header.from=strict.test',
  } as const
  assert.equal(args(evidence(FAILS, { arc })), '--arc fw.test')
  assert.equal(args(evidence(FAILS, spf('pass', 'fw.test'))), '--spf fw.test --host 192.0.2.1')
})

test('where nothing is beyond a forger there is no proposal', () => {
  const found = proposed(
    evidence(FAILS, spf('fail', 'strict.test'), { dkim: [signature('fail', 'list.test')] }),
    'a.list.test',
  )
  assert.equal(found.kind, 'none')
})
