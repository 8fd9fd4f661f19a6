// The primary is down: whoever comes to it must go on to the backup at once, not wait for a server that half listens.

import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { ports } from '../harness/hikyaku.ts'
import { chainFolder } from './transcripts.ts'
import { openWorld } from './world.ts'

const skip = chainFolder() === undefined ? 'HIKYAKU_TESTDATA is not set' : false

/** The code of the failure; undefined where somebody listens. */
function refusal(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(undefined)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
  })
}

describe('the primary is down', { skip, timeout: 120_000 }, () => {
  test('H01 a server that has stopped refuses the connection on each of its addresses', async (t) => {
    const world = await openWorld('primary-down')
    assert.ok(world)
    t.after(() => world.stop())
    const doors = [
      ['127.0.0.1', ports.mx],
      ['198.51.100.25', 25],
      ['2001:db8:100::25', 25],
    ] as const
    for (const [host, port] of doors) assert.equal(await refusal(host, port), undefined, host)
    await world.server.stop()
    for (const [host, port] of doors) assert.equal(await refusal(host, port), 'ECONNREFUSED', host)
  })
})
