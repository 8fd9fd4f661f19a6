import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Evidence } from '../../mail/authentication.ts'
import { formatReply } from '../../mail/reply.ts'
import type { TrustEntry } from '../../ports/trust.ts'
import { decide, type PolicyCase, type Verdict } from './decide.ts'
import { dmarc, evidence, signature, spf } from './evidence.test-kit.ts'
import type { HeaderFacts } from './header-facts.ts'
import { matchTrust } from './trust.ts'

const NO_LIST: HeaderFacts = { listFields: [], hasArc: false }
const LIST: HeaderFacts = { listId: 'freebsd-users.bsdlist.test', listFields: ['List-Id'], hasArc: false }
const FORGER = '203.0.113.66'

interface Row {
  readonly row: string
  readonly seen: Evidence
  readonly more?: Partial<PolicyCase>
  /** Action, rule and, where there is one, the beginning of the reply. */
  readonly ends: readonly [Verdict['action'], string, string?]
  readonly says?: RegExp
}

const LIST_MAIL = (policy: 'none' | 'quarantine' | 'reject', author: string) =>
  evidence(spf('pass', 'bsdlist.test'), { dkim: [signature('fail', author)] }, dmarc('fail', author, policy))
const strictAlign = { published: { p: 'reject', adkim: 's', aspf: 's', t: false, rua: [] } } as const
const FORGED_REJECT = evidence(spf('fail', 'strict.test'), dmarc('fail', 'strict.test', 'reject'))

