import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Evidence } from '../mail/authentication.ts'
import { evidenceStory, recordLines } from './evidence-story.ts'

const STALE: Evidence = {
  spf: { result: 'fail', domain: 'jf3vqb.test', identity: 'mailfrom', why: '-all' },
  dkim: [
    {
      result: 'fail',
      domain: 'jf3vqb.test',
      selector: 'sel1',
      algorithm: 'rsa-sha256',
      keyBits: 2048,
      signs: ['from', 'subject'],
      why: 'body hash did not verify',
    },
  ],
  arc: { result: 'none', sealers: [] },
  dmarc: {
    result: 'fail',
    domain: 'jf3vqb.test',
    policyDomain: 'jf3vqb.test',
    policy: 'quarantine',
    aligned: {},
  },
  dns: [
    { name: 'jf3vqb.test', type: 'TXT', said: '"v=spf1 -all"' },
    { name: '_dmarc.jf3vqb.test', type: 'TXT', said: '"v=DMARC1; p=quarantine"' },
  ],
  limits: ['2 of 40 signatures were looked at'],
}

test('a pasted signature on a forged message, told to a person', () => {
  assert.deepEqual(evidenceStory(STALE, '203.0.113.66'), [
    '203.0.113.66 may not send mail for jf3vqb.test, the domain of the envelope sender (SPF fail: -all).',
    'A signature that names jf3vqb.test does not fit: the message was changed after it was signed, or the signature was copied from another message (DKIM fail, selector sel1, rsa-sha256, 2048 bits: body hash did not verify).',
    'Nothing vouches for jf3vqb.test, the domain in From: neither a signature of it nor an address that may send for it (DMARC fail).',
    'jf3vqb.test asks of such mail: that it is treated with suspicion (p=quarantine).',
    'A limit was reached: 2 of 40 signatures were looked at.',
  ])
  assert.deepEqual(recordLines(STALE), [
    'TXT of jf3vqb.test: "v=spf1 -all"',
    'TXT of _dmarc.jf3vqb.test: "v=DMARC1; p=quarantine"',
  ])
})

test('genuine mail that was passed on', () => {
  const story = evidenceStory(
    {
      ...STALE,
      spf: { result: 'none', domain: '', identity: 'helo' },
      dkim: [],
      arc: { result: 'pass', sealers: ['lists.test', 'forwarder.test'], said: 'lists.test; dmarc=pass' },
      dmarc: {
        result: 'pass',
        domain: 'bigmail.test',
        aligned: { spf: 'bigmail.test', dkim: 'bigmail.test' },
      },
      limits: [],
    },
    '203.0.113.81',
  )
  assert.deepEqual(story, [
    'Who may send mail is not published for ?, the name that the client called itself (SPF none).',
    'The message carries no signature (DKIM none).',
    'It was passed on, and sealed by lists.test, then forwarder.test (ARC pass).',
    'The last of them says that it saw: lists.test; dmarc=pass.',
    'The mail is what it says: a signature and the sending address vouch for bigmail.test, the domain in From (DMARC pass).',
  ])
})
