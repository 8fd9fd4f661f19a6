// A full disk: said at once, nothing half-written, mail is read and can be deleted, and all goes on when there is room.

import assert from 'node:assert/strict'
import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { below, launchServer, type Server } from '../harness/hikyaku.ts'
import { needPrograms, needSlowNamespace } from '../harness/programs.ts'
import { makeScratch, type Scratch } from '../harness/scratch.ts'
import { until } from '../harness/until.ts'
import { addMe, faultedConfig, Imap, letter, mail, Smtp, startFaulted } from './faulted.ts'
import { LoopDisk } from './loop-disk.ts'
import { buildShim, shimEnv } from './shim.ts'

const MIB = 2 ** 20

/** Takes room away: another program's file. @param leaveBytes what stays free, about. */
function fill(folder: string, leaveBytes: number): () => void {
  const path = join(folder, 'of-another-program')
  const fd = openSync(path, 'w')
  const { bavail, bsize } = statfsSync(folder)
  let left = bavail * bsize - leaveBytes
  try {
    for (; left > 0; left -= MIB) writeSync(fd, Buffer.alloc(Math.min(left, MIB), 1))
    while (leaveBytes === 0) writeSync(fd, Buffer.alloc(4096, 1))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    fsyncSync(fd)
    closeSync(fd)
  }
  return () => rmSync(path)
}

