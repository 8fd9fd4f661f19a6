// A clock that jumps by years, both ways, under the running server and between two starts.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { below, domain, type Server } from '../harness/hikyaku.ts'
import { needSlowNamespace } from '../harness/programs.ts'
import { makeScratch, type Scratch } from '../harness/scratch.ts'
import { until } from '../harness/until.ts'
import { addMe, faultedConfig, Imap, letter, mail, Smtp, startFaulted } from './faulted.ts'

/** Of Debian's libfaketime. */
const library = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1'

describe('a clock that jumps', { timeout: 300_000 }, () => {
  let scratch: Scratch
  let folder: string
  let set: (offset: string) => void
  let env: Readonly<Record<string, string>>
  const config = faultedConfig({
    // Nobody answers there: what is queued waits.
    dns: { servers: ['127.0.0.1:1'], timeout: '200 ms' },
    outbound: { retry_after: ['3 s', '8 s'], give_up_after: '5 d' },
    traces: { keep: '30 d' },
  })

  before(() => {
    needSlowNamespace()
    scratch = makeScratch('clock')
    folder = below(scratch.folder, 'server')
    const file = join(scratch.folder, 'time')
    set = (offset) => writeFileSync(file, `${offset}\n`)
    set('+0')
    env = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    }
  })

  after(() => scratch?.remove())

  const ca = (): string => readFileSync(join(folder, 'data/ca.pem'), 'utf8')

  async function attemptsOf(server: Server, to: string): Promise<number> {
    const traced = (await server.cli(['trace', '--to', to])).stdout.toString()
    return traced.split('\n').filter((line) => /DNS did not answer/.test(line)).length
  }

  async function uidValidity(name: string): Promise<number> {
    const imap = await Imap.open()
    assert.match((await imap.say(`CREATE ${name}`)).last, /^OK/)
    const { lines } = await imap.say(`STATUS ${name} (UIDVALIDITY)`)
    imap.close()
    return Number(/UIDVALIDITY (\d+)/.exec(lines.join(' '))?.[1])
  }

  test('attack 29f: ten years ahead and back, while running and between starts: mail, queue, traces, CA and UIDVALIDITY are as they should be', async (t) => {
    let server = await startFaulted(t, { folder, env, config })
    await addMe(server)
    const imap = await Imap.open()
    const firstCa = ca()
    assert.match(await mail(letter('now')), /^250 /)
    const smtp = await Smtp.open('submission')
    assert.match(await smtp.submit('someone@waits.test'), /^250 /)
    smtp.close()
    await until('a first attempt', async () => (await attemptsOf(server, 'someone@waits.test')) > 0)
    const validities = [await uidValidity('first')]

    set('+10y')
    assert.match(await mail(letter('ahead')), /^250 /)
    assert.deepEqual(await imap.subjects(), ['now', 'ahead'], 'the session goes on')
    const dates = (await imap.say('FETCH 1:* INTERNALDATE')).lines.join(' ')
    assert.match(dates, /20(?:3[6-9]|4\d)/, 'a message of then has the date of then')
    validities.push(await uidValidity('ahead'))
    assert.equal((await server.cli(['reload'])).code, 0, 'old traces are looked for at a reload')
    assert.match((await server.cli(['trace', '--to', `me@${domain}`])).stdout.toString(), /someone@far\.test/)
    const sent = await attemptsOf(server, 'someone@waits.test')
    await until('an attempt ahead', async () => (await attemptsOf(server, 'someone@waits.test')) > sent)

    set('+0')
    assert.match(await mail(letter('back')), /^250 /)
    const before = await attemptsOf(server, 'someone@waits.test')
    await until('an attempt after the clock is back', async () => {
      return (await attemptsOf(server, 'someone@waits.test')) > before
    })
    validities.push(await uidValidity('back'))
    await server.cli(['reload'])
    const traced = (await server.cli(['trace', '--from', 'someone@far.test'])).stdout.toString()
    assert.equal(traced.split('accepted').length - 1, 3, traced)
    assert.ok((await attemptsOf(server, 'someone@waits.test')) < 10, 'no storm')
    imap.close()
    await server.stop()

    set('+10y')
    server = await startFaulted(t, { folder, env, config })
    assert.match(await mail(letter('started ahead')), /^250 /)
    await server.stop()
    set('+0')
    server = await startFaulted(t, { folder, env, config })
    assert.equal(ca(), firstCa, 'devices trust what they trusted')
    validities.push(await uidValidity('last'))
    assert.deepEqual(
      [...validities].sort((a, b) => a - b),
      validities,
    )
    assert.equal(new Set(validities).size, validities.length)
    assert.ok(validities.every((one) => one <= 0xffff_ffff))
    const again = await Imap.open()
    assert.deepEqual(await again.subjects(), ['now', 'ahead', 'back', 'started ahead'])
    again.close()
    const checked = await server.cli(['check'])
    assert.equal(checked.code, 0, checked.stdout.toString() + checked.stderr)
    await server.stop()
  })
})
