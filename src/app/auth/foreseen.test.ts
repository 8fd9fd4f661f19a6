import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../mail/address.ts'
import type { EvaluationFacts } from '../../ports/mail-auth.ts'
import { foresee } from './foreseen.ts'

const facts = (from: string | null): EvaluationFacts => ({
  ...{ client: '192.0.2.1', helo: 'Mx.B.test', authservId: 'x' },
  reversePath: from === null ? null : (parseAddress(from) ?? null),
})
const names = (text: string, from: string | null) => [
  ...foresee(new Uint8Array(Buffer.from(text, 'latin1')), facts(from)),
]

test('records of the sender, of each signature and of the policies above them', () => {
  const header = [
    'Received: x; d=no.test; s=no',
    'DKIM-Signature: v=1; a=rsa-sha256; d=Mail.A.test;',
    '\ts=sel.x; h=from; b=aGQ9; bh=x',
    'dkim-signature: s=2;d=b.test',
    'DKIM-Signature: d=only.test',
    '',
    'body',
  ].join('\r\n')
  assert.deepEqual(names(header, 'x@a.test'), [
    ...['a.test', '_dmarc.a.test', '_dmarc.test'],
    ...['sel.x._domainkey.mail.a.test', '_dmarc.mail.a.test'],
    ...['2._domainkey.b.test', '_dmarc.b.test'],
  ])
  assert.deepEqual(names('', null), ['mx.b.test'])
  assert.deepEqual(names('', 'x@a.b.c.d.e.test').length, 5)
})

test('attack: any number of signatures, and any octets: a few names, soon', () => {
  const many = Array.from({ length: 5000 }, (_, i) => `DKIM-Signature: s=${i}; d=a${i}.test\r\n`).join('')
  assert.ok(names(many, null).length <= 13)
  for (const hostile of [
    'DKIM-Signature:\r\n '.repeat(900),
    `DKIM-Signature:${';'.repeat(16_000)}`,
    'DKIM-Signature:',
  ])
    assert.deepEqual(names(hostile, null), ['mx.b.test'])
})
