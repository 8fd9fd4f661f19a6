// The rows about the quarantine (F), and how its owner gets along with it. The virus rows wait for the filters.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acceptedId, expectFields, expectHeld } from './expect.ts'
import type { Letter } from './session.ts'
import { messageIdOf } from './transcripts.ts'
import type { World } from './world.ts'

export function quarantineRows(world: () => World): void {
  const holds = holding(world)
  listRows(world, holds)
  releaseRows(world, holds)
  trapRows(world, holds)
}

/** What the rows do with the world. */
interface Holding {
  /** Sends a row that is held, under a Message-ID of its own. */
  hold(row: string, as?: string): Promise<Held>
  /** How often it is in the mailbox. */
  there(held: Held): Promise<number>
  list(): Promise<string>
}

function holding(world: () => World): Holding {
  return {
    hold: async (row, as = row) => {
      const letter = await renamed(world(), row, as)
      const sent = await world().send(letter)
      const id = acceptedId(sent)
      await expectHeld(world(), { id, says: [/DMARC/] })
      return { id, letter, messageId: `<${as}@bigmail.test>` }
    },
    there: async (held) => (await world().delivered(held.messageId)).length,
    list: async () => (await world().ask('quarantine.list')).join('\n'),
  }
}

function listRows(world: () => World, { hold, there, list }: Holding): void {
  test('F01, F02, F10 to F15: a held message is no queue entry; the list tells its reason, show what it is', async () => {
    const forged = await hold('F01')
    const fromList = await hold('F02')
    const queue = (await world().ask('queue.list')).join('\n')
    assert.ok(!queue.includes(forged.id) && !queue.includes(fromList.id), queue)
    const listed = await list()
    for (const part of [
      forged.id,
      fromList.id,
      'jf3vqb.test asks to put aside',
      'quar.test asks to put aside',
    ])
      assert.ok(listed.includes(part), `${part} in:\n${listed}`)
    const shown = (await world().ask('quarantine.show', { id: fromList.id })).join('\n')
    for (const part of [
      'freebsd-users-bounces@bsdlist.test',
      '203.0.113.80',
      'friend@quar.test',
      'zfs',
      'hello',
    ])
      assert.ok(shown.includes(part), `${part} in:\n${shown}`)
    const narrowed = (await world().ask('quarantine.list', { to: 'pokemon' })).join('\n')
    assert.ok(narrowed.includes(forged.id))
    assert.ok(!(await world().ask('quarantine.list', { to: 'nobody-at-all' })).join('\n').includes(forged.id))
  })

  test('F16: a run of the queue does not touch what is held', async () => {
    const held = await hold('F01', 'F16')
    await world().server.cli(['queue', 'retry', '--all'])
    await world().server.cli(['queue', 'retry'])
    assert.ok((await list()).includes(held.id))
    assert.equal(await there(held), 0)
  })
}

function releaseRows(world: () => World, { hold, there, list }: Holding): void {
  test('F17, F18: release delivers the one message, with its failure still in its header', async () => {
    const [other, held] = [await hold('F01', 'F18-other'), await hold('F02', 'F18')]
    const released = await world().server.cli(['quarantine', 'release', held.id])
    assert.equal(released.code, 0, released.stderr)
    const [copy, ...more] = await world().delivered(held.messageId)
    assert.equal(more.length, 0)
    const trace = (await world().ask('trace', { id: held.id })).join('\n')
    expectFields(copy, {
      letter: held.letter,
      results: ['spf=pass smtp.mailfrom=bsdlist.test', 'dmarc=fail header.from=quar.test'],
      trace,
    })
    assert.match(trace, /release/i)
    assert.ok(!(await list()).includes(held.id))
    assert.ok((await list()).includes(other.id))
    assert.equal(await there(other), 0)
    const again = await world().server.cli(['quarantine', 'release', held.id])
    assert.equal(again.code, 1)
    assert.equal((await world().delivered(held.messageId)).length, 1)
  })

  test('a stale signature on a forgery: held, told in plain words, delivered when released', async () => {
    const held = await hold('B10', 'stale')
    const shown = (await world().ask('quarantine.show', { id: held.id })).join('\n')
    assert.match(shown, /says that it comes from jf3vqb\.test, but jf3vqb\.test does not vouch for it/)
    assert.match(shown, /signature of jf3vqb\.test does not fit this message/)
    assert.match(shown, /does not let 203\.0\.113\.66 send for it/)
    assert.match(shown, /v=DMARC1; p=quarantine/)
    const released = await world().server.cli(['quarantine', 'release', held.id])
    assert.equal(released.code, 0, released.stderr)
    const [copy] = await world().delivered(held.messageId)
    expectFields(copy, {
      letter: held.letter,
      results: [
        'dkim=fail header.d=jf3vqb.test',
        'spf=fail smtp.mailfrom=jf3vqb.test',
        'dmarc=fail header.from=jf3vqb.test',
      ],
      trace: '',
    })
  })
}

function trapRows(world: () => World, { hold, there, list }: Holding): void {
  test('F19 is no trap: no command of the queue delivers a held message by its id', async () => {
    const held = await hold('F01', 'F19')
    for (const verb of ['retry', 'cancel', 'show']) {
      const ran = await world().server.cli(['queue', verb, held.id])
      assert.notEqual(ran.code, 0, `queue ${verb}: ${ran.stdout.toString()}`)
    }
    assert.ok((await list()).includes(held.id))
    assert.equal(await there(held), 0)
  })

  test('F20 is no trap: no command delivers all that is held, not even by mistake', async () => {
    const held = [await hold('F01', 'F20-a'), await hold('F02', 'F20-b')]
    for (const words of [[], ['--all'], ['*'], ['%'], [''], held.map(({ id }) => id), ['--to', 'pokemon']]) {
      const ran = await world().server.cli(['quarantine', 'release', ...words])
      assert.notEqual(ran.code, 0, `quarantine release ${words}: ${ran.stdout.toString()}`)
    }
    for (const each of held) {
      assert.ok((await list()).includes(each.id))
      assert.equal(await there(each), 0)
    }
  })

  test('F21: a command deletes one for good', async () => {
    const held = await hold('F01', 'F21')
    const deleted = await world().server.cli(['quarantine', 'delete', held.id])
    assert.equal(deleted.code, 0, deleted.stderr)
    assert.ok(!(await list()).includes(held.id))
    assert.equal(await there(held), 0)
    assert.match((await world().ask('trace', { id: held.id })).join('\n'), /delete/i)
    assert.notEqual((await world().server.cli(['quarantine', 'release', held.id])).code, 0)
    assert.equal(await there(held), 0)
  })
}

export interface Held {
  readonly id: string
  readonly letter: Letter
  readonly messageId: string
}

/** The row's letter under another Message-ID; its signature, where it has one, was made for its own. */
export async function renamed(world: World, row: string, as: string): Promise<Letter> {
  const letter = await world.letter(row)
  const own = messageIdOf(letter.message)
  assert.ok(own)
  return { ...letter, message: letter.message.replace(own, `<${as}@bigmail.test>`) }
}
