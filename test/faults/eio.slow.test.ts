// A disk whose writes or fsyncs fail: what was acknowledged stays, and nothing is acknowledged until the disk is proved.

import assert from 'node:assert/strict'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { below, launchServer, type Server } from '../harness/hikyaku.ts'
import { needPrograms, needSlowNamespace } from '../harness/programs.ts'
import { makeScratch, type Scratch } from '../harness/scratch.ts'
import { until } from '../harness/until.ts'
import { addMe, faultedConfig, Imap, letter, mail, Smtp, startFaulted } from './faulted.ts'
import { LoopDisk } from './loop-disk.ts'
import { buildShim, type Fault, type Shim, shimEnv } from './shim.ts'

describe('a disk whose fsync fails', { timeout: 300_000 }, () => {
  let scratch: Scratch
  let shim: Shim

  before(async () => {
    needSlowNamespace()
    needPrograms('cc')
    scratch = makeScratch('eio')
    shim = await buildShim()
  })

  after(() => {
    shim?.remove()
    scratch?.remove()
  })

  /** A server with a fault that `switched` brings about and takes away. */
  async function serve(name: string, fault: Fault, at = scratch.folder) {
    const folder = below(at, name)
    const flag = join(scratch.folder, `${name}-is-broken`)
    const env = shimEnv(shim, join(folder, 'data'), { fault: { ...fault, flag } })
    const start = (t: TestContext): Promise<Server> => startFaulted(t, { folder, env })
    const bodies = (): readonly string[] => readdirSync(join(folder, 'data/bodies'))
    return {
      folder,
      env,
      start,
      bodies,
      fail: () => writeFileSync(flag, ''),
      heal: () => rmSync(flag),
    }
  }

  for (const call of ['sync', 'write'] as const)
    test(`attack 29c: the log's ${call} fails: 451 and NO until the database was opened again, reading goes on`, async (t) => {
      const house = await serve(`log-${call}`, { does: 'fail', calls: [call], path: 'hikyaku.db*' })
      const server = await house.start(t)
      await addMe(server)
      const imap = await Imap.open()
      try {
        assert.match(await mail(letter('before')), /^250 /)
        assert.deepEqual(await imap.subjects(), ['before'])
        house.fail()
        assert.match(await mail(letter('lost')), /^451 4\.3\.0 /)
        await until('the log', () => /store\.refusing trouble=disk/.test(server.log()))
        assert.match(await mail(letter('refused at MAIL')), /^451 4\.3\.0 /)
        assert.match(await mail(letter('LMTP'), 'lmtp'), /^451 4\.3\.0 /)
        assert.match(await imap.append(letter('append')), /^NO \[UNAVAILABLE\]/)
        assert.match((await imap.say('STORE 1 +FLAGS (\\Flagged)')).last, /^NO \[UNAVAILABLE\]/)
        assert.deepEqual(await imap.subjects(), ['before'], 'mail is read')
        assert.equal(server.process.exitCode, null, 'the server goes on')
        assert.doesNotMatch(server.log(), /store\.taking/)
        house.heal()
        await until('the log', () => /store\.taking trouble=disk/.test(server.log()))
        assert.match(await mail(letter('after')), /^250 /)
        assert.deepEqual(await imap.subjects(), ['before', 'after'])
      } finally {
        imap.close()
        await server.stop()
      }
    })

  test('attack 29c: one failed fsync is not forgotten because the next one succeeds', async (t) => {
    const house = await serve('once', { does: 'fail', calls: ['sync'], path: 'hikyaku.db-wal', at: 1 })
    const server = await house.start(t)
    await addMe(server)
    const smtp = await Smtp.open()
    house.fail()
    assert.match(await smtp.send(letter('lost')), /^451 /)
    const isTaking = (): boolean => /store\.taking trouble=disk/.test(server.log())
    const wasTaking = isTaking()
    const reply = await smtp.send(letter('next'))
    assert.ok(wasTaking || isTaking() || reply.startsWith('451'), `${reply} before the disk was proved`)
    await until('the log', isTaking)
    assert.match(await smtp.send(letter('after')), /^250 /)
    smtp.close()
    await server.stop()
  })

  test('attack 29c: a body file or its folder that cannot be synced: 451, no file is left, the next one is taken', async (t) => {
    const large = (subject: string): string => letter(subject, 400_000)
    for (const [name, path] of [
      ['file', 'bodies/?*'],
      ['folder', 'bodies'],
    ] as const) {
      const house = await serve(`body-${name}`, { does: 'fail', calls: ['sync'], path })
      const server = await house.start(t)
      await addMe(server)
      assert.match(await mail(large('before')), /^250 /)
      house.fail()
      assert.match(await mail(large('lost')), /^451 4\.3\.0 /, name)
      const imap = await Imap.open()
      assert.match(await imap.append(large('append')), /^NO \[UNAVAILABLE\]/, name)
      assert.match(await mail(letter('small')), /^250 /, 'what needs no file is taken')
      await until('the files that are no message', () => house.bodies().length === 1)
      house.heal()
      assert.match(await mail(large('after')), /^250 /)
      assert.deepEqual(await imap.subjects(), ['before', 'small', 'after'])
      assert.equal(house.bodies().length, 2)
      imap.close()
      await server.stop()
    }
  })

  test('a large message whose commit failed leaves no body file once the disk works again', async (t) => {
    const house = await serve('commit', { does: 'fail', calls: ['sync'], path: 'hikyaku.db-wal' })
    const server = await house.start(t)
    await addMe(server)
    const smtp = await Smtp.open()
    house.fail()
    assert.match(await smtp.send(letter('large', 400_000)), /^451 4\.3\.0 /)
    assert.equal(house.bodies().length, 1, 'until the disk is proved nobody knows whether it is a message')
    house.heal()
    await until('the log', () => /store\.taking trouble=disk/.test(server.log()))
    await until('the stray file to go', () => house.bodies().length === 0)
    smtp.close()
    await server.stop()
  })

  test('a checkpoint that fails keeps the log; a start says so in one sentence, the next has all mail', async (t) => {
    const house = await serve('checkpoint', { does: 'fail', calls: ['sync'], path: 'hikyaku.db' })
    let server = await house.start(t)
    await addMe(server)
    house.fail()
    assert.match(await mail(letter('in the log')), /^250 /, 'the log has its own fsync')
    await server.stop()
    const failing = launchServer({ folder: house.folder, config: faultedConfig(), env: house.env })
    t.after(() => failing.process.kill('SIGKILL'))
    assert.equal(await failing.ended, 1)
    const said = failing
      .stderr()
      .split('\n')
      .filter((line) => line.includes('hikyaku.db'))
    assert.equal(said.length, 1, failing.stderr())
    assert.match(said[0] ?? '', /hikyaku\.db: disk I\/O error .*To mend it: /)
    assert.doesNotMatch(failing.stderr(), /^\s+at /m, 'no stack')
    house.heal()
    server = await house.start(t)
    const imap = await Imap.open()
    assert.deepEqual(await imap.subjects(), ['in the log'])
    imap.close()
    await server.stop()
  })

  test('a checkpoint that fails beside the writer: 451 until the database was opened again', async (t) => {
    const house = await serve('beside', { does: 'fail', calls: ['sync'], path: 'hikyaku.db' })
    const server = await house.start(t)
    await addMe(server)
    const smtp = await Smtp.open()
    house.fail()
    const kept: string[] = []
    let reply = ''
    // The log is written back once it has some 8 MiB.
    for (let i = 0; i < 200; i++) {
      reply = await smtp.send(letter(`${i}`, 200_000))
      if (!reply.startsWith('250')) break
      kept.push(`${i}`)
    }
    assert.match(reply, /^451 4\.3\.0 /)
    await until('the log', () => /store\.refusing trouble=disk/.test(server.log()))
    house.heal()
    await until('the log', () => /store\.taking trouble=disk/.test(server.log()))
    assert.match(await smtp.send(letter('after')), /^250 /)
    smtp.close()
    const imap = await Imap.open()
    assert.deepEqual(await imap.subjects(), [...kept, 'after'])
    imap.close()
    const checked = await server.cli(['check'])
    assert.equal(checked.code, 0, checked.stdout.toString() + checked.stderr)
    await server.stop()
  })

  test('after a failed fsync, kill -9, a start and a power cut everything acknowledged is there', async (t) => {
    const disk = await LoopDisk.make({
      file: join(scratch.folder, 'power.img'),
      mountPoint: join(scratch.folder, 'power'),
      sizeBytes: 128 * 2 ** 20,
    })
    t.after(() => disk.remove())
    const house = await serve(
      'power',
      { does: 'fail', calls: ['sync'], path: 'hikyaku.db*' },
      disk.mountPoint,
    )
    let server = await house.start(t)
    await addMe(server)
    const kept = ['one', 'two']
    for (const subject of kept) assert.match(await mail(letter(subject)), /^250 /)
    house.fail()
    assert.match(await mail(letter('lost')), /^451 /)
    server.process.kill('SIGKILL')
    await server.ended
    house.heal()
    server = await house.start(t)
    for (const subject of ['three', 'four']) {
      assert.match(await mail(letter(subject)), /^250 /)
      kept.push(subject)
    }
    await disk.cutPower()
    server.process.kill('SIGKILL')
    await server.ended
    await disk.unmount()
    await disk.mount()
    server = await house.start(t)
    const imap = await Imap.open()
    const there = (await imap.subjects()).filter((subject) => subject !== 'lost')
    assert.deepEqual(there, kept)
    imap.close()
    const checked = await server.cli(['check'])
    assert.equal(checked.code, 0, checked.stdout.toString() + checked.stderr)
    await server.stop()
  })
})
