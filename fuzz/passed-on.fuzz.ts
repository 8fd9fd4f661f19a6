import assert from 'node:assert/strict'
import { canonicalIp } from '../src/mail/ip.ts'
import { listIdOf } from '../src/pipeline/policy/header-facts.ts'
import { parsePassedOn } from '../src/pipeline/policy/passed-on.ts'

export const name = 'passed-on'

export const corpus: readonly string[] = [
  'from mx.test (mx.test [203.0.113.10])\r\n\tby backup.test (8.17.1.9/8.17.1.9) with ESMTP id 6AO; x',
  'from mx.test (rdns.test [IPv6:2001:db8::1] (may be forged)) by backup.test; x',
  'from evil.test (unknown [203.0.113.66]) (using TLSv1.3 (256/256 bits)) by backup.test (Postfix); x',
  'from mx.test ([203.0.113.10]:25 helo=other.test) by backup.test (Exim 4.96); x',
  'from [203.0.113.10] (port=4 helo=x) by backup.test; x',
  'A list (of \\) mine) <a.list.test>',
]

/** The address is one that stands in the field, canonical; an identifier holds nothing that could end a line or a bracket. */
export function fuzz(input: Uint8Array): void {
  const text = Buffer.from(input).toString('latin1')
  const found = parsePassedOn(text)
  if (found !== undefined) {
    assert.equal(canonicalIp(found.client), found.client)
    assert.doesNotMatch(found.helo, /[\s(]/)
  }
  const list = listIdOf(text)
  if (list !== undefined) assert.match(list, /^[^\s<>]+$/)
}
