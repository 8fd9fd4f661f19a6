import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../mail/address.ts'
import type { ReceivedReport, ReportRecord, SeenPolicy } from '../../ports/reports.ts'
import { REPORT_ROWS_PER_DOMAIN } from '../limits.ts'
import { Bench, eventually, type Implementation } from './bench.test-kit.ts'

const policy = (domain: string): SeenPolicy => ({
  ...{ domain, p: 'reject', adkim: 'r', aspf: 'r', t: false, rua: [`mailto:d@${domain}`] },
})
const record = (over: Partial<ReportRecord> = {}): ReportRecord => ({
  sourceIp: '192.0.2.1',
  count: 1,
  disposition: 'none',
  dkimAligned: true,
  spfAligned: false,
  reasons: [],
  headerFrom: 'far.test',
  envelopeFrom: '',
  dkim: [{ domain: 'far.test', selector: 's', result: 'pass' }],
  spf: { domain: 'far.test', result: 'softfail' },
  ...over,
})

export function reportsContract(implementation: Implementation): void {
  const on = (title: string, body: (bench: Bench) => Promise<void>): void =>
    void test(`reports: ${title}`, () => Bench.run(implementation, body))
  const days = (bench: Bench, beforeDay = '9999-12-31') =>
    bench.store.reports.openDays({ beforeDay, limit: 100 })

  on('messages that are alike are counted together, also over a restart', async (bench) => {
    const say = (day: string, domain: string, over?: Partial<ReportRecord>): void =>
      bench.store.reports.tally({ day, policy: policy(domain), record: record(over) })
    say('2026-11-23', 'far.test')
    say('2026-11-23', 'far.test')
    say('2026-11-23', 'far.test', { sourceIp: '2001:db8::1' })
    say('2026-11-24', 'far.test')
    say('2026-11-23', 'b.test')
    await eventually('all are there', async () => (await days(bench)).length === 3)
    await bench.reopen()
    assert.deepEqual(await days(bench, '2026-11-24'), [
      { day: '2026-11-23', policyDomain: 'b.test' },
      { day: '2026-11-23', policyDomain: 'far.test' },
    ])
    const day = await bench.store.reports.talliedDay('2026-11-23', 'far.test')
    assert.deepEqual(day, {
      day: '2026-11-23',
      policyDomain: 'far.test',
      policy: policy('far.test'),
      records: [record({ count: 2 }), record({ sourceIp: '2001:db8::1' })],
      omitted: 0,
    })
    assert.equal(await bench.store.reports.talliedDay('2026-11-22', 'far.test'), undefined)
  })

  on('beyond the bound on rows only what is new is left out, and counted', async (bench) => {
    const { reports } = bench.store
    const say = (i: number): void =>
      reports.tally({
        day: 'd',
        policy: policy('far.test'),
        record: record({ headerFrom: `n${i}.far.test` }),
      })
    // Notes are left out where too many wait for the disk, so they are given in pieces.
    for (let i = 0; i < REPORT_ROWS_PER_DOMAIN; i += 100) {
      for (let j = i; j < i + 100; j++) say(j)
      await days(bench)
      const done = `n${i + 99}.far.test`
      await eventually(done, async () =>
        ((await reports.talliedDay('d', 'far.test'))?.records ?? []).some(
          ({ headerFrom }) => headerFrom === done,
        ),
      )
    }
    say(0)
    say(REPORT_ROWS_PER_DOMAIN)
    await eventually('left out', async () => (await reports.talliedDay('d', 'far.test'))?.omitted === 1)
    const day = await reports.talliedDay('d', 'far.test')
    assert.equal(day?.records.length, REPORT_ROWS_PER_DOMAIN)
    assert.equal(day?.records[0]?.count, 2)
  })

  on('a report closes its day in the commit that queues it; nothing opens the day again', async (bench) => {
    const { intake, queue, reports } = bench.store
    const say = (): void => reports.tally({ day: '2026-11-23', policy: policy('far.test'), record: record() })
    say()
    await eventually('it is there', async () => (await days(bench)).length === 1)
    const closed = {
      ...{
        day: '2026-11-23',
        policyDomain: 'far.test',
        reportId: 'r@example.test',
        atMs: Date.UTC(2026, 10, 24),
      },
      recipients: 1,
    }
    const message = await bench.message('Subject: Report\r\n\r\n', [], {
      queue: {
        sender: { reversePath: null, bodyType: '7BIT', smtputf8: false },
        skipBytes: 0,
        recipients: [{ address: parseAddress('d@far.test') as NonNullable<ReturnType<typeof parseAddress>> }],
        nextAttemptAtMs: 0,
      },
    })
    const stored = await intake.accept({ ...message, reported: closed })
    assert(stored.ok)
    assert.equal((await queue.list({ limit: 10 })).length, 1)
    say()
    say()
    assert.deepEqual((await reports.closeDay({ ...closed, reportId: 'again' })).ok, true)
    await bench.reopen()
    assert.deepEqual(await days(bench), [])
    assert.deepEqual(await bench.store.reports.sent({ sinceDay: '2026-01-01', limit: 10 }), [closed])
  })

  on('what was put off comes after what was not tried, the longest ago first', async (bench) => {
    const { reports } = bench.store
    for (const [day, domain] of [
      ['2026-11-22', 'dead.test'],
      ['2026-11-22', 'gone.test'],
      ['2026-11-23', 'far.test'],
    ] as const)
      reports.tally({ day, policy: policy(domain), record: record() })
    await eventually('all are there', async () => (await days(bench)).length === 3)
    const domains = async (): Promise<string[]> => (await days(bench)).map(({ policyDomain }) => policyDomain)
    assert.deepEqual(await domains(), ['dead.test', 'gone.test', 'far.test'])
    const putOff = { day: '2026-11-22', policyDomain: 'dead.test', atMs: 7 }
    assert((await reports.putOffDay(putOff)).ok)
    assert.deepEqual(await domains(), ['gone.test', 'far.test', 'dead.test'])
    assert((await reports.putOffDay({ ...putOff, policyDomain: 'gone.test', atMs: 8 })).ok)
    // Counting more changes nothing of that.
    reports.tally({ day: '2026-11-22', policy: policy('dead.test'), record: record() })
    await bench.reopen()
    assert.deepEqual(await domains(), ['far.test', 'dead.test', 'gone.test'])
    assert((await bench.store.reports.putOffDay({ ...putOff, policyDomain: 'dead.test', atMs: 9 })).ok)
    assert.deepEqual(await domains(), ['far.test', 'gone.test', 'dead.test'])
  })

  on('a refused report leaves its day open', async (bench) => {
    const { intake, reports } = bench.store
    reports.tally({ day: '2026-11-23', policy: policy('far.test'), record: record() })
    await eventually('it is there', async () => (await days(bench)).length === 1)
    const message = await bench.message('x', [
      { actor: { kind: 'system', what: 'test' }, owner: 99 as never },
    ])
    const reported = { day: '2026-11-23', policyDomain: 'far.test', reportId: 'r', atMs: 0, recipients: 1 }
    const stored = await intake.accept({ ...message, reported })
    assert.equal(stored.ok, false)
    assert.equal((await days(bench)).length, 1)
    assert.deepEqual(await reports.sent({ sinceDay: '', limit: 1 }), [])
  })

  on('reports of others: each once, by domain and time, in pages, old ones go', async (bench) => {
    const { reports } = bench.store
    const DAY = 24 * 3_600_000
    const make = (id: string, over: Partial<ReceivedReport> = {}): ReceivedReport => ({
      ...{ organization: 'Far', reportId: id, policyDomain: 'example.test', beginMs: 0, endMs: 1 },
      ...{ receivedAtMs: 1000 * DAY, traceId: bench.traceId(), p: 'none', records: [record()], omitted: 0 },
      ...over,
    })
    const add = async (report: ReceivedReport): Promise<boolean> => {
      const stored = await reports.addReceived(report)
      assert(stored.ok)
      return stored.value
    }
    assert.equal(await add(make('1')), true)
    assert.equal(await add(make('1')), false)
    assert.equal(await add(make('1', { organization: 'Farther' })), true)
    assert.equal(await add(make('2', { policyDomain: 'second.test' })), true)
    const ids = async (query: { domain?: string; sinceMs: number }): Promise<string[]> =>
      (await reports.received(query)).reports.map(
        ({ organization, reportId }) => `${organization} ${reportId}`,
      )
    assert.deepEqual(await ids({ sinceMs: 0 }), ['Far 2', 'Farther 1', 'Far 1'])
    assert.deepEqual(await ids({ sinceMs: 0, domain: 'second.test' }), ['Far 2'])
    assert.deepEqual(await ids({ sinceMs: 1001 * DAY }), [])
    const tls = {
      ...{ organization: 'Far', reportId: '1', policyDomain: 'example.test', policyType: 'sts', beginMs: 0 },
      ...{ endMs: 1, receivedAtMs: 1000 * DAY, traceId: bench.traceId(), successes: 5, failed: 1 },
      failures: [{ resultType: 'certificate-expired', count: 1 }],
    }
    assert.deepEqual(await reports.addReceivedTls(tls), { ok: true, value: true })
    assert.deepEqual((await reports.receivedTls({ sinceMs: 0 })).reports, [tls])
    for (let i = 0; i < 201; i++) await add(make(`n${i}`, { receivedAtMs: 1500 * DAY }))
    const page = await reports.received({ sinceMs: 0 })
    assert.equal(page.reports.length, 200)
    const rest = await reports.received({ sinceMs: 0, before: page.next })
    assert.deepEqual([rest.reports.map(({ reportId }) => reportId), rest.next], [['n0'], undefined])
  })
}
