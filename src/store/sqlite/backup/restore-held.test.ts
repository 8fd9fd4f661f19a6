import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ReportRecord } from '../../../ports/reports.ts'
import { accessOf, aHold, type Bench, mail } from '../../contract/bench.test-kit.ts'
import { checkNow } from '../check/check.ts'
import type { Store } from '../open.ts'
import { backedUp, benchAt, scratch, watching } from './backup.test-kit.ts'
import { queueItem } from './mixed-load.test-kit.ts'
import { restoreBackup } from './restore.ts'

const DAY = '2026-11-23'
const FAR_AHEAD = 4_000_000_000_000
const LARGE = randomBytes(300_000).toString('base64').replace(/.{76}/g, '$&\r\n')

const policy = {
  domain: 'far.test',
  p: 'reject',
  adkim: 'r',
  aspf: 'r',
  t: false,
  rua: ['mailto:d@far.test'],
} as const
const record: ReportRecord = {
  ...{ sourceIp: '192.0.2.1', count: 1, disposition: 'reject', dkimAligned: false, spfAligned: false },
  ...{ reasons: [], headerFrom: 'far.test', envelopeFrom: 'far.test', dkim: [] },
}

/** All that is kept about mail that is judged, as far as it can be asked for. */
async function everything({ store }: Bench & { readonly store: Store }) {
  const { accounts, quarantine, reports, trust } = store
  const held = await quarantine.list({ limit: 10 })
  return {
    held,
    contents: await Promise.all(
      held.map(async ({ id }) => Buffer.from((await quarantine.content(id, 1e7)) ?? []).toString()),
    ),
    undigested: await quarantine.undigestedAccounts(),
    trust: trust.entries(),
    language: (await accounts.findAccount('anna@example.test'))?.language,
    tallied: await reports.talliedDay(DAY, 'far.test'),
    open: await reports.openDays({ beforeDay: '9999-12-31', limit: 10 }),
    sent: await reports.sent({ sinceDay: '2026-01-01', limit: 10 }),
    received: await reports.received({ sinceMs: 0 }),
    tls: await reports.receivedTls({ sinceMs: 0 }),
  }
}

async function fill(bench: Bench & { readonly store: Store }): Promise<void> {
  const { accounts, intake, reports, trust } = bench.store
  const anna = await bench.account('anna@example.test')
  const hold = aHold({ untilMs: FAR_AHEAD })
  for (const text of [mail('small'), mail('large', LARGE)]) {
    const message = await bench.message(text, [anna], { hold, queue: queueItem('x@far.test') })
    assert((await intake.accept(message)).ok)
  }
  await trust.add({
    key: { kind: 'dkim', domain: 'list.test' },
    list: 'l.list.test',
    why: 'ours',
    addedAtMs: 1,
  })
  assert((await accounts.setLanguage('anna@example.test', 'ja')).ok)
  for (const day of [DAY, '2026-11-22']) reports.tally({ day, policy, record })
  const closed = { day: '2026-11-22', policyDomain: 'far.test', reportId: 'r', atMs: 1, recipients: 1 }
  assert((await reports.closeDay(closed)).ok)
  const times = { beginMs: 1, endMs: 2, receivedAtMs: 3, traceId: bench.traceId() }
  const who = { organization: 'Far', reportId: 'one', policyDomain: 'example.test' }
  assert((await reports.addReceived({ ...who, ...times, p: 'reject', records: [record], omitted: 0 })).ok)
  assert(
    (
      await reports.addReceivedTls({
        ...who,
        ...times,
        policyType: 'sts',
        successes: 4,
        failed: 0,
        failures: [],
      })
    ).ok,
  )
}

test('a restore brings back what is held, exceptions, languages and reports; what was held can be released', async (t) => {
  const root = scratch(t)
  const [old, fresh] = [join(root, 'old'), join(root, 'fresh')]
  const bench = await benchAt(old, t)
  await fill(bench)
  const before = await everything(bench)
  assert.deepEqual([before.held.length, before.trust.length, before.sent.length], [2, 1, 1])
  assert.deepEqual([before.received.reports.length, before.tls.reports.length, before.open.length], [1, 1, 1])
  assert(before.contents.some((text) => text.endsWith(LARGE)))
  const { folder: from } = await backedUp(bench.store, join(root, 'backups'))
  const restored = await restoreBackup({ from, folder: fresh, nowMs: Date.now() }, watching())
  assert(restored.ok, restored.ok ? '' : restored.sentence)
  const checked = checkNow(fresh, { deep: true, serving: false })
  assert(checked.ok && checked.findings.length === 0, JSON.stringify(checked))
  const again = await benchAt(fresh, t)
  assert.deepEqual(await everything(again), before)
  const account = await again.store.accounts.findAccount('anna@example.test')
  assert(account !== undefined)
  for (const { id } of before.held)
    assert((await again.store.quarantine.release(id, { by: 'operator', nowMs: 9 }))?.ok)
  const anna = accessOf(account.id)
  const view = await again.view(anna)
  const octets = (await again.octets(anna, view, 1)).length + (await again.octets(anna, view, 2)).length
  assert.equal(octets, before.contents.join('').length)
  view.close()
})
