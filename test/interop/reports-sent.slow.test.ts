// Reports from one server of ours to another: counted, sent by the real duty at the end of its day, delivered, read.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { type Letter, sendLetter } from '../chain/session.ts'
import { openImapFlow } from '../harness/clients/imapflow.ts'
import { addAccount, below, configText, ports, type Server, startServer } from '../harness/hikyaku.ts'
import { needPrograms, needSlowNamespace } from '../harness/programs.ts'
import { addAddress, type Resolution, startResolution } from '../harness/resolution.ts'
import { runWell, describe as told } from '../harness/run.ts'
import { makeScratch, type Scratch } from '../harness/scratch.ts'
import { until } from '../harness/until.ts'

const SCHEMA = join(import.meta.dirname, '../reports/dmarc-xml-0.2.xsd')
/** Of Debian's libfaketime. */
const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1'
/** The server that reports, and the one of the domain that asked for reports. */
const REPORTER = '198.51.100.25'
const OWNER = '203.0.113.25'
const FORGER = '203.0.113.66'
const LIST = '203.0.113.40'
const FRIEND = '203.0.113.41'
const DAY_MS = 24 * 3_600_000
const password = 'Kq7-tenbin-wakusei-41'
const mx = { reporter: 2525, owner: 2526 } as const

const ZONE = `@ 60 IN SOA ns.test. hostmaster.test. 1 60 60 60 60
@ 60 IN NS ns.test.
ns 60 IN A 203.0.113.53
mail.reporter 60 IN A ${REPORTER}
mail.owner 60 IN A ${OWNER}
reporter 60 IN MX 10 mail.reporter.test.
reporter 60 IN TXT "v=spf1 ip4:${REPORTER} -all"
_dmarc.reporter 60 IN TXT "v=DMARC1; p=none; rua=mailto:dmarc@owner.test"
owner 60 IN MX 10 mail.owner.test.
owner 60 IN TXT "v=spf1 ip4:${OWNER} -all"
_dmarc.owner 60 IN TXT "v=DMARC1; p=reject; rua=mailto:dmarc@owner.test,mailto:dmarc@agrees.test,mailto:dmarc@silent.test"
; Both are served by the owner's host, which would take a report to either.
agrees 60 IN MX 10 mail.owner.test.
silent 60 IN MX 10 mail.owner.test.
owner.test._report._dmarc.agrees 60 IN TXT "v=DMARC1"
; Its reports may go nowhere.
lonely 60 IN MX 10 mail.owner.test.
lonely 60 IN TXT "v=spf1 ip4:${OWNER} -all"
_dmarc.lonely 60 IN TXT "v=DMARC1; p=none; rua=mailto:dmarc@silent.test"
list 60 IN MX 10 mail.owner.test.
list 60 IN TXT "v=spf1 ip4:${LIST} -all"
friend 60 IN MX 10 mail.owner.test.
friend 60 IN TXT "v=spf1 ip4:${FRIEND} -all"
`

