// Each message that the real chain was given, sent to our server; outcomes.ts says what becomes of it.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { dialogueRows } from './dialogues.ts'
import { copiesOf, expectOutcome } from './expect.ts'
import { type Outcome, outcomes } from './outcomes.ts'
import { unlessPending } from './pending.ts'
import { quarantineRows } from './quarantine.ts'
import { secondaryRows } from './secondary.ts'
import { chainFolder } from './transcripts.ts'
import { trustRows } from './trust.ts'
import { openWorld, type World } from './world.ts'

const skip = chainFolder() === undefined ? 'HIKYAKU_TESTDATA is not set' : false
/** These come from their real address too, over the network of the namespace, not only by PROXY. */
const fromAddresses: ReadonlySet<string> = new Set(['B01', 'B02', 'B10', 'B14'])

describe('the acceptance table', { skip, timeout: 300_000 }, () => {
  let world: World

  before(async () => {
    const opened = await openWorld('chain')
    assert.ok(opened)
    world = opened
  })

  after(async () => {
    await world?.stop()
  })

  for (const outcome of outcomes) {
    test(`${outcome.row} ends: ${outcome.ended}`, (t) =>
      unlessPending(t, outcome, () => run(outcome, 'proxy')))
    if (fromAddresses.has(outcome.row))
      test(`${outcome.row} from its own address ends: ${outcome.ended}`, (t) =>
        unlessPending(t, outcome, () => run(outcome, 'address')))
  }

  dialogueRows(() => world)
  quarantineRows(() => world)
  secondaryRows(() => world)
  trustRows(() => world)

  async function run(outcome: Outcome, by: 'proxy' | 'address'): Promise<void> {
    const letter = await world.letter(outcome.row)
    const there = (await copiesOf(world, letter)).length
    const sent = await (by === 'proxy' ? world.send(letter) : world.sendFromAddress(letter))
    await expectOutcome(world, { outcome, letter, sent, before: there })
  }
})
