import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { parseAddress } from '../../mail/address.ts'
import type { Evidence } from '../../mail/authentication.ts'
import { makeTraceId, type TraceId } from '../../mail/ids.ts'
import { composeAggregate } from '../../mailauth/reports/aggregate.ts'
import { parseAggregate } from '../../mailauth/reports/parse-aggregate.ts'
import { readReports } from '../../mailauth/reports/read-message.ts'
import { aRecord, aReport } from '../../mailauth/reports/reports.test-kit.ts'
import { ReportDuty } from '../../pipeline/reports/duty.ts'
import { ReportReceiver } from '../../pipeline/reports/receiver.ts'
import { DayTally } from '../../pipeline/reports/tally.ts'
import type { JudgedMessage } from '../../ports/reports.ts'
import type { Answer } from '../../ports/resolver.ts'
import { startHouse } from '../house.test-kit.ts'
import { reportSettings } from './report-service.ts'
import { ThreadedReports } from './threaded-reports.ts'

const house = await startHouse({})
const { config, house: inner } = house.server
const { ports } = inner
const { reports, intake, queue, directory, clock, random, log } = ports
const worker = new ThreadedReports({ clock })
after(async () => {
  await worker.close()
  await house.stop()
})

const NOON = Date.UTC(2026, 10, 23, 12)
const NEXT = Date.UTC(2026, 10, 24, 1)
const isOurDomain = (domain: string): boolean => directory.isOurDomain(domain)

function evidenceOf(domain: string, rua: readonly string[], over: Partial<Evidence['dmarc']> = {}): Evidence {
  return {
    spf: { result: 'softfail', domain: `mx.${domain}`, identity: 'mailfrom' },
    dkim: [
      { result: 'fail', domain: 'other.test', selector: 'x', signs: [] },
      { result: 'pass', domain, selector: 's1', signs: ['from'] },
    ],
    arc: { result: 'none', sealers: [] },
    dmarc: {
      ...{ result: 'pass', domain, policyDomain: domain, organizationalDomain: domain, policy: 'reject' },
      published: { p: 'reject', adkim: 'r', aspf: 'r', t: false, rua },
      aligned: { dkim: domain },
      ...over,
    },
    ...{ dns: [], limits: [] },
  }
}
const judged = (evidence: Evidence, over: Partial<JudgedMessage> = {}): JudgedMessage => ({
  ...{
    evidence,
    disposition: 'pass',
    reasons: [],
    client: '192.0.2.1',
    reversePathDomain: '',
    atMs: NOON,
    ...over,
  },
})
const tally = new DayTally({ reports, isOurDomain, isOn: () => true })
const openDomains = async (): Promise<string[]> =>
  (await reports.openDays({ beforeDay: '9999-12-31', limit: 1000 })).map(({ policyDomain }) => policyDomain)

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (await isSo()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.fail(`never: ${what}`)
}

const asked: string[] = []
function dutyWith(answers: Readonly<Record<string, Answer<string>>>): ReportDuty {
  return new ReportDuty({
    ...{ reports, intake, worker, clock, random, log, isOurDomain },
    settings: () => reportSettings(config),
    resolver: {
      txt: async (name) => {
        asked.push(name)
        return answers[name] ?? { kind: 'no-name' }
      },
    },
  })
}
const found = (...records: readonly string[]): Answer<string> => ({
  ...{ kind: 'found', records, ttlSeconds: 1, authenticated: false },
})
const queuedTo = async (domain: string) =>
  (await queue.list({ limit: 100 })).filter(({ recipients }) =>
    recipients.some(({ address }) => address.domain === domain),
  )
const readQueued = async (
  id: typeof queue extends { get(id: infer T): unknown } ? T : never,
): Promise<Buffer> => {
  const pieces: Uint8Array[] = []
  for await (const piece of queue.read(id)) pieces.push(piece)
  return Buffer.concat(pieces)
}