describe('reports of one server to another', { timeout: 300_000 }, () => {
  const world: { scratch?: Scratch; resolution?: Resolution; reporter?: Server; owner?: Server } = {}
  let setClock: (offset: string) => void
  const day = new Date(Date.now() - DAY_MS).toISOString().slice(0, 10)

  before(async () => {
    needSlowNamespace()
    needPrograms('xmllint', 'dmarc-cat', 'ip')
    world.scratch = makeScratch('reports-sent')
    const { folder } = world.scratch
    for (const address of [REPORTER, OWNER]) await addAddress(address)
    // What goes from here to the owner's host comes from the reporter's address.
    await runWell('ip', `route replace local ${OWNER} dev lo src ${REPORTER} table local`.split(' '))
    const options = { folder, origin: 'test.', authority: '203.0.113.53', zone: ZONE }
    world.resolution = await startResolution(options)
    const clock = join(folder, 'clock')
    setClock = (offset) => writeFileSync(clock, `${offset}\n`)
    setClock('-1d')
    world.reporter = await startReporter(clock)
    world.owner = await startOwner()
    await addAccount(world.reporter, 'me@reporter.test', password)
    for (const name of ['owner', 'agrees', 'silent'])
      await addAccount(world.owner, `dmarc@${name}.test`, password)
  })

  after(async () => {
    await world.reporter?.stop()
    await world.owner?.stop()
    await world.resolution?.stop()
    world.scratch?.remove()
  })

  const usual = (own: string, host: string, at: number) => ({
    ...{ server: { hostname: `mail.${own}.test` }, smtp: { greeting_delay: '0 ms' } },
    dns: { servers: [world.resolution?.server ?? ''] },
    listen: {
      ...{ mx: [`127.0.0.1:${at}`, `${host}:25`], proxy_from: ['127.0.0.1/32'] },
      ...{ submission: [], submissions: [], imap: [], imaps: [] },
    },
  })

  function startReporter(clock: string): Promise<Server> {
    return startServer({
      folder: below(world.scratch?.folder ?? '', 'reporter'),
      config: configText({
        ...usual('reporter', REPORTER, mx.reporter),
        domains: { names: ['reporter.test'] },
        outbound: { retry_after: ['2 s'] },
      }),
      waitFor: [mx.reporter],
      // Read anew at each question, the file gives threads that ask at once a wrong time now and then.
      env: { LD_PRELOAD: LIBRARY, FAKETIME_TIMESTAMP_FILE: clock, FAKETIME_CACHE_DURATION: '1' },
    })
  }

  function startOwner(): Promise<Server> {
    const { listen, ...others } = usual('owner', OWNER, mx.owner)
    return startServer({
      folder: below(world.scratch?.folder ?? '', 'owner'),
      config: configText({
        ...others,
        domains: { names: ['owner.test', 'agrees.test', 'silent.test', 'lonely.test'] },
        listen: { ...listen, imaps: [`[::1]:${ports.imaps}`] },
        tls: { names: ['::1'] },
      }),
      waitFor: [mx.owner],
    })
  }

  async function said(server: Server | undefined, ...words: string[]): Promise<string> {
    assert.ok(server)
    const ran = await server.cli(words)
    assert.equal(ran.code, 0, told(ran))
    return ran.stdout.toString()
  }

  /** By PROXY. @returns the reply, and the trace's id where there is one. */
  async function send(
    to: keyof typeof mx,
    letter: Partial<Letter> & { client: string; from: string; extra?: string },
  ) {
    const { client, from, extra = '' } = letter
    const mail = letter.mail ?? `<${from}>`
    const message =
      letter.message ??
      `From: ${from}\nTo: me@reporter.test\nSubject: hello\nDate: Mon, 23 Nov 2026 12:00:00 +0000\nMessage-ID: <${Math.random()}@owner.test>\n${extra}\nhello\n`
    const recipients = letter.recipients ?? ['<me@reporter.test>']
    const sent = await sendLetter(
      { by: 'proxy', client, port: mx[to] },
      { client, helo: 'mail.owner.test', mail, recipients, message },
    )
    assert.notEqual(sent.reply, '', `${sent.transcript}\n${world[to]?.log()}`)
    return sent.reply
  }

  /** Every message of one account. */
  async function mailOf(user: string): Promise<string[]> {
    assert.ok(world.owner)
    const login = {
      host: '::1',
      port: ports.imaps,
      tls: 'implicit',
      caFile: world.owner.caFile,
    } as const
    const imap = await openImapFlow({ ...login, user, password })
    try {
      const lock = await imap.getMailboxLock('INBOX')
      const found: string[] = []
      for await (const { source } of imap.fetch('1:*', { source: true }))
        found.push(source?.toString('latin1') ?? '')
      lock.release()
      return found
    } finally {
      await imap.logout()
    }
  }

  async function reportMails(user: string): Promise<string[]> {
    return (await mailOf(user)).filter((mail) => /^Subject: Report[ _]Domain/im.test(mail))
  }

  test('each verdict is answered as it should be, and counted', async () => {
    await said(world.reporter, 'trust', 'add', '--spf', 'friend.test')
    for (let i = 0; i < 2; i++)
      assert.match(await send('reporter', { client: OWNER, from: 'a@owner.test' }), /^250/)
    for (let i = 0; i < 3; i++)
      assert.match(await send('reporter', { client: FORGER, from: 'a@owner.test' }), /^550-5\.7\.26/)
    const listed = { from: 'a@owner.test', extra: 'List-Id: <l.list.test>\n' }
    assert.match(await send('reporter', { ...listed, client: LIST, mail: '<l@list.test>' }), /^250/)
    assert.match(await said(world.reporter, 'quarantine', 'list'), /1 message,/)
    assert.match(await send('reporter', { ...listed, client: FRIEND, mail: '<l@friend.test>' }), /^250/)
    assert.match(await said(world.reporter, 'quarantine', 'list'), /1 message,/)
    assert.match(await send('reporter', { client: OWNER, from: 'a@lonely.test' }), /^250/)
    // Its own domain, from outside: passed by SPF, asks for reports, is never reported.
    assert.match(await send('reporter', { client: REPORTER, from: 'a@reporter.test' }), /^250/)
  })

  test('the day is over: the report is queued once, survives a kill, and comes once', async () => {
    const { owner, reporter } = world
    assert.ok(owner && reporter)
    assert.equal(await owner.stop(), 0)
    // An hour and a day later all that was due by any clock is due; each question wakes the server.
    setClock('+1h')
    const queued = await until(
      'the report in the queue',
      async () => {
        const list = await said(reporter, 'queue', 'list')
        return list.includes('dmarc@owner.test') && list
      },
      60_000,
    )
    assert.match(queued, /dmarc@agrees\.test/)
    assert.doesNotMatch(queued, /silent\.test|lonely\.test/)
    reporter.process.kill('SIGKILL')
    await reporter.ended
    world.owner = await startOwner()
    world.reporter = await startReporter(join(world.scratch?.folder ?? '', 'clock'))
    await until('the report', async () => (await reportMails('dmarc@owner.test')).length > 0, 60_000)
    // Another of its hours: the day is closed.
    setClock('+3h')
    await until(
      'an empty queue',
      async () => !(await said(world.reporter, 'queue', 'list')).includes('@'),
      30_000,
    )
    assert.equal((await reportMails('dmarc@owner.test')).length, 1)
    assert.equal((await reportMails('dmarc@agrees.test')).length, 1)
    assert.deepEqual(await reportMails('dmarc@silent.test'), [])
    assert.match(await said(world.reporter, 'dmarc', 'report'), /sent 1 report about mail of 1 other domain /)
  })

  test('it is valid, dmarc-cat reads it, and its owner is told the right counts', async () => {
    const [mail = ''] = await reportMails('dmarc@owner.test')
    assert.match(mail, /^Authentication-Results: mail\.owner\.test;(?:.|\r\n[ \t])*dmarc=pass/m)
    const packed = Buffer.from(mail.split('base64\r\n\r\n')[1]?.split('\r\n--')[0] ?? '', 'base64')
    const begin = Date.parse(`${day}T00:00:00Z`) / 1000
    const file = join(
      world.scratch?.folder ?? '',
      `reporter.test!owner.test!${begin}!${begin + 86_399}.xml.gz`,
    )
    assert.ok(
      mail.replaceAll(/\r\n[ \t]/g, '').includes(`reporter.test!owner.test!${begin}!${begin + 86_399}`),
      mail,
    )
    writeFileSync(file, packed)
    const xml = file.replace(/\.gz$/, '')
    writeFileSync(xml, gunzipSync(packed))
    await runWell('xmllint', ['--noout', '--schema', SCHEMA, xml])
    const printed = String((await runWell('dmarc-cat', ['-N', '-j', '1', file])).stdout)
    for (const [ip, count] of [
      [OWNER, 2],
      [FORGER, 3],
      [LIST, 1],
      [FRIEND, 1],
    ])
      assert.match(printed, new RegExp(`^${String(ip).replaceAll('.', '\\.')}\\s+${count}\\s`, 'm'))
    const text = gunzipSync(packed).toString()
    assert.deepEqual(
      text
        .split('<record>')
        .slice(1)
        .map((record) =>
          ['source_ip', 'disposition', 'type'].map((name) => new RegExp(`<${name}>(.*?)<`).exec(record)?.[1]),
        )
        .toSorted(),
      [
        [OWNER, 'pass', undefined],
        [LIST, 'quarantine', 'mailing_list'],
        [FRIEND, 'none', 'trusted_forwarder'],
        [FORGER, 'reject', undefined],
      ].toSorted(),
    )
    const lines = await until('the summary', async () => {
      const summary = await said(world.owner, 'dmarc', 'report')
      return summary.includes('1 report of 1 receiver') && summary
    })
    assert.match(lines, /tells of 7 messages in your name, from 4 addresses/)
    assert.match(lines, /2 of them passed DMARC \(28 %\), 5 did not/)
    assert.match(lines, new RegExp(`${day} {2}#+\\.+ 2 passed, 5 failed`))
    assert.match(
      lines,
      new RegExp(`Mail of ${FORGER.replaceAll('.', '\\.')} \\(3 messages\\) as owner\\.test passed nothing`),
    )
    assert.match(
      lines,
      new RegExp(`Mail of ${LIST.replaceAll('.', '\\.')} \\(1 message\\) came through a mailing list`),
    )
    const svg = join(world.scratch?.folder ?? '', 'plot.svg')
    writeFileSync(svg, await said(world.owner, 'dmarc', 'report', '--svg'))
    await runWell('xmllint', ['--noout', svg])
    // Nobody reports on reports.
    assert.match(lines, /sent 0 reports about mail of 0 other domains/)
  })

  /** A mail with an attachment, as a reporter would send it. */
  const carrying = (
    from: string,
    packed: Uint8Array,
    type = 'application/gzip',
    name = 'reporter.test!owner.test!1!2.xml.gz',
  ) =>
    `From: ${from}\nTo: dmarc@owner.test\nSubject: Report Domain: owner.test Submitter: reporter.test Report-ID: <x>\nDate: Mon, 23 Nov 2026 12:00:00 +0000\nMessage-ID: <${Math.random()}@x.test>\nMIME-Version: 1.0\nContent-Type: ${type}; name="${name}"\nContent-Disposition: attachment; filename="${name}"\nContent-Transfer-Encoding: base64\n\n${Buffer.from(packed).toString('base64').replace(/.{76}/g, '$&\n')}\n`

  async function receive(client: string, from: string, message: string): Promise<string> {
    const reply = await send('owner', { client, from, message, recipients: ['<dmarc@owner.test>'] })
    assert.match(reply, /^250/)
    const [id = ''] = /[0-9a-z]{20,}/.exec(reply) ?? []
    return until('the note in the trace', async () => {
      const trace = await said(world.owner, 'trace', id)
      return /report/.test(trace) && trace
    })
  }

  const summaryNow = () => said(world.owner, 'dmarc', 'report')

  test('the same report again is known, a forged one is not read, a bomb is delivered and noted', async () => {
    const before = await summaryNow()
    const [mail = ''] = await reportMails('dmarc@owner.test')
    const again = mail.slice(mail.indexOf('\r\nFrom: ') + 2).replaceAll('\r\n', '\n')
    const from = 'dmarc-reports@reporter.test'
    assert.match(await receive(REPORTER, from, again), /known/)
    const packed = Buffer.from(mail.split('base64\r\n\r\n')[1]?.split('\r\n--')[0] ?? '', 'base64')
    const other = gzipSync(
      gunzipSync(packed)
        .toString()
        .replace(/<report_id>/, '<report_id>other-')
        .replaceAll('<count>', '<count>9'),
    )
    assert.match(await receive(FORGER, from, carrying(from, other)), /not authenticated/)
    assert.match(
      await receive(REPORTER, from, carrying(from, gzipSync(Buffer.alloc(100 * 1024 * 1024)))),
      /bomb/,
    )
    const deep = gzipSync(`<feedback>${'<a>'.repeat(100_000)}`)
    assert.match(await receive(REPORTER, from, carrying(from, deep)), /broken/)
    const entities = gzipSync(
      '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]><feedback>&b;</feedback>',
    )
    assert.match(await receive(REPORTER, from, carrying(from, entities)), /broken/)
    assert.equal(await summaryNow(), before)
    assert.equal((await mailOf('dmarc@owner.test')).length, 6)
    // It is all read after all that: the thread is not stuck.
    assert.match(await receive(REPORTER, from, carrying(from, other)), /owner\.test/)
    assert.match(await summaryNow(), /2 reports of 1 receiver /)
  })

  test('a TLS report is told of', async () => {
    const from = 'tls@reporter.test'
    const failure = {
      'result-type': 'certificate-expired',
      'failed-session-count': 2,
      'receiving-mx-hostname': 'mail.owner.test',
    }
    const report = {
      'organization-name': 'Reporter',
      'contact-info': from,
      'report-id': 'one',
      'date-range': { 'start-datetime': `${day}T00:00:00Z`, 'end-datetime': `${day}T23:59:59Z` },
      policies: [
        {
          policy: { 'policy-type': 'no-policy-found', 'policy-domain': 'owner.test' },
          summary: { 'total-successful-session-count': 40, 'total-failure-session-count': 2 },
          'failure-details': [failure],
        },
      ],
    }
    const message = carrying(
      from,
      gzipSync(JSON.stringify(report)),
      'application/tlsrpt+gzip',
      'reporter.test!owner.test!1!2!one.json.gz',
    )
    await receive(REPORTER, from, message)
    const lines = await until('the summary', async () => {
      const summary = await summaryNow()
      return summary.includes('TLS:') && summary
    })
    assert.match(
      lines,
      /TLS: 1 report tells of 40 connections that were safe and 2 that failed\.\n {2}2 times certificate-expired at mail\.owner\.test/,
    )
    assert.match(await receive(FORGER, from, message), /not authenticated/)
    assert.equal(await summaryNow(), lines)
  })
})
