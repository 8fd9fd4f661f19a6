// Every write and sync of a recorded life, replayed up to any point with what was not synced dropped, torn and out of
// order. HIKYAKU_REPLAY_STATES: the long form.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { needPrograms, needSlowNamespace } from '../harness/programs.ts'
import { makeScratch, type Scratch } from '../harness/scratch.ts'
import { Chance } from './chance.ts'
import { type Recording, record } from './recording.ts'
import { replay } from './replay.ts'
import { buildShim, type Shim } from './shim.ts'

const states = Number(process.env.HIKYAKU_REPLAY_STATES ?? 150)
const seed = Number(process.env.HIKYAKU_SEED ?? 20_261_124)

describe('a recorded life, replayed on disks that lose things', { timeout: 3_600_000 }, () => {
  let scratch: Scratch
  let shim: Shim
  let recording: Recording

  before(async () => {
    needSlowNamespace()
    needPrograms('cc')
    scratch = makeScratch('replay')
    shim = await buildShim()
    recording = await record({
      ...{ shim, tag: 'replay', acknowledgements: 150, chance: new Chance(seed) },
      folder: join(scratch.folder, 'live'),
      logFile: join(scratch.folder, 'live.log'),
    })
  })

  after(() => {
    shim?.remove()
    scratch?.remove()
  })

  const play = (count: number, counts?: (path: string) => boolean, around?: (path: string) => boolean) =>
    replay({
      ...{ recording, states: count, chance: new Chance(seed), folder: join(scratch.folder, 'state') },
      ...(counts === undefined ? {} : { counts, maxFailures: 1 }),
      ...(around === undefined ? {} : { around }),
    })

  test(`${states} states of the disk hold all that was acknowledged`, { timeout: 3_600_000 }, async () => {
    const { failures } = await play(states)
    assert.deepEqual(failures, [])
  })

  test('so does the disk before and after every step of every body file', { timeout: 900_000 }, async () => {
    const around = (path: string): boolean => path.startsWith('bodies')
    const replayed = await play(states * 4, undefined, around)
    assert.deepEqual(replayed.failures, [])
    assert.ok(replayed.states > 20, 'there were body files')
  })

  const planted: readonly (readonly [what: string, ignored: (path: string) => boolean])[] = [
    ['a body file', (path) => path.startsWith('bodies/')],
    ['the folder of the body files', (path) => path === 'bodies'],
    ['the log of the database', (path) => path === 'hikyaku.db-wal'],
    ['the database', (path) => path === 'hikyaku.db'],
    ['the data folder', (path) => path === '.'],
    ['the folder of the keys', (path) => path === 'tls'],
    ['the keys', (path) => path.startsWith('tls/')],
  ]
  for (const [what, ignored] of planted)
    test(`a server that does not sync ${what} is found out`, { timeout: 900_000 }, async () => {
      const { failures } = await play(2000, (path) => !ignored(path))
      assert.equal(failures.length, 1)
    })
})