const ROWS: readonly Row[] = [
  {
    row: 'B01-B05 SPF and DKIM pass',
    seen: evidence(
      spf('pass', 'bigmail.test'),
      { dkim: [signature('pass', 'bigmail.test')] },
      dmarc('pass', 'bigmail.test', 'none'),
    ),
    ends: ['deliver', 'dmarc-pass'],
  },
  {
    row: 'B10 a stale signature pasted on a forgery, p=quarantine',
    seen: evidence(
      spf('fail', 'jf3vqb.test'),
      { dkim: [signature('fail', 'jf3vqb.test')] },
      dmarc('fail', 'jf3vqb.test', 'quarantine'),
    ),
    ends: ['hold', 'dmarc'],
    says: /signature of jf3vqb\.test does not fit this message/,
  },
  {
    row: 'B11 forged, p=quarantine, no signature',
    seen: evidence(spf('fail', 'jf3vqb.test'), dmarc('fail', 'jf3vqb.test', 'quarantine')),
    ends: ['hold', 'dmarc'],
    says: /The domain jf3vqb\.test does not let 203\.0\.113\.66 send for it/,
  },
  {
    row: 'B12 the same with the null sender',
    seen: evidence(spf('none', 'freebsd.azure.test', 'helo'), dmarc('fail', 'jf3vqb.test', 'quarantine')),
    ends: ['hold', 'dmarc'],
  },
  {
    row: 'B13 the same with an envelope domain of its own',
    seen: evidence(spf('none', 'freebsd.azure.test'), dmarc('fail', 'jf3vqb.test', 'quarantine')),
    ends: ['hold', 'dmarc'],
  },
  {
    row: 'B14, B17 forged, p=reject',
    seen: FORGED_REJECT,
    ends: ['refuse', 'dmarc', '550 5.7.26 strict.test asks to reject'],
    says: /DMARC p=reject/,
  },
  {
    row: 'B15 forged, p=none',
    seen: evidence(spf('fail', 'nonepol.test'), dmarc('fail', 'nonepol.test', 'none')),
    ends: ['deliver', 'dmarc-none'],
  },
  {
    row: 'B16 forged, no DMARC',
    seen: evidence(spf('fail', 'nodmarc.test'), dmarc('none', 'nodmarc.test')),
    ends: ['deliver', 'dmarc-none'],
  },
  {
    row: 'B30 softfail, p=quarantine',
    seen: evidence(spf('softfail', 'softfail.test'), dmarc('fail', 'softfail.test', 'quarantine')),
    ends: ['hold', 'dmarc'],
    says: /SPF softfail/,
  },
  {
    row: 'B31, B33, B45, B46, B67 an aligned signature is enough',
    seen: evidence(
      spf('temperror', 'strict.test'),
      { dkim: [signature('fail', 'bigmail.test'), signature('pass', 'strict.test')] },
      dmarc('pass', 'strict.test', 'reject', { aligned: { dkim: 'strict.test' } }),
    ),
    ends: ['deliver', 'dmarc-pass'],
  },
  {
    row: 'B32 SPF temperror decides',
    seen: evidence(spf('temperror', 'spftemp.test'), dmarc('temperror', 'spftemp.test', 'reject')),
    ends: ['defer', 'spf-temporary', '451 4.7.24 '],
  },
  {
    row: 'SPF temperror of another domain decides nothing',
    seen: evidence(spf('temperror', 'azure.test'), dmarc('fail', 'strict.test', 'reject')),
    ends: ['refuse', 'dmarc', '550 5.7.26 '],
  },
  {
    row: 'SPF temperror under p=none decides nothing',
    seen: evidence(spf('temperror', 'nonepol.test'), dmarc('temperror', 'nonepol.test', 'none')),
    ends: ['deliver', 'dmarc-none'],
  },
  {
    row: 'B34 the record can not be looked up, SPF passes for the author',
    seen: evidence(spf('pass', 'tempdmarc.test'), dmarc('temperror', 'tempdmarc.test')),
    ends: ['deliver', 'dmarc-pass'],
  },
  {
    row: 'B35 the record can not be looked up, forged',
    seen: evidence(spf('none', 'freebsd.azure.test'), dmarc('temperror', 'tempdmarc.test')),
    ends: ['defer', 'dmarc-temporary', '451 4.7.0 '],
  },
  {
    row: 'B36 envelope and author can not be looked up',
    seen: evidence(spf('temperror', 'servfail.test'), dmarc('temperror', 'servfail.test')),
    ends: ['defer', 'dmarc-temporary', '451 4.7.0 '],
  },
  {
    row: 'B37 nothing of the author can be looked up, another domain vouches',
    seen: evidence(spf('pass', 'bigmail.test'), {
      dmarc: { ...dmarc('temperror', 'servfail.test').dmarc, isUnreachable: true },
    }),
    ends: ['deliver', 'dmarc-unknown'],
  },
  {
    row: 'B35 the record alone can not be looked up, and a domain of the forger vouches',
    seen: evidence(spf('pass', 'freebsd.azure.test'), dmarc('temperror', 'tempdmarc.test')),
    ends: ['defer', 'dmarc-temporary', '451 4.7.0 '],
  },
  {
    row: 'B38 the key can not be looked up',
    seen: evidence(
      spf('none', 'freebsd.azure.test'),
      { dkim: [signature('temperror', 'strict.test', { selector: 'tempkey' })] },
      dmarc('temperror', 'strict.test', 'reject'),
    ),
    ends: ['defer', 'dkim-temporary', '451 4.7.5 The DKIM key tempkey._domainkey.strict.test'],
  },
  {
    row: 'B39 revoked key',
    seen: evidence(
      spf('none', 'freebsd.azure.test'),
      { dkim: [signature('permerror', 'strict.test', { why: 'key revoked' })] },
      dmarc('fail', 'strict.test', 'reject'),
    ),
    ends: ['refuse', 'dmarc', '550 5.7.26 '],
    says: /key revoked/,
  },
  {
    row: 'B40, B61 SPF aligned',
    seen: evidence(
      spf('pass', 'bounce.relaxalign.test'),
      dmarc('pass', 'relaxalign.test', 'reject', { aligned: { spf: 'bounce.relaxalign.test' } }),
    ),
    ends: ['deliver', 'dmarc-pass'],
  },
  {
    row: 'B47 a forwarder with its own envelope, nothing signed',
    seen: evidence(spf('pass', 'forwarder.test'), dmarc('fail', 'strict.test', 'reject')),
    ends: ['refuse', 'dmarc', '550 5.7.26 '],
    says: /may send for forwarder\.test \(SPF pass\), which is not strict\.test/,
  },
  {
    row: 'B50 a list, p=reject',
    seen: LIST_MAIL('reject', 'strict.test'),
    more: { header: LIST },
    ends: ['hold', 'dmarc-list'],
    says: /mailing list freebsd-users\.bsdlist\.test/,
  },
  {
    row: 'B50 with RejectFailures',
    seen: LIST_MAIL('reject', 'strict.test'),
    more: { header: LIST, settings: { reject: 'always', holdQuarantine: true } },
    ends: ['refuse', 'dmarc', '550 5.7.26 '],
  },
  {
    row: 'B51 a list, p=quarantine',
    seen: LIST_MAIL('quarantine', 'quar.test'),
    more: { header: LIST },
    ends: ['hold', 'dmarc-list'],
  },
  {
    row: 'B52 a list, p=none',
    seen: LIST_MAIL('none', 'bigmail.test'),
    more: { header: LIST },
    ends: ['deliver', 'dmarc-none'],
  },
  {
    row: 'B55, B57 a subdomain under sp=reject',
    seen: evidence(
      spf('fail', 'mail.subpol.test'),
      dmarc('fail', 'mail.subpol.test', 'reject', {
        policyDomain: 'subpol.test',
        organizationalDomain: 'subpol.test',
      }),
    ),
    ends: ['refuse', 'dmarc', '550 5.7.26 subpol.test asks'],
  },
  {
    row: 'B56 sp=none',
    seen: evidence(spf('fail', 'mail.subpol2.test'), dmarc('fail', 'mail.subpol2.test', 'none')),
    ends: ['deliver', 'dmarc-none'],
  },
  {
    row: 'B58 pct=0 read as t=y',
    seen: evidence(spf('fail', 'pct0.test'), dmarc('fail', 'pct0.test', 'quarantine')),
    ends: ['hold', 'dmarc'],
  },
  {
    row: 'B59 pct=50 is no dice',
    seen: evidence(spf('fail', 'pct50.test'), dmarc('fail', 'pct50.test', 'reject')),
    ends: ['refuse', 'dmarc', '550 5.7.26 '],
  },
  {
    row: 'B60, X01 aspf=s',
    seen: evidence(
      spf('pass', 'bounce.strictalign.test'),
      dmarc('fail', 'strictalign.test', 'reject', strictAlign),
    ),
    ends: ['refuse', 'dmarc', '550 5.7.26 '],
  },
  {
    row: 'X02 adkim=s, signed by another domain',
    seen: evidence(
      spf('pass', 'bounce.relaxalign.test'),
      { dkim: [signature('pass', 'bigmail.test')] },
      dmarc('fail', 'strictalign.test', 'reject', strictAlign),
    ),
    ends: ['refuse', 'dmarc', '550 5.7.26 '],
    says: /bigmail\.test is valid \(DKIM pass\) but vouches for another domain/,
  },
  {
    row: 'X03 the author in a subdomain, aspf=s',
    seen: evidence(
      spf('pass', 'strictalign.test'),
      dmarc('fail', 'sub.strictalign.test', 'reject', {
        ...strictAlign,
        organizationalDomain: 'strictalign.test',
      }),
    ),
    ends: ['refuse', 'dmarc', '550 5.7.26 '],
  },
  {
    row: 'B62, X04 two records are none',
    seen: evidence(spf('none', 'freebsd.azure.test'), dmarc('none', 'dupdmarc.test')),
    ends: ['deliver', 'dmarc-none'],
  },
  {
    row: 'B63 an invalid record',
    seen: evidence(spf('none', 'freebsd.azure.test'), dmarc('none', 'baddmarc.test')),
    ends: ['deliver', 'dmarc-none'],
  },
  {
    row: 'B64, B65 SPF permerror',
    seen: evidence(spf('permerror', 'dupspf.test'), dmarc('fail', 'dupspf.test', 'reject')),
    ends: ['refuse', 'dmarc', '550 5.7.26 '],
    says: /SPF permerror/,
  },
  {
    row: 'B66 what others wrote of themselves is not read',
    seen: evidence(spf('none', 'freebsd.azure.test'), dmarc('fail', 'strict.test', 'reject')),
    ends: ['refuse', 'dmarc', '550 5.7.26 '],
  },
  {
    row: 'nothing but the policy speaks against it (rfc9989 §7.4)',
    seen: evidence(
      spf('none', 'strict.test'),
      { dkim: [signature('fail', 'strict.test')] },
      dmarc('fail', 'strict.test', 'reject'),
    ),
    ends: ['hold', 'dmarc-unproven'],
  },
  {
    row: 'an ARC chain may explain it',
    seen: evidence(
      spf('pass', 'forwarder.test'),
      { arc: { result: 'pass', sealers: ['forwarder.test'] } },
      dmarc('fail', 'strict.test', 'reject'),
    ),
    ends: ['hold', 'dmarc-arc'],
  },
  {
    row: 'reject = hold',
    seen: FORGED_REJECT,
    more: { settings: { reject: 'hold', holdQuarantine: true } },
    ends: ['hold', 'dmarc'],
  },
  {
    row: 'hold_quarantine = false',
    seen: evidence(spf('fail', 'quar.test'), dmarc('fail', 'quar.test', 'quarantine')),
    more: { settings: { reject: 'evidence', holdQuarantine: false } },
    ends: ['deliver', 'dmarc-delivered'],
  },
  {
    row: 'H02.4 forged p=reject by our own backup MX',
    seen: FORGED_REJECT,
    more: { isSecondary: true },
    ends: ['hold', 'dmarc'],
    says: /backup server of ours/,
  },
  {
    row: 'H02 a broken header by our own backup MX',
    seen: FORGED_REJECT,
    more: {
      isSecondary: true,
      fault: {
        rule: 'header-count',
        reply: { code: 554, enhanced: '5.6.0', lines: ['2 From fields; RFC 5322 section 3.6 allows one'] },
      },
    },
    ends: ['hold', 'header-count'],
    says: /2 From fields/,
  },
]