test('a day is counted, reported once to who asks, and closed', async () => {
  const evidence = evidenceOf('asks.test', ['mailto:d@asks.test!10m', 'https://x', 'mailto:us@example.test'])
  tally.note(judged(evidence))
  tally.note(judged(evidence))
  await until(
    'counted',
    async () => (await reports.talliedDay('2026-11-23', 'asks.test'))?.records[0]?.count === 2,
  )
  const duty = dutyWith({})
  assert.deepEqual(await duty.runOnce(Date.UTC(2026, 10, 24, 0, 5)), { sent: 0, closed: 0, later: 0 })
  assert.deepEqual(await duty.runOnce(NEXT), { sent: 1, closed: 0, later: 0 })
  assert.deepEqual(await duty.runOnce(NEXT), { sent: 0, closed: 0, later: 0 })
  const [item, second] = await queuedTo('asks.test')
  assert(item !== undefined && second === undefined)
  assert.deepEqual(
    item.recipients.map(({ address, notify }) => [address.local, notify]),
    [['d', 'NEVER']],
  )
  assert.equal(item.sender.reversePath?.domain, 'example.test')
  const octets = await readQueued(item.id as never)
  const head = octets.toString('latin1').split('\r\n\r\n')[0] ?? ''
  const unfolded = head.replace(/\r\n(?=[ \t])/g, '')
  assert.match(
    unfolded,
    /^Subject: Report Domain: asks\.test Submitter: example\.test Report-ID: <2026-11-23_asks\.test@example\.test>$/m,
  )
  assert.doesNotMatch(head, /DKIM-Signature|Return-Path/i)
  const [read] = readReports(octets)
  assert(read?.kind === 'dmarc')
  const { policy, records } = read.parsed.report
  assert.deepEqual([policy.sp, policy.np, policy.discovery], ['reject', 'reject', 'treewalk'])
  assert.deepEqual(records, [
    {
      ...{
        sourceIp: '192.0.2.1',
        count: 2,
        disposition: 'pass',
        dkimAligned: true,
        spfAligned: false,
        reasons: [],
      },
      ...{ headerFrom: 'asks.test', envelopeFrom: '' },
      dkim: [
        { domain: 'asks.test', selector: 's1', result: 'pass' },
        { domain: 'other.test', selector: 'x', result: 'fail' },
      ],
      spf: { domain: 'mx.asks.test', result: 'softfail' },
    },
  ])
})

test('nothing is counted of our own domains, of who did not ask, and of reports to us', async () => {
  tally.note(judged(evidenceOf('example.test', ['mailto:d@example.test'])))
  tally.note(judged(evidenceOf('silent.test', [])))
  tally.note(
    judged(evidenceOf('none.test', ['mailto:d@none.test'], { result: 'none', published: undefined })),
  )
  tally.note(judged(evidenceOf('reporter.test', ['mailto:d@reporter.test']), { isReport: true }))
  // A forgery stays counted, whatever it calls itself.
  const forged = evidenceOf('forged.test', ['mailto:d@forged.test'], { result: 'fail', aligned: {} })
  tally.note(judged(forged, { isReport: true, disposition: 'reject' }))
  await until('counted', async () => (await openDomains()).includes('forged.test'))
  assert.deepEqual(await openDomains(), ['forged.test'])
  assert.equal((await dutyWith({}).runOnce(NEXT)).sent, 1)
})

test('destinations elsewhere must agree (rfc9990 §4); a failing DNS puts the report off', async () => {
  const rua = ['mailto:d@victim.test', 'mailto:d@agrees.test', 'mailto:d@moves.test', 'mailto:d@diverts.test']
  tally.note(judged(evidenceOf('far.test', rua)))
  await until('counted', async () => (await openDomains()).includes('far.test'))
  const name = (host: string): string => `far.test._report._dmarc.${host}`
  const answers = {
    [name('victim.test')]: found('v=spf1 -all', 'v=DMARC2', 'x v=DMARC1'),
    [name('agrees.test')]: found('v=DMARC1;'),
    [name('moves.test')]: found('v=DMARC1; rua=mailto:other@moves.test'),
    [name('diverts.test')]: found('v=DMARC1; rua=mailto:x@victim.test'),
  }
  const down = { ...answers, [name('agrees.test')]: { kind: 'temporary' as const, cause: 'SERVFAIL' } }
  assert.deepEqual(await dutyWith(down).runOnce(NEXT), { sent: 0, closed: 0, later: 1 })
  assert.deepEqual(await dutyWith(answers).runOnce(NEXT), { sent: 1, closed: 0, later: 0 })
  const [item] = await queuedTo('agrees.test')
  assert.deepEqual(
    item?.recipients.map(({ address }) => `${address.local}@${address.domain}`),
    ['d@agrees.test', 'other@moves.test'],
  )
  assert.deepEqual(await queuedTo('victim.test'), [])
})

