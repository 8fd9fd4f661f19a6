// What stands around the server and fails: its log, its control socket, its certificate, a second server.

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'node:tls'
import { below, launchServer, ports } from '../harness/hikyaku.ts'
import { needSlowNamespace } from '../harness/programs.ts'
import { run, runWell } from '../harness/run.ts'
import { makeScratch, type Scratch } from '../harness/scratch.ts'
import { until } from '../harness/until.ts'
import { addMe, faultedConfig, faultedPorts, letter, mail, startFaulted } from './faulted.ts'

const faketime = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1'

/** When the certificate of the IMAPS port ends. */
function certificateEnd(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const socket = connect({ port: ports.imaps, host: '127.0.0.1', rejectUnauthorized: false }, () => {
    resolve(Date.parse(socket.getPeerCertificate().valid_to))
    socket.destroy()
  })
  socket.once('error', reject)
  return promise
}

describe('what stands around the server', { timeout: 300_000 }, () => {
  let scratch: Scratch

  before(() => {
    needSlowNamespace()
    scratch = makeScratch('surroundings')
  })

  after(() => scratch?.remove())

  test('a log on a full disk: mail goes on, and what is missing is counted once there is room', async (t) => {
    const folder = below(scratch.folder, 'log')
    const disk = below(folder, 'small')
    await runWell('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk])
    t.after(() => run('umount', ['-l', disk]))
    const file = join(disk, 'mail.log')
    const config = faultedConfig({ log: { to: file } })
    const server = launchServer({ folder, config })
    t.after(() => server.process.kill('SIGKILL'))
    const log = (): string => readFileSync(file, 'utf8')
    await until('the start', () => existsSync(file) && /server\.started/.test(log()))
    await addMe(server)
    const filler = join(disk, 'filler')
    const ran = await run('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4096'])
    assert.notEqual(ran.code, 0, 'the disk is full')
    for (let i = 0; i < 60; i++) assert.match(await mail(letter(`${i}`)), /^250 /)
    rmSync(filler)
    await until('the count', async () => {
      await mail(letter('seen'))
      // The count is told from time to time; lines without end would fill the disk again before.
      await sleep(500)
      // In several counts, where a line found room in between.
      const counts = [...log().matchAll(/log\.dropped lines=(\d+)/g)].map(([, count]) => Number(count))
      const dropped = counts.reduce((sum, count) => sum + count, 0)
      if (dropped < 10)
        throw new Error(`dropped: ${counts.join(', ')}; the log ends with ${log().slice(-500)}`)
      return true
    })
    await server.stop()
  })

  test('a log that is renamed goes on in a new file; one whose folder is gone goes on in the old one, and says so', async (t) => {
    const folder = below(scratch.folder, 'rotated')
    const logs = below(folder, 'logs')
    const file = join(logs, 'mail.log')
    const server = launchServer({ folder, config: faultedConfig({ log: { to: file } }) })
    t.after(() => server.process.kill('SIGKILL'))
    await until('the start', () => existsSync(file) && /server\.started/.test(readFileSync(file, 'utf8')))
    await addMe(server)
    renameSync(file, `${file}.1`)
    await until('a new file', async () => {
      assert.match(await mail(letter('rotated')), /^250 /)
      return existsSync(file)
    })
    renameSync(logs, `${logs}-gone`)
    await until('the sentence', async () => {
      assert.match(await mail(letter('gone')), /^250 /)
      return /can't be opened after its rotation/.test(server.stderr())
    })
    assert.equal(server.stderr().split("can't be opened").length, 2, 'once')
    await server.stop()
  })

  test('attack 29i: a second server on the folder is refused, by whatever path it comes, also without a control socket', async (t) => {
    const folder = below(scratch.folder, 'first')
    const server = await startFaulted(t, { folder })
    await addMe(server)
    const linked = join(scratch.folder, 'linked')
    symlinkSync(folder, linked)
    const bound = below(scratch.folder, 'bound')
    await runWell('mount', ['--bind', folder, bound])
    t.after(() => run('umount', ['-l', bound]))
    const elsewhere = { mx: [], submission: [], imap: ['127.0.0.1:3143'], lmtp: [] }
    const second = async (at: string): Promise<string> => {
      const own = below(scratch.folder, `second-${at.split('/').at(-1)}`)
      const config = faultedConfig({
        server: { hostname: 'mail.example.test', data: join(at, 'data') },
        listen: elsewhere,
      })
      const other = launchServer({ folder: own, config })
      t.after(() => other.process.kill('SIGKILL'))
      assert.equal(await other.ended, 1)
      assert.doesNotMatch(other.stderr(), /^\s+at /m, 'no stack')
      return other.stderr()
    }
    const pid = String(server.process.pid)
    for (const at of [folder, linked, bound]) {
      const said = await second(at)
      assert.match(said, new RegExp(`Hikyaku already runs on .* \\(process ${pid}\\)`), at)
    }
    rmSync(join(folder, 'data/control.sock'))
    for (const at of [folder, linked, bound])
      assert.match(await second(at), new RegExp(`the data folder is in use by process ${pid}`), at)
    const asked = await server.cli(['queue', 'list'])
    assert.equal(asked.code, 1)
    assert.match(asked.stdout.toString() + asked.stderr, new RegExp(`in use by process ${pid}`))
    assert.match(await mail(letter('still there')), /^250 /, 'the first goes on')
    await server.stop()
  })

  test('a start whose log cannot be opened is one sentence', async (t) => {
    const folder = below(scratch.folder, 'no-log')
    const server = launchServer({ folder, config: faultedConfig({ log: { to: '/nowhere/mail.log' } }) })
    t.after(() => server.process.kill('SIGKILL'))
    assert.equal(await server.ended, 1)
    assert.match(
      server.stderr(),
      /The log file \/nowhere\/mail\.log cannot be opened \(ENOENT\); see log\.to/,
    )
    assert.doesNotMatch(server.stderr(), /^\s+at /m, 'no stack')
  })

  test('a start with a CA file of the smarthost that cannot be read is one sentence', async (t) => {
    const folder = below(scratch.folder, 'ca')
    const config = faultedConfig({ outbound: { smarthost: '127.0.0.1:2', smarthost_ca: '/nowhere/ca.pem' } })
    const server = launchServer({ folder, config })
    t.after(() => server.process.kill('SIGKILL'))
    assert.equal(await server.ended, 1)
    assert.match(
      server.stderr(),
      /cannot be read from \/nowhere\/ca\.pem \(ENOENT\); see outbound\.smarthost_ca\./,
    )
    assert.doesNotMatch(server.stderr(), /^\s+at /m, 'no stack')
  })

  test('attack 29g: a certificate that is due and cannot be kept is told; the old one serves; then the new one does, without a start', async (t) => {
    const folder = below(scratch.folder, 'certificate')
    const time = join(scratch.folder, 'certificate-time')
    const set = (offset: string): void => writeFileSync(time, `${offset}\n`)
    set('+0')
    const env = {
      LD_PRELOAD: faketime,
      FAKETIME_TIMESTAMP_FILE: time,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    }
    const config = faultedConfig({ listen: { imaps: [`127.0.0.1:${ports.imaps}`] } })
    const server = await startFaulted(t, { folder, env, config, waitFor: [...faultedPorts, ports.imaps] })
    const first = await certificateEnd()
    set('+380d')
    const inTheWay = join(folder, 'data/tls/.own-server.pem.new')
    mkdirSync(inTheWay)
    const told = await server.cli(['reload'])
    assert.match(told.stdout.toString(), /A new certificate is due and can't be kept: .*own-server\.pem/)
    await until('the log', () => /tls\.problem cause="A new certificate is due/.test(server.log()))
    assert.equal(await certificateEnd(), first)
    rmSync(inTheWay, { recursive: true })
    assert.equal((await server.cli(['reload'])).code, 0)
    await until('the log', () => /tls\.renewed/.test(server.log()))
    assert.ok((await certificateEnd()) > first)
    await server.stop()
  })
})