const none: TrustEntry[] = []
function run(seen: Evidence, more: Partial<PolicyCase> = {}): Verdict {
  return decide({
    evidence: seen,
    client: FORGER,
    header: NO_LIST,
    settings: { reject: 'evidence', holdQuarantine: true },
    trust: matchTrust(none, { evidence: seen, client: FORGER, nowMs: 0 }),
    isSecondary: false,
    ...more,
  })
}

for (const { row, seen, more, ends, says } of ROWS) {
  test(`${row}: ${ends[0]}`, () => {
    const verdict = run(seen, more)
    const answer = verdict.reply === undefined ? undefined : formatReply(verdict.reply)
    assert.deepEqual([verdict.action, verdict.rule], ends.slice(0, 2))
    assert.equal(answer?.slice(0, ends[2]?.length), ends[2])
    const texts = verdict.reasons.map(({ text }) => text).join(' ')
    assert.match(`${texts} ${answer ?? ''}`, says ?? /./)
    for (const { text } of verdict.reasons) assert.match(text, /^[A-Z0-9].*\.$/s, 'a sentence for people')
  })
}

const entry = (key: TrustEntry['key'], more: Partial<TrustEntry> = {}): TrustEntry => ({
  id: 7,
  key,
  addedAtMs: 0,
  ...more,
})
const BY_LIST = entry({ kind: 'dkim', domain: 'bsdlist.test' }, { list: 'freebsd-users.bsdlist.test' })
const TRUSTED = evidence(
  spf('pass', 'bsdlist.test'),
  {
    dkim: [
      signature('fail', 'strict.test'),
      signature('pass', 'bsdlist.test', { signs: ['from', 'list-id'] }),
    ],
  },
  dmarc('fail', 'strict.test', 'reject'),
)

