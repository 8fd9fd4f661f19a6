// A disk that becomes read-only under the running server: mail is read, nothing is acknowledged, the owner is told.

import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { below, launchServer, type Server } from '../harness/hikyaku.ts'
import { needPrograms, needSlowNamespace } from '../harness/programs.ts'
import { run, runWell } from '../harness/run.ts'
import { makeScratch, type Scratch } from '../harness/scratch.ts'
import { until } from '../harness/until.ts'
import { addMe, faultedConfig, Imap, letter, mail, startFaulted } from './faulted.ts'
import { LoopDisk } from './loop-disk.ts'
import { buildShim, shimEnv } from './shim.ts'

describe('a disk that becomes read-only', { timeout: 300_000 }, () => {
  let scratch: Scratch

  before(() => {
    needSlowNamespace()
    needPrograms('mkfs.ext4', 'cc')
    scratch = makeScratch('read-only')
  })

  after(() => scratch?.remove())

  /** What clients are told, and that an old and a new session read mail. */
  async function refusesAndReads(server: Server, imap: Imap, there: readonly string[]): Promise<void> {
    assert.match(await mail(letter('refused')), /^451 4\.3\.0 /)
    await until('the log', () => /store\.refusing trouble=disk/.test(server.log()))
    assert.match(await mail(letter('refused at MAIL')), /^451 4\.3\.0 /)
    assert.match(await imap.append(letter('append')), /^NO \[UNAVAILABLE\]/)
    assert.match((await imap.say('STORE 1 +FLAGS (\\Flagged)')).last, /^NO \[UNAVAILABLE\]/)
    assert.match((await imap.say('CREATE other')).last, /^NO \[UNAVAILABLE\]/)
    assert.deepEqual(await imap.subjects(), there)
    const fresh = await Imap.open()
    assert.deepEqual(await fresh.subjects(), there, 'who comes new can log in and read')
    fresh.close()
    assert.equal(server.process.exitCode, null, 'the server goes on')
  }

  test('attack 29b: ext4 with an error: mail is read, 451 and NO for the rest; after a repair and a start all is there', async (t) => {
    const file = join(scratch.folder, 'disk.img')
    const disk = await LoopDisk.make({
      file,
      mountPoint: join(scratch.folder, 'disk'),
      sizeBytes: 160 * 2 ** 20,
      options: ['errors=remount-ro'],
    })
    t.after(() => disk.remove())
    let server = await startFaulted(t, { folder: disk.mountPoint })
    await addMe(server)
    const there = ['one', 'two']
    for (const subject of there) assert.match(await mail(letter(subject)), /^250 /)
    const imap = await Imap.open()
    const source = (await runWell('findmnt', ['-n', '-o', 'SOURCE', disk.mountPoint])).stdout
      .toString()
      .trim()
    writeFileSync(`/sys/fs/ext4/${basename(source)}/trigger_fs_error`, '1')
    await refusesAndReads(server, imap, there)
    imap.close()
    const again = await run('mount', ['-o', 'remount,rw', disk.mountPoint])
    t.diagnostic(`remount,rw ends with ${again.code}: ${again.stderr}`)
    assert.notEqual(again.code, 0, 'Linux does not make it writable again while it is mounted')
    assert.equal(await server.stop(), 0, server.stderr())
    await disk.unmount()
    const checked = await run('fsck.ext4', ['-fy', file])
    assert.ok(checked.code !== undefined && checked.code <= 1, checked.stdout.toString())
    await disk.mount()
    server = await startFaulted(t, { folder: disk.mountPoint })
    const fresh = await Imap.open()
    assert.deepEqual(await fresh.subjects(), there)
    assert.match(await mail(letter('three')), /^250 /)
    fresh.close()
    const consistent = await server.cli(['check'])
    assert.equal(consistent.code, 0, consistent.stdout.toString() + consistent.stderr)
    await server.stop()
  })

  test('made writable again the server takes mail by itself; a start on a read-only disk is one sentence', async (t) => {
    const shim = await buildShim()
    t.after(() => shim.remove())
    const folder = below(scratch.folder, 'shimmed')
    const flag = join(scratch.folder, 'is-read-only')
    const calls = ['create', 'write', 'truncate', 'rename', 'link', 'unlink', 'mkdir', 'rmdir'] as const
    const env = shimEnv(shim, join(folder, 'data'), { fault: { does: 'fail', errno: 'EROFS', calls, flag } })
    const server = await startFaulted(t, { folder, env })
    await addMe(server)
    assert.match(await mail(letter('one')), /^250 /)
    const imap = await Imap.open()
    writeFileSync(flag, '')
    await refusesAndReads(server, imap, ['one'])
    rmSync(flag)
    await until('the log', () => /store\.taking trouble=disk/.test(server.log()))
    assert.match(await mail(letter('two')), /^250 /)
    assert.deepEqual(await imap.subjects(), ['one', 'two'])
    imap.close()
    await server.stop()
    writeFileSync(flag, '')
    const failing = launchServer({ folder, env, config: faultedConfig() })
    t.after(() => failing.process.kill('SIGKILL'))
    assert.equal(await failing.ended, 1)
    t.diagnostic(failing.stderr())
    assert.match(failing.stderr(), /EROFS: .* To mend it: make the disk writable again/)
    assert.doesNotMatch(failing.stderr(), /^\s+at /m, 'no stack')
  })
})
