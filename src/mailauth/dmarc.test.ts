import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { DkimFinding, DmarcFinding, SpfFinding } from '../mail/authentication.ts'
import { checkDmarc } from './dmarc.ts'
import { Inquiry } from './dns.ts'
import { readHeaderAuthor } from './from.ts'
import { StillClock, type Zone, ZoneDns } from './zone.test-kit.ts'

/** A row: what the DNS holds and what passed; `?` before a domain: it could not be found out. Others are not checked. */
interface Row {
  /** Of rfc9989. */
  readonly section: string
  readonly name: string
  readonly author: string
  readonly zone: Zone
  readonly spf?: string
  readonly dkim?: readonly string[]
  readonly expect: Partial<DmarcFinding> & {
    readonly rua?: readonly string[]
    readonly t?: boolean
    /** All that was asked, in order. */
    readonly questions?: readonly string[]
  }
}

const ROWS = JSON.parse(readFileSync(join(import.meta.dirname, 'dmarc-table.json'), 'utf8')) as readonly Row[]

test('the table for RFC 9989 has at least 40 rows, each with its section', () => {
  assert.ok(ROWS.length >= 40)
  for (const { section, name } of ROWS) assert.match(section, /^(\d+|A)(\.\d+)+$/, name)
})

for (const row of ROWS) {
  test(`RFC 9989 section ${row.section}: ${row.name}`, async () => {
    const { finding, asked } = await findingOf(row)
    const { rua, t, questions, ...expected } = row.expect
    assert.deepEqual({ ...expected, ...pick(finding, expected) }, expected)
    if (finding.result !== 'pass') assert.deepEqual(Object.values(finding.aligned).filter(Boolean), [])
    if (rua !== undefined) assert.deepEqual(finding.published?.rua, rua)
    if (finding.published !== undefined) assert.equal(finding.published.t, t ?? false)
    if (row.expect.leniency === undefined) assert.equal(finding.leniency, undefined)
    if (questions !== undefined) assert.deepEqual(asked, questions)
    assert.ok(asked.length <= 40, `${asked.length} questions`)
  })
}

test('several From fields, several domains and no author at all are permerror with their reason', async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['From: a@example.com\r\nFrom: b@example.net\r\n', /2 From fields/],
    ['From: a@example.com, b@example.net\r\n', /2 domains/],
    ['Subject: x\r\n', /no From field/],
    ['From: a\0@example.com\r\n', /without doubt/],
  ]
  for (const [header, why] of cases) {
    const finding = await checkDmarc({
      author: readHeaderAuthor(Buffer.from(header, 'latin1')),
      spf: spfOf(undefined),
      dkim: [],
      ask: async () => [],
    })
    assert.equal(finding.result, 'permerror')
    assert.match(finding.why ?? '', why)
  }
})

test('our own limit is no domain that is down: whoever reaches it on purpose gains nothing', async () => {
  const inquiry = inquiryOf(new ZoneDns({}), 0)
  const author = readHeaderAuthor(Buffer.from('From: a@example.com\r\n'))
  const finding = await checkDmarc({ author, spf: spfOf('attacker.example'), dkim: [], ask: inquiry.ask })
  assert.equal(finding.result, 'temperror')
  assert.equal(finding.isUnreachable, false)
})

test('attack: a resolver that strangers keep busy is no domain that is down', async () => {
  const dns = new ZoneDns({})
  const crowded = async () => ({ kind: 'temporary', cause: 'too many wait', isCrowded: true }) as const
  dns.txt = crowded
  dns.a = crowded
  const inquiry = new Inquiry({
    dns,
    clock: new StillClock(),
    client: '192.0.2.1',
    part: 'DMARC',
    maxQuestions: 50,
    deadlineMs: 1_000,
    answers: new Map(),
  })
  const author = readHeaderAuthor(Buffer.from('From: a@example.com\r\n'))
  const finding = await checkDmarc({ author, spf: spfOf('attacker.example'), dkim: [], ask: inquiry.ask })
  assert.equal(finding.result, 'temperror')
  assert.equal(finding.isUnreachable, false)
})

function pick(finding: DmarcFinding, expected: object): object {
  const known = JSON.parse(JSON.stringify(finding)) as Record<string, unknown>
  return Object.fromEntries(Object.keys(expected).map((key) => [key, known[key]]))
}

function inquiryOf(dns: ZoneDns, maxQuestions: number): Inquiry {
  return new Inquiry({
    ...{ dns, maxQuestions, clock: new StillClock(), client: '192.0.2.1', part: 'DMARC' },
    ...{ deadlineMs: 1_000, answers: new Map() },
  })
}

async function findingOf(row: Row): Promise<{ finding: DmarcFinding; asked: readonly string[] }> {
  const dns = new ZoneDns(row.zone)
  const inquiry = inquiryOf(dns, 80)
  const author = readHeaderAuthor(Buffer.from(`From: a@${row.author}\r\n`))
  const finding = await checkDmarc({
    author,
    spf: spfOf(row.spf),
    dkim: (row.dkim ?? []).map(dkimOf),
    ask: inquiry.ask,
  })
  return { finding, asked: dns.asked }
}

function spfOf(text: string | undefined): SpfFinding {
  const { domain, isKnown } = known(text ?? '')
  const result = domain === '' ? 'none' : isKnown ? 'pass' : 'temperror'
  return { result, domain, identity: 'mailfrom' }
}

function dkimOf(text: string): DkimFinding {
  const { domain, isKnown } = known(text)
  return { result: isKnown ? 'pass' : 'temperror', domain, selector: 's', signs: ['from'] }
}

function known(text: string): { domain: string; isKnown: boolean } {
  return { domain: text.replace('?', ''), isKnown: !text.startsWith('?') }
}