function withTrust(seen: Evidence, entries: readonly TrustEntry[], header = LIST): Verdict {
  const { listId } = header
  return run(seen, {
    header,
    trust: matchTrust(entries, { evidence: seen, client: FORGER, listId, nowMs: 10 }),
  })
}

test('I03 the same list mail with an exception is delivered, and its failures are still told', () => {
  const verdict = withTrust(TRUSTED, [BY_LIST])
  assert.deepEqual([verdict.action, verdict.rule, verdict.trusted?.id], ['deliver', 'trusted', 7])
  assert.deepEqual(
    verdict.reasons.map(({ rule }) => rule),
    ['trusted', 'spf', 'dkim'],
  )
})

test('I04, I05 a forgery from the same host without the key ends as its own row says', () => {
  const forged = evidence(spf('fail', 'strict.test'), dmarc('fail', 'strict.test', 'reject'))
  assert.equal(withTrust(forged, [BY_LIST], NO_LIST).action, 'refuse')
  const ours = evidence(spf('fail', 'jf3vqb.test'), dmarc('fail', 'jf3vqb.test', 'quarantine'))
  assert.equal(withTrust(ours, [BY_LIST], NO_LIST).action, 'hold')
})

test('I05 an exception for a list makes no known forwarder of its host', () => {
  const forged = evidence(spf('pass', 'bsdlist.test'), dmarc('fail', 'strict.test', 'reject'))
  const bySpf = entry({ kind: 'spf', domain: 'bsdlist.test' }, { list: 'freebsd-users.bsdlist.test' })
  assert.equal(withTrust(forged, [bySpf], NO_LIST).action, 'refuse')
})

