import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import type { DkimResult, Evidence, SpfResult } from '../../mail/authentication.ts'
import type { TraceId } from '../../mail/ids.ts'
import type { Reason } from '../../mail/trace.ts'
import type { Held } from '../../ports/quarantine.ts'
import { decide, type PolicyCase, type Verdict } from '../policy/decide.ts'
import { dmarc, evidence, signature, spf } from '../policy/evidence.test-kit.ts'
import { japaneseReason } from './japanese-reasons.ts'

const ENGLISH = 'An English sentence.'
const JAPANESE = /[\u3040-\u30ff\u4e00-\u9fff]/
const FORGED = evidence(spf('fail', 'strict.test'), dmarc('fail', 'strict.test', 'reject'))

function heldFor(reasons: readonly Reason[], seen: Evidence = FORGED): Held {
  return {
    ...{ id: '0abcdefghjkmnpqrstvw' as TraceId, heldAtMs: 0, untilMs: 1, reversePath: '', sizeBytes: 1 },
    ...{ recipients: [], reasons, evidence: seen, from: '', subject: '' },
    ...{ client: '203.0.113.66', helo: 'out.test' },
  }
}

const said = (rule: string, seen?: Evidence): string =>
  japaneseReason(heldFor([{ rule, text: ENGLISH }], seen), 0)

/** Rules by which mail is put off, or which say what became of it: no held message has them as a reason. */
const NEVER_HELD = new Set(['dkim-temporary', 'spf-temporary', 'dmarc-temporary', 'junk', 'default'])

/** What the code names as a rule where reasons are made, but for those of `deliver`, which are no literals of this form. */
function rulesInCode(): readonly string[] {
  const pipeline = dirname(import.meta.dirname)
  const policy = readdirSync(join(pipeline, 'policy')).filter((name) =>
    /(?<!\.test|\.test-kit)\.ts$/.test(name),
  )
  const files = [
    ...policy.map((name) => `policy/${name}`),
    'plan.ts',
    join('..', 'store', 'sqlite', 'held-rows.ts'),
  ]
  const rules = new Set<string>()
  for (const file of files) {
    const code = readFileSync(join(pipeline, file), 'utf8')
    for (const pattern of [
      /\brule: '([a-z-]+)'/g,
      /\brule = '([a-z-]+)'/g,
      /\b(?:fault|hold|tooMany)\([^\n]*?'([a-z-]+)'\)?/g,
      /\bfault\(\s*'([a-z-]+)'/g,
    ])
      for (const [, rule = ''] of code.matchAll(pattern)) rules.add(rule)
  }
  return [...rules].filter((rule) => !NEVER_HELD.has(rule)).sort()
}

test('every rule that a hold can have has a Japanese text', () => {
  const rules = rulesInCode()
  for (const known of ['dmarc', 'dmarc-unproven', 'dmarc-list', 'spf', 'dkim', 'secondary', 'unknown-user'])
    assert(rules.includes(known), `${known} is found in the code: ${rules.join(' ')}`)
  for (const known of ['header-count', 'author-unclear', 'author-domains', 'sender-domain', 'damaged'])
    assert(rules.includes(known), `${known} is found in the code: ${rules.join(' ')}`)
  for (const rule of rules) {
    const text = said(rule)
    assert.notEqual(text, ENGLISH, `the rule ${rule} has no Japanese text`)
    assert.match(text, JAPANESE, rule)
    assert.match(text, /。$/, rule)
  }
})

test('what the policy itself holds is told in Japanese, every reason of it', () => {
  const base: PolicyCase = {
    evidence: FORGED,
    client: '203.0.113.66',
    header: { listFields: [], hasArc: false },
    settings: { reject: 'evidence', holdQuarantine: true },
    trust: {},
    isSecondary: false,
  }
  const list = { listId: 'talk.lists.test', listFields: ['List-Id'], hasArc: false }
  const neutral = evidence(spf('neutral', 'strict.test'), dmarc('fail', 'strict.test', 'reject'))
  const nowhere = {
    ...evidence(spf('none', 'nowhere.test'), dmarc('fail', 'strict.test', 'reject')),
    dns: [{ name: 'nowhere.test', type: 'TXT', said: 'no such name' }] as const,
  }
  const cases: readonly [string, Partial<PolicyCase>][] = [
    ['dmarc', { settings: { ...base.settings, reject: 'hold' } }],
    ['dmarc-list', { header: list }],
    ['dmarc-arc', { header: { listFields: [], hasArc: true } }],
    ['dmarc-unproven', { evidence: neutral }],
    ['dmarc', { isSecondary: true }],
    ['sender-domain', { isSecondary: true, evidence: nowhere }],
  ]
  for (const [rule, more] of cases) {
    const verdict: Verdict = decide({ ...base, ...more })
    assert.deepEqual([verdict.action, verdict.rule], ['hold', rule])
    const held = heldFor(verdict.reasons, more.evidence)
    for (const [index, reason] of verdict.reasons.entries()) {
      const text = japaneseReason(held, index)
      assert.notEqual(text, reason.text, reason.rule)
      assert.match(text, JAPANESE, reason.rule)
    }
  }
})

test('what SPF and the signatures say is told as it was found', () => {
  assert.equal(
    said('spf'),
    '送信元 203.0.113.66 は strict.test のメールを送ることを許可されていません (SPF fail)。',
  )
  const list = evidence(
    spf('pass', 'lists.test'),
    { dkim: [signature('fail', 'strict.test'), signature('pass', 'lists.test')] },
    dmarc('fail', 'strict.test', 'reject'),
  )
  assert.match(
    said('spf', list),
    /許可されています \(SPF pass\)。lists\.test は strict\.test とは別のドメインです。$/,
  )
  assert.equal(
    said('dkim', list),
    'strict.test の電子署名がこのメールの内容と一致しません (DKIM fail)。lists.test の電子署名は有効です (DKIM pass)が、差出人とは別のドメインのものです。',
  )
  assert.match(said('dkim'), /^strict\.test の電子署名がありません/)
  const many = { ...list, dkim: Array.from({ length: 7 }, () => signature('permerror', 'far.test')) }
  assert.match(said('dkim', many), /ほかに署名が 4 個あります。strict\.test の署名はありません。$/)
  assert.match(
    said('dmarc'),
    /strict\.test はそのようなメールを拒否するよう求めています \(DMARC p=reject\)。$/,
  )
  const results: readonly SpfResult[] = [
    'pass',
    'fail',
    'softfail',
    'neutral',
    'none',
    'permerror',
    'temperror',
  ]
  const texts = results.map((result) =>
    said('spf', evidence(spf(result, ''), dmarc('fail', 'strict.test', 'reject'))),
  )
  assert.equal(new Set(texts).size, results.length)
  const signed: readonly DkimResult[] = ['pass', 'fail', 'temperror', 'permerror', 'policy', 'neutral']
  for (const result of signed)
    assert.match(said('dkim', { ...list, dkim: [signature(result, '')] }), new RegExp(`DKIM ${result}`))
})

test('a rule of another day keeps its sentence; no reason is nothing', () => {
  assert.equal(said('unheard-of'), ENGLISH)
  assert.equal(said('constructor'), ENGLISH)
  assert.equal(japaneseReason(heldFor([]), 0), '')
})
