// SIGKILL at any moment, under a mixed load that never sends anything twice. HIKYAKU_KILL_ROUNDS: the long form.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { needPrograms, needSlowNamespace } from '../harness/programs.ts'
import { makeScratch, type Scratch } from '../harness/scratch.ts'
import { type CampaignOptions, describeFailure, killCampaign } from './campaign.ts'
import { mutated } from './mutations.ts'

const rounds = Number(process.env.HIKYAKU_KILL_ROUNDS ?? 50)
const seed = Number(process.env.HIKYAKU_SEED ?? 20_261_124)

describe('killed at any moment', { timeout: 3_600_000 }, () => {
  let scratch: Scratch

  before(() => {
    needSlowNamespace()
    needPrograms('cc')
    scratch = makeScratch('kill')
  })

  after(() => scratch?.remove())

  const kills = (options: Pick<CampaignOptions, 'rounds' | 'env' | 'maxFailures'>) =>
    killCampaign({
      seed,
      base: join(scratch.folder, options.env === undefined ? 'real' : 'planted'),
      say: () => {},
      ...options,
    })

  test(`attack 29d: ${rounds} rounds lose nothing and double nothing`, { timeout: 3_600_000 }, async () => {
    const { failures, acknowledged } = await kills({ rounds })
    assert.deepEqual(failures.map(describeFailure), [])
    assert.ok(acknowledged > rounds, 'the clients got something done')
  })

  test('a server that answers before its commit is found out', { timeout: 900_000 }, async () => {
    const { failures } = await kills({
      rounds: 24,
      maxFailures: 1,
      env: () => mutated('answer-before-commit'),
    })
    assert.match(failures.flatMap(({ problems }) => problems).join('\n'), /is missing/)
  })
})