test('a server that was down reports some days back, and closes what is older', async () => {
  const DAY = 24 * 3_600_000
  for (const days of [3, 30])
    tally.note(judged(evidenceOf(`d${days}.test`, [`mailto:d@d${days}.test`]), { atMs: NEXT - days * DAY }))
  await until('counted', async () => (await openDomains()).length === 2)
  assert.deepEqual(await dutyWith({}).runOnce(NEXT), { sent: 1, closed: 1, later: 0 })
})

/** Of domains whose destinations lie elsewhere, so that the DNS is asked. */
async function tallyElsewhere(names: readonly string[], atMs: number): Promise<void> {
  for (const name of names) {
    tally.note(judged(evidenceOf(name, ['mailto:d@elsewhere.test']), { atMs }))
    await until('counted', async () => (await openDomains()).includes(name))
  }
}

test('the DNS is asked for some reports at once, and no more than some', async () => {
  await tallyElsewhere(
    Array.from({ length: 16 }, (_, i) => `slow${i}.test`),
    NOON,
  )
  const waiting: (() => void)[] = []
  let most = 0
  const duty = new ReportDuty({
    ...{ reports, intake, worker, clock, random, log, isOurDomain },
    settings: () => reportSettings(config),
    resolver: {
      txt: async () => {
        await new Promise<void>((resolve) => {
          waiting.push(resolve)
          most = Math.max(most, waiting.length)
          const answerAll = (): void => waiting.splice(0).forEach((answer) => void answer())
          // All answer when as many wait as may; the time is for where fewer ever do.
          if (waiting.length === 8) answerAll()
          else setTimeout(answerAll, 5000).unref()
        })
        return found('v=DMARC1;')
      },
    },
  })
  assert.deepEqual(await duty.runOnce(NEXT), { sent: 16, closed: 0, later: 0 })
  assert.equal(most, 8)
})

test('domains with a dead DNS hold up no others: a run ends, and the next begins with what was not tried', async () => {
  const dead = Array.from({ length: 30 }, (_, i) => `dead${i}.test`)
  await tallyElsewhere(dead, NOON - 24 * 3_600_000)
  await tallyElsewhere(['zz-alive.test'], NOON)
  let nowMs = 0
  const duty = new ReportDuty({
    ...{ reports, intake, worker, random, log, isOurDomain },
    clock: { ...clock, now: () => clock.now(), monotonic: () => nowMs },
    settings: () => reportSettings(config),
    resolver: {
      txt: async (name) => {
        if (name.startsWith('zz-alive.')) return found('v=DMARC1;')
        nowMs += 5 * 60_000
        return { kind: 'temporary', cause: 'no answer in 20 s' }
      },
    },
  })
  const runs = []
  for (let i = 0; i < 6; i++) runs.push(await duty.runOnce(NEXT + i * 3_600_000))
  assert(
    runs.every(({ later }) => later < 20),
    JSON.stringify(runs),
  )
  assert.equal(
    runs.reduce((total, { sent }) => total + sent, 0),
    1,
  )
  assert.equal((await openDomains()).includes('zz-alive.test'), false)
  // Left for the end: too old to report by then.
  assert.equal((await dutyWith({}).runOnce(NEXT + 30 * 24 * 3_600_000)).closed, 30)
})

