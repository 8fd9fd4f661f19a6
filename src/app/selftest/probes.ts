import { type Address, makeAddress } from '../../mail/address.ts'
import { assert } from '../../mail/assert.ts'
import type { TraceFact } from '../../mail/trace.ts'
import { formatDate } from '../../mime/date.ts'
import type { PolicySettings } from '../../pipeline/policy/settings.ts'
import { makeGeneration } from '../../pki/dkim-make.ts'
import { recordName, recordValue } from '../../pki/dkim-record.ts'
import type { MailAuth, SigningKey } from '../../ports/mail-auth.ts'
import type { SelfTestRun } from './run.ts'

/** A message of the test, and what must become of it. */
export interface Probe {
  readonly says: string
  readonly reversePath: Address
  readonly recipient: Address
  readonly content: Uint8Array
  readonly expected: Expected
}

export interface Expected {
  readonly action: Extract<TraceFact, { kind: 'decision' }>['action']
  /** What it may be decided by. */
  readonly rules: readonly string[]
  /** SPF passes and each of so many signatures too: neither hides that the other fails here. */
  readonly signatures?: number | undefined
  /** The setting that asks for another outcome than the default one. */
  readonly setting?: string | undefined
}

type Policy = Pick<PolicySettings, 'reject' | 'holdQuarantine'>

export interface ProbeParts {
  readonly run: SelfTestRun
  readonly mailAuth: MailAuth
  readonly policy: Policy
  readonly nowMs: number
  /** A local part that nobody guesses. */
  readonly unique: () => string
}

/** Publishes the zone and writes the messages, the genuine ones signed as this server signs. */
export async function makeProbes(parts: ProbeParts): Promise<readonly Probe[]> {
  const { run } = parts
  const [genuine, bank, shop, list] = ['genuine', 'bank', 'shop', 'list'].map((label) =>
    run.domain(label),
  ) as [string, string, string, string]
  run.permitsUs(genuine)
  run.permitsUs(list)
  run.publish(bank, 'v=spf1 -all')
  run.publish(shop, 'v=spf1 -all')
  // psd=n ends the tree walk (rfc9989 §4.10) there: nothing above is asked, whatever the DNS outside is like.
  for (const [domain, policy] of [
    [genuine, 'reject'],
    [bank, 'reject'],
    [shop, 'quarantine'],
    [list, 'none'],
  ])
    run.publish(`_dmarc.${domain}`, `v=DMARC1; p=${policy}; psd=n`)
  const keys = { genuine: await publishKeys(parts, genuine), shop: await publishKeys(parts, shop) }
  return [
    await genuineProbe(parts, genuine, keys.genuine),
    forgedProbe(parts, bank),
    await pastedProbe(parts, shop, keys.shop),
    twoFromProbe(parts, { genuine, bank }),
    await listProbe(parts, { genuine, list }, keys.genuine),
  ]
}

async function genuineProbe(parts: ProbeParts, domain: string, keys: readonly SigningKey[]): Promise<Probe> {
  const content = letter(parts, { from: domain, subject: 'Minutes', text: 'As we said.' })
  return {
    ...envelope(parts, domain),
    says: 'genuine: signed, from a host that SPF permits',
    content: join(await signatures(parts, content, keys), content),
    expected: { action: 'accept', rules: ['dmarc-pass'], signatures: keys.length },
  }
}

function forgedProbe(parts: ProbeParts, domain: string): Probe {
  const { reject } = parts.policy
  return {
    ...envelope(parts, domain),
    says: 'forged: SPF fails, its domain asks to reject',
    content: letter(parts, { from: domain, subject: 'Your account', text: 'Pay here.' }),
    expected:
      reject === 'hold'
        ? { action: 'hold', rules: ['dmarc'], setting: 'policy.reject = "hold"' }
        : { action: 'refuse', rules: ['dmarc'] },
  }
}