test('B41 an envelope domain that does not exist is refused, unless the author vouches for the message', () => {
  const dns = [{ name: 'nobody.test', type: 'TXT', said: 'no such name' }]
  const seen = { ...evidence(spf('none', 'nobody.test')), dns }
  const verdict = withTrust(seen, [], NO_LIST)
  assert.deepEqual([verdict.action, verdict.rule], ['refuse', 'sender-domain'])
  assert.equal(verdict.reply?.enhanced, '5.1.8')
  const elsewhere = { ...evidence(spf('none', 'plain.test')), dns }
  assert.equal(withTrust(elsewhere, [], NO_LIST).action, 'deliver')
  const vouched = dmarc('pass', 'strict.test', 'reject', { aligned: { dkim: 'strict.test' } })
  const signed = { ...evidence(spf('none', 'nobody.test'), vouched), dns }
  assert.equal(withTrust(signed, [], NO_LIST).action, 'deliver')
})

test('a forger who writes the List-Id gains nothing but being held', () => {
  const forged = evidence(spf('fail', 'strict.test'), dmarc('fail', 'strict.test', 'reject'))
  assert.deepEqual(
    [withTrust(forged, [BY_LIST]).action, withTrust(forged, [BY_LIST]).rule],
    ['hold', 'dmarc-list'],
  )
})

test('an exception that is over holds what it let pass before', () => {
  const spfKey = entry({ kind: 'spf', domain: 'bsdlist.test' }, { untilMs: 10 })
  const verdict = withTrust(TRUSTED, [spfKey], NO_LIST)
  assert.deepEqual([verdict.action, verdict.rule], ['hold', 'dmarc-forwarder'])
})

test('the key of an exception that can not be looked up defers', () => {
  const seen = evidence(
    spf('none', 'azure.test'),
    { dkim: [signature('temperror', 'bsdlist.test', { signs: ['list-id'] })] },
    dmarc('fail', 'strict.test', 'reject'),
  )
  assert.equal(withTrust(seen, [BY_LIST]).rule, 'dkim-temporary')
})

test('I06 an exception skips the DMARC policy only: a broken header is refused before', () => {
  const fault = { rule: 'header-count', reply: { code: 554, enhanced: '5.6.0', lines: ['2 From fields'] } }
  const trust = matchTrust([BY_LIST], { evidence: TRUSTED, client: FORGER, listId: LIST.listId, nowMs: 10 })
  assert.equal(trust.entry?.id, 7)
  assert.equal(run(TRUSTED, { header: LIST, trust, fault }).action, 'refuse')
})
