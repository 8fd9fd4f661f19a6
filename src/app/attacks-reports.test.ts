import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { composeAggregate } from '../mailauth/reports/aggregate.ts'
import { aRecord, aReport, zip } from '../mailauth/reports/reports.test-kit.ts'
import { count, fate, honestMailArrives, letter, newest, startGuarded } from './forger.test-kit.ts'

/* Reports that are bombs, as mail to a running server, from a sender who is authenticated and hostile. */

const guarded = await startGuarded()
const { dns, house } = guarded
after(() => guarded.stop())
dns.set({ '_dmarc.attacker.test': [['TXT', 'v=DMARC1; p=none']] })
const { reports } = house.server.house.ports

const NAME = 'attacker.test!example.test!1795392000!1795478399'

function mailWith(octets: Uint8Array, type: string, name: string): string {
  const base64 = Buffer.from(octets).toString('base64').replace(/.{76}/g, '$&\r\n')
  return letter(
    [
      'From: reports@attacker.test',
      'To: dmarc@example.test',
      'Subject: Report Domain: example.test Submitter: attacker.test Report-ID: <1>',
      'MIME-Version: 1.0',
      `Content-Type: ${type}; name="${name}"`,
      `Content-Disposition: attachment; filename="${name}"`,
      'Content-Transfer-Encoding: base64',
    ],
    `${base64}\r\n`,
  )
}

const xml = (text: string): Buffer => gzipSync(Buffer.from(text))
const BOMBS: Readonly<Record<string, Uint8Array>> = {
  'a gzip bomb': gzipSync(Buffer.alloc(200 * 1024 * 1024), { level: 9 }),
  'a gzip bomb within a gzip bomb': gzipSync(gzipSync(Buffer.alloc(64 * 1024 * 1024))),
  'a zip bomb': zip([{ name: 'r.xml', octets: Buffer.alloc(64 * 1024 * 1024) }]),
  'a thousand files': zip(
    Array.from({ length: 1_000 }, (_, i) => ({ name: `${i}.xml`, octets: Buffer.from('x') })),
  ),
  'a zip that names itself': zip([{ name: '../../etc/passwd', octets: Buffer.from('x') }]),
  'billion laughs': xml(
    `<!DOCTYPE f [<!ENTITY a "ha">${Array.from({ length: 20 }, (_, i) => `<!ENTITY a${i} "${`&a${i - 1};`.repeat(10)}">`).join('')}]><feedback>&a19;</feedback>`,
  ),
  'an external entity': xml('<!DOCTYPE f [<!ENTITY x SYSTEM "file:///etc/passwd">]><feedback>&x;</feedback>'),
  'deep nesting': xml(`<feedback>${'<a>'.repeat(100_000)}${'</a>'.repeat(100_000)}</feedback>`),
  'a million records': xml(`<feedback>${'<record><row/></record>'.repeat(1_000_000)}</feedback>`),
  'one tag of a megabyte': xml(`<feedback ${'a="b" '.repeat(200_000)}>`),
  'one text of a megabyte': xml(`<feedback><report_metadata><org_name>${'x'.repeat(2_000_000)}</org_name>`),
  'names of the prototype': xml('<feedback><__proto__><polluted>1</polluted></__proto__></feedback>'),
}

test('attack 20c: every bomb is delivered as mail, none is kept as a report, and honest mail comes through between them', {
  timeout: 240_000,
}, async () => {
  const account = await house.account()
  for (const [what, octets] of Object.entries(BOMBS)) {
    const type = what.includes('zip bomb') && !what.includes('gzip') ? 'application/zip' : 'application/gzip'
    const sent = { to: account.login, content: mailWith(octets, type, `${NAME}.xml.gz`) }
    assert.equal(await fate(guarded, sent), 'delivered', what)
    await honestMailArrives(guarded, account.login)
  }
  const told = () => house.logged('report.problem').length
  for (let i = 0; i < 3_000 && told() < Object.keys(BOMBS).length; i++)
    await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(told(), Object.keys(BOMBS).length, JSON.stringify(house.logged('report.problem')))
  const causes = house.logged('report.problem').map(({ fields }) => String(fields.why ?? fields.cause))
  assert.deepEqual(
    causes.filter((why) => /at once|authenticated/.test(why)),
    [],
    'all were looked at',
  )
  assert.equal((await reports.received({ sinceMs: 0 })).reports.length, 0)
  assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false)
  assert.equal(await count(guarded, account), 2 * Object.keys(BOMBS).length)
})

test('attack 20b: markup and escapes in a report are words in what the operator is shown, and no more', async () => {
  const account = await house.account()
  const evil = '<script>alert(1)</script>\u001b]0;owned\u0007"&\u202e'
  const report = aReport({
    ...{ organization: evil, email: 'x@attacker.test', extraContact: evil, generator: evil, errors: [evil] },
    policy: { domain: 'example.test', p: 'none' },
    records: [aRecord({ headerFrom: 'example.test', reasons: [{ type: 'other', comment: evil }] })],
  })
  const content = mailWith(gzipSync(composeAggregate(report)), 'application/gzip', `${NAME}.xml.gz`)
  assert.equal(await fate(guarded, { to: account.login, content }), 'delivered')
  for (let i = 0; i < 1_000 && house.logged('report.received').length === 0; i++)
    await new Promise((resolve) => setTimeout(resolve, 20))
  const told = (await house.run('dmarc.report', { days: '400' })).join('\n')
  const drawn = (await house.run('dmarc.report', { days: '400', svg: true })).join('\n')
  for (const text of [told, drawn]) assert.doesNotMatch(text, /[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]/)
  assert.doesNotMatch(drawn, /<script/)
  assert.match(await newest(guarded, account), /Report Domain/)
})