/** A signature that the domain made for another message. */
async function pastedProbe(parts: ProbeParts, domain: string, keys: readonly SigningKey[]): Promise<Probe> {
  const other = letter(parts, { from: domain, subject: 'Your order', text: 'It is on its way.' })
  const content = letter(parts, { from: domain, subject: 'Your order', text: 'Pay again.' })
  return {
    ...envelope(parts, domain),
    says: 'forged: an old signature pasted on, its domain asks to hold',
    content: join(await signatures(parts, other, keys), content),
    expected: parts.policy.holdQuarantine
      ? { action: 'hold', rules: ['dmarc'] }
      : { action: 'accept', rules: ['dmarc-delivered'], setting: 'policy.hold_quarantine = false' },
  }
}

function twoFromProbe(
  parts: ProbeParts,
  { genuine, bank }: { readonly genuine: string; readonly bank: string },
): Probe {
  const content = letter(parts, { from: genuine, subject: 'Your account', text: 'Pay here.' })
  return {
    ...envelope(parts, genuine),
    says: 'forged: two From fields, one of them genuine',
    content: join(`From: Bank <pay@${bank}>\r\n`, content),
    expected: { action: 'refuse', rules: ['header-count', 'author-unclear'] },
  }
}

/** What a mailing list does that adds its name to the subject, and a footer. */
async function listProbe(
  parts: ProbeParts,
  { genuine, list }: { readonly genuine: string; readonly list: string },
  keys: readonly SigningKey[],
): Promise<Probe> {
  const content = letter(parts, { from: genuine, subject: 'Minutes', text: 'As we said.' })
  const changed = Buffer.from(content).toString('latin1').replace('Subject: ', 'Subject: [talk] ')
  return {
    ...envelope(parts, list),
    says: 'genuine, but a mailing list broke its signature',
    content: join(
      `List-Id: <talk.${list}>\r\n${await signatures(parts, content, keys)}`,
      Buffer.from(`${changed}-- \r\nThe list talk\r\n`, 'latin1'),
    ),
    expected:
      parts.policy.reject === 'always'
        ? { action: 'refuse', rules: ['dmarc'], setting: 'policy.reject = "always"' }
        : { action: 'hold', rules: ['dmarc-list'] },
  }
}

function envelope({ run, unique }: ProbeParts, domain: string): Pick<Probe, 'reversePath' | 'recipient'> {
  const reversePath = makeAddress('sender', domain)
  assert(reversePath !== undefined, 'a name of the run is an address')
  return { reversePath, recipient: run.expects(unique()) }
}

function letter(
  { run, nowMs, unique }: ProbeParts,
  { from, subject, text }: { readonly from: string; readonly subject: string; readonly text: string },
): Uint8Array {
  const lines = [
    `From: Self-test <author@${from}>`,
    `To: Self-test <you@${run.base}>`,
    `Subject: ${subject}`,
    `Date: ${formatDate(nowMs, 0)}`,
    `Message-ID: <${unique()}@${from}>`,
    '',
    text,
    '',
  ]
  return Buffer.from(lines.join('\r\n'), 'latin1')
}

async function publishKeys({ run, nowMs }: ProbeParts, domain: string): Promise<readonly SigningKey[]> {
  const { keys } = await makeGeneration('selftest', nowMs)
  return keys.map((key) => {
    const { selector, algorithm, privateKeyPem } = key
    assert(privateKeyPem !== undefined, 'a new key has its private half')
    run.publish(recordName(selector, domain), recordValue(key))
    return { domain, selector, algorithm, privateKeyPem }
  })
}

function signatures(
  { mailAuth }: ProbeParts,
  content: Uint8Array,
  keys: readonly SigningKey[],
): Promise<string> {
  const pieces = async function* () {
    yield content
  }
  return mailAuth.sign({ sizeBytes: content.length, pieces }, new Uint8Array(), keys)
}

const join = (fields: string, content: Uint8Array): Uint8Array =>
  Buffer.concat([Buffer.from(fields, 'latin1'), content])