function mailWith(
  octets: Uint8Array,
  type = 'application/gzip',
  file = 'far.test!example.test!1795392000!1795478399.xml.gz',
): Buffer {
  return Buffer.from(
    `From: r@far.test\r\nSubject: Report Domain: example.test Submitter: far.test\r\nContent-Type: ${type}; name="${file}"\r\n` +
      `Content-Transfer-Encoding: base64\r\n\r\n${Buffer.from(octets).toString('base64')}\r\n`,
  )
}

async function receive(mail: Buffer, evidence: Evidence = evidenceOf('far.test', [])): Promise<TraceId> {
  const receiver = new ReportReceiver({
    ...{ reports, intake, worker, clock, log, isOurDomain, isOn: () => true },
  })
  const traceId = makeTraceId(clock.now(), random.bytes(10))
  const settle = await receiver.prepare({
    ...{ traceId, evidence, header: mail.subarray(0, mail.indexOf('\r\n\r\n') + 4) },
    content: {
      sizeBytes: mail.length,
      pieces: async function* () {
        yield mail
      },
    },
  })
  settle?.(true)
  await receiver.idle()
  return traceId
}
const noted = async (id: TraceId): Promise<string> => {
  let text = ''
  await until('noted', async () => {
    const [trace] = await ports.traces.find({ id, limit: 1 })
    text = JSON.stringify(trace?.events ?? '')
    return trace !== undefined
  })
  return text
}
const OURS = aReport({
  policy: { domain: 'example.test', p: 'none' },
  records: [aRecord({ headerFrom: 'www.example.test' }), aRecord({ headerFrom: 'stranger.test' })],
})

test('a report that comes in is kept once, only what is about us, and told by the command', async () => {
  const packed = gzipSync(composeAggregate(OURS))
  assert.match(await noted(await receive(mailWith(packed))), /"result":"read"/)
  assert.match(await noted(await receive(mailWith(packed))), /"result":"known"/)
  const { reports: kept } = await reports.received({ sinceMs: 0 })
  assert.equal(kept.length, 1)
  assert.deepEqual(
    kept[0]?.records.map(({ headerFrom }) => headerFrom),
    ['www.example.test'],
  )
  const told = await house.server.run('dmarc.report', { days: '400' })
  assert(told.ok)
  assert.match(told.lines.join('\n'), /1 report of 1 receiver tells of 3 messages/)
  const svg = await house.server.run('dmarc.report', { days: '400', svg: true })
  assert.match(svg.ok ? svg.lines.join('\n') : '', /^<\?xml.*<\/svg>$/s)
  assert.equal((await house.server.run('dmarc.report', { days: 'x' })).ok, false)
})

test('broken, hostile, unauthenticated and foreign reports are noted, and nothing is kept', async () => {
  const before = (await reports.received({ sinceMs: 0 })).reports.length
  const bomb = gzipSync(Buffer.alloc(40 * 1024 * 1024))
  assert.match(await noted(await receive(mailWith(bomb))), /"result":"broken".*bomb/)
  assert.match(await noted(await receive(mailWith(Buffer.from('no report')))), /"result":"broken"/)
  const foreign = aReport({ policy: { domain: 'x.test' }, records: [aRecord({ headerFrom: 'x.test' })] })
  assert.match(await noted(await receive(mailWith(gzipSync(composeAggregate(foreign))))), /not-ours/)
  const forged = evidenceOf('far.test', [], { result: 'fail', aligned: {} })
  const good = mailWith(gzipSync(composeAggregate(aReport({ ...OURS, reportId: 'other' }))))
  assert.match(await noted(await receive(good, forged)), /not authenticated/)
  assert.equal((await reports.received({ sinceMs: 0 })).reports.length, before)
  assert.ok(parseAggregate(Buffer.from(composeAggregate(OURS))).ok)
})

test('a thread that hangs is given up; the next report gets another', async () => {
  const script = new URL('data:text/javascript,for(;;){}')
  const stuck = new ThreadedReports({ clock, script, taskMs: 200 })
  await assert.rejects(stuck.read(Buffer.from('x')), /more than 200 ms/)
  await stuck.close()
  assert.deepEqual(await worker.read(Buffer.from('Subject: x\r\n\r\n')), [])
  assert.ok(parseAddress('a@b.test'))
})