describe('a full disk', { timeout: 300_000 }, () => {
  let scratch: Scratch
  let disk: LoopDisk
  let server: Server
  const folder = (): string => disk.mountPoint
  const bodies = (): readonly string[] => readdirSync(join(folder(), 'data/bodies'))

  before(async () => {
    needSlowNamespace()
    needPrograms('mkfs.ext4')
    scratch = makeScratch('full')
    disk = await LoopDisk.make({
      file: join(scratch.folder, 'disk.img'),
      mountPoint: join(scratch.folder, 'disk'),
      sizeBytes: 160 * MIB,
    })
  })

  after(async () => {
    await disk?.remove()
    scratch?.remove()
  })

  async function checkClean(): Promise<void> {
    const checked = await server.cli(['check'])
    assert.equal(checked.code, 0, checked.stdout.toString() + checked.stderr)
  }

  test('attack 29a: below the low-water mark mail is refused at MAIL, APPEND before its message, and reading and EXPUNGE go on', async (t) => {
    server = await startFaulted(t, { folder: folder() })
    await addMe(server)
    const imap = await Imap.open()
    const smtp = await Smtp.open()
    const lmtp = await Smtp.open('lmtp')
    for (const subject of ['one', 'two', 'three']) assert.match(await smtp.send(letter(subject)), /^250 /)
    assert.match(await smtp.send(letter('large', 4 * MIB)), /^250 /)
    const free = fill(folder(), 20 * MIB)
    assert.match(await smtp.say('MAIL FROM:<someone@far.test>'), /^452 4\.3\.1 /)
    assert.match(await lmtp.say('MAIL FROM:<someone@far.test>'), /^452 4\.3\.1 /)
    assert.match(await imap.append(letter('append')), /^NO \[UNAVAILABLE\] The disk is full/)
    await until('the log', () => /store\.refusing trouble=room/.test(server.log()))
    assert.deepEqual(await imap.subjects(), ['one', 'two', 'three', 'large'])
    assert.match((await imap.say('STORE 4 +FLAGS (\\Deleted)')).last, /^OK/)
    assert.match((await imap.say('EXPUNGE')).last, /^OK/)
    await imap.say('NOOP')
    await until('the body file of the deleted message to go', () => bodies().length === 0)
    free()
    assert.match(await smtp.send(letter('again')), /^250 /)
    assert.deepEqual(await imap.subjects(), ['one', 'two', 'three', 'again'])
    for (const one of [smtp, lmtp, imap]) one.close()
    await checkClean()
    await server.stop()
  })

  test('a large message stops at the mark: 452 after the final dot, no file is left, and what is kept stays free', async (t) => {
    server = await startFaulted(t, { folder: folder() })
    const free = fill(folder(), 40 * MIB)
    const smtp = await Smtp.open()
    const space = statfsSync(folder())
    const kept = Math.min(32 * MIB, (space.blocks * space.bsize) / 4)
    let least = Number.POSITIVE_INFINITY
    const watch = setInterval(() => {
      const { bavail, bsize } = statfsSync(folder())
      least = Math.min(least, bavail * bsize)
    }, 5)
    assert.match(await smtp.say('MAIL FROM:<someone@far.test> SIZE=24000000'), /^452 4\.3\.1 /)
    assert.match(await smtp.send(letter('without a size', 24_000_000)), /^452 4\.3\.1 /)
    clearInterval(watch)
    assert.ok(least > kept - 4 * MIB, `${least} octets were left of ${kept}`)
    await until('the file to go', () => bodies().length === 0)
    free()
    smtp.close()
    await server.stop()
  })

  test('attack 29a: a disk that others have filled to the last octet: 452 or 451, reading goes on, and mail is taken again by itself', async (t) => {
    server = await startFaulted(t, { folder: folder() })
    const imap = await Imap.open()
    const before = await imap.subjects()
    const free = fill(folder(), 0)
    assert.match(await mail(letter('refused')), /^452 4\.3\.1 /)
    assert.deepEqual(await imap.subjects(), before)
    const deleted = await imap.say('STORE 1 +FLAGS (\\Deleted)')
    t.diagnostic(`STORE on a disk without any room: ${deleted.last}`)
    const expunged = await imap.say('EXPUNGE')
    t.diagnostic(`EXPUNGE: ${expunged.last}`)
    assert.match(deleted.last, /^(OK|NO \[UNAVAILABLE\] The disk is full)/)
    assert.equal(server.process.exitCode, null)
    free()
    await until('mail to be taken again', async () => (await mail(letter('after'))).startsWith('250 '))
    assert.equal((await imap.subjects()).at(-1), 'after')
    imap.close()
    await checkClean()
    await server.stop()
  })

  test('no room for body files alone, or for the log alone (a quota): 452, and the rest goes on', async (t) => {
    const shim = await buildShim()
    t.after(() => shim.remove())
    for (const [name, path] of [
      ['bodies', 'bodies/?*'],
      ['log', 'hikyaku.db-wal'],
    ] as const) {
      const at = below(scratch.folder, name)
      const flag = join(scratch.folder, `${name}-is-full`)
      const fault = { does: 'fail', calls: ['write'], errno: 'ENOSPC', path, flag } as const
      server = await startFaulted(t, { folder: at, env: shimEnv(shim, join(at, 'data'), { fault }) })
      await addMe(server)
      const imap = await Imap.open()
      const smtp = await Smtp.open()
      writeFileSync(flag, '')
      assert.match(await smtp.send(letter('large', 400_000)), /^452 4\.3\.1 /)
      assert.match(await imap.append(letter('large', 400_000)), /^NO \[UNAVAILABLE\] The disk is full/)
      const small = await smtp.send(letter('small'))
      assert.match(small, name === 'bodies' ? /^250 / : /^452 4\.3\.1 /)
      await until(
        'the files of refused messages to go',
        () => readdirSync(join(at, 'data/bodies')).length === 0,
      )
      rmSync(flag)
      assert.match(await smtp.send(letter('large again', 400_000)), /^250 /)
      assert.deepEqual(await imap.subjects(), name === 'bodies' ? ['small', 'large again'] : ['large again'])
      for (const one of [smtp, imap]) one.close()
      await checkClean()
      await server.stop()
    }
  })

  test('a start on a full disk says one sentence, and works once there is room', async (t) => {
    const free = fill(folder(), 0)
    const failing = launchServer({ folder: folder(), config: faultedConfig() })
    t.after(() => failing.process.kill('SIGKILL'))
    assert.equal(await failing.ended, 1)
    t.diagnostic(failing.stderr())
    assert.match(failing.stderr(), /ENOSPC|the disk is full/)
    assert.match(failing.stderr(), /To mend it: free some space/)
    assert.doesNotMatch(failing.stderr(), /^\s+at /m, 'no stack')
    free()
    server = await startFaulted(t, { folder: folder() })
    await checkClean()
    await server.stop()
  })
})
