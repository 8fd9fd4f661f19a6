// A stale signature pasted on a forgery, as its recipient gets to know of it: by the digest of the day.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { until } from '../harness/until.ts'
import { acceptedId, expectHeld } from './expect.ts'
import { chainFolder } from './transcripts.ts'
import { openWorld, type World } from './world.ts'

const skip = chainFolder() === undefined ? 'HIKYAKU_TESTDATA is not set' : false
/** Of Debian's libfaketime: the server's clocks go twenty times as fast, so that its minutes are no test's. */
const fast = {
  LD_PRELOAD: '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1',
  FAKETIME: '+0 x20',
}

describe('the digest', { skip, timeout: 120_000 }, () => {
  let world: World

  before(async () => {
    const opened = await openWorld('digest', { env: fast, settings: { quarantine: { digest_hour: 0 } } })
    assert.ok(opened)
    world = opened
  })

  after(async () => {
    await world?.stop()
  })

  test('B10: the digest names it, and tells how to have it', async () => {
    const sent = await world.send(await world.letter('B10'))
    const id = acceptedId(sent)
    await expectHeld(world, { id, says: [/jf3vqb\.test/, /DKIM/] })
    const [digest, ...more] = await until('the digest', async () => {
      // Each question also wakes the server, whose timers are due by a clock that its waiting does not follow.
      await world.ask('quarantine.list')
      const found = await world.withSubject('held')
      return found.length > 0 && found
    })
    assert.deepEqual(more, [])
    assert.equal(digest?.mailbox, 'INBOX')
    for (const part of [id, 'forged', 'pokemon@jf3vqb.test', 'postmaster@jf3vqb.test'])
      assert.ok(digest?.octets.includes(part), `${part} in:\n${digest?.octets}`)
    assert.match(digest?.octets ?? '', /^Auto-Submitted: auto-generated\r$/m)
    // The sender is told nothing: nothing is in the queue.
    assert.ok(!(await world.ask('queue.list')).join('\n').includes('@'))
  })
})
