// The disk's power goes at any moment, under a mixed load that never sends anything twice. HIKYAKU_POWER_LOSSES: the
// long form.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { needPrograms, needSlowNamespace } from '../harness/programs.ts'
import { makeScratch, type Scratch } from '../harness/scratch.ts'
import { type CampaignOptions, describeFailure, powerCampaign } from './campaign.ts'
import { buildShim, type Shim, shimEnv } from './shim.ts'

const losses = Number(process.env.HIKYAKU_POWER_LOSSES ?? 20)
const seed = Number(process.env.HIKYAKU_SEED ?? 20_261_124)

describe('power lost at any moment', { timeout: 3_600_000 }, () => {
  let scratch: Scratch
  let shim: Shim
  let campaigns = 0

  before(async () => {
    needSlowNamespace()
    needPrograms('cc', 'python3', 'mount', 'mkfs.ext4')
    scratch = makeScratch('power')
    shim = await buildShim()
  })

  after(() => {
    shim?.remove()
    scratch?.remove()
  })

  const cuts = (options: Pick<CampaignOptions, 'rounds' | 'env' | 'maxFailures'>) =>
    powerCampaign({ seed, base: join(scratch.folder, String(++campaigns)), say: () => {}, ...options })

  test(`attack 29d: ${losses} losses lose nothing and double nothing`, { timeout: 3_600_000 }, async () => {
    const { failures, acknowledged } = await cuts({ rounds: losses })
    assert.deepEqual(failures.map(describeFailure), [])
    assert.ok(acknowledged > losses, 'the clients got something done')
  })

  for (const path of ['hikyaku.db*', 'bodies/?*'])
    test(`a server that does not sync ${path} is found out`, { timeout: 900_000 }, async () => {
      const fault = { does: 'skip', calls: ['sync'], path } as const
      const { failures } = await cuts({
        rounds: 24,
        maxFailures: 1,
        env: (folder) => shimEnv(shim, folder, { fault }),
      })
      assert.ok(failures.length > 0)
    })
})
