// The rows of the trusted list (I): an exception lets the list through, and nothing else from its host.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acceptedId, expectFields, expectHeld, newestTrace } from './expect.ts'
import { renamed } from './quarantine.ts'
import type { Letter, Sent } from './session.ts'
import { messageIdOf } from './transcripts.ts'
import type { World } from './world.ts'

const listId = 'freebsd-users.bsdlist.test'
const listResults = [
  'dkim=fail header.d=strict.test',
  'spf=pass smtp.mailfrom=bsdlist.test',
  'dmarc=fail header.from=strict.test',
]

/** In order: what is trusted by one test is trusted in those behind it. */
export function trustRows(world: () => World): void {
  const trusts = trusting(world)
  listRows(world, trusts)
  forgedRows(world, trusts)
  overRows(world, trusts)
}

interface Trusting {
  send(letter: Letter): Promise<{ readonly sent: Sent; readonly trace: string }>
  /** A command that must succeed; what it said. */
  cli(...words: string[]): Promise<string>
  entries(): Promise<string>
}

function trusting(world: () => World): Trusting {
  const cli = async (...words: string[]) => {
    const ran = await world().server.cli(words)
    assert.equal(ran.code, 0, `${words.join(' ')}: ${ran.stdout.toString()}${ran.stderr}`)
    return ran.stdout.toString()
  }
  return {
    cli,
    entries: () => cli('trust', 'list'),
    send: async (letter) => {
      const sent = await world().send(letter)
      return { sent, trace: await newestTrace(world()) }
    },
  }
}

function listRows(world: () => World, { send, cli, entries }: Trusting): void {
  let held = ''

  test('I01 is held: the list before it is trusted', async () => {
    const { sent } = await send(await world().letter('I01'))
    held = acceptedId(sent)
    await expectHeld(world(), { id: held, says: [/list/i, /strict\.test/] })
  })

  test('the held message says by what it could have passed, and is trusted by it', async () => {
    const shown = (await world().ask('quarantine.show', { id: held })).join('\n')
    assert.match(shown, /hikyaku quarantine trust/, 'how to trust it')
    await cli('quarantine', 'trust', held)
    const list = await entries()
    // The narrowest that would have let it pass: the envelope's SPF, for that list and from that host alone.
    for (const part of ['spf', 'bsdlist.test', listId, '203.0.113.80']) assert.ok(list.includes(part), list)
    assert.ok((await world().ask('quarantine.list')).join('\n').includes(held), 'trusting delivers nothing')
  })

  test('I03 is delivered: the next message of the list, marked as it was, and not signed', async () => {
    const letter = await world().letter('I03')
    const { sent, trace } = await send(letter)
    assert.match(sent.reply, /^250 2\./, sent.transcript)
    const [copy] = await world().delivered(messageIdOf(letter.message))
    assert.equal(copy?.mailbox, 'INBOX')
    expectFields(copy, { letter, results: listResults, trace })
    assert.match(trace, /xception|trust/)
    assert.ok(trace.includes('bsdlist.test'), trace)
  })
}

function forgedRows(world: () => World, { send }: Trusting): void {
  test('I04 is held: our own domain forged through the trusted host, and nothing is signed', async () => {
    const { sent, trace } = await send(await world().letter('I04'))
    await expectHeld(world(), { id: acceptedId(sent), says: [/jf3vqb\.test/, /DMARC/] })
    assert.ok(!/\bsigned by\b|\bDKIM-Signature\b/i.test(trace), trace)
  })

  test('I05 is refused: p=reject forged through the trusted host', async () => {
    const { sent } = await send(await world().letter('I05'))
    assert.match(sent.reply, /^550[ -]5\.7\.26 .*strict\.test/s, sent.transcript)
  })

  test('I06 is refused: two From fields through the trusted host', async () => {
    const { sent } = await send(await world().letter('I06'))
    assert.match(sent.reply, /^5\d\d[ -]5\..*From/s, sent.transcript)
  })

  test('I07 is refused: other hosts are checked as before', async () => {
    const { sent } = await send(await world().letter('I07'))
    assert.match(sent.reply, /^550[ -]5\.7\.26 .*strict\.test/s, sent.transcript)
  })

  test('a forger who writes the List-Id gains nothing but being held', async () => {
    const letter = await renamed(world(), 'I07', 'list-id')
    const { sent } = await send({ ...letter, message: `List-Id: <${listId}>\n${letter.message}` })
    await expectHeld(world(), { id: acceptedId(sent), says: [/strict\.test/] })
    assert.deepEqual(await world().delivered('<list-id@bigmail.test>'), [])
  })
}

function overRows(world: () => World, { send, cli, entries }: Trusting): void {
  test('an exception by an address alone cannot be made, and one that is over does nothing', async () => {
    const alone = await world().server.cli(['trust', 'add', '--host', '203.0.113.80/32', '--why', 'the list'])
    assert.notEqual(alone.code, 0)
    const list = await entries()
    const number = /^\D*(\d+)\b/.exec(list)?.[1]
    assert.ok(number !== undefined, list)
    await cli('trust', 'remove', number)
    const letter = await renamed(world(), 'I03', 'trust-over')
    const { sent } = await send(letter)
    await expectHeld(world(), { id: acceptedId(sent), says: [/strict\.test/] })
    await cli('trust', 'add', '--spf', 'bsdlist.test', '--list', listId, '--why', 'the list of my friends')
    const again = await renamed(world(), 'I03', 'trust-again')
    const { sent: passed, trace } = await send(again)
    assert.match(passed.reply, /^250 2\./)
    assert.equal((await world().delivered('<trust-again@bigmail.test>')).length, 1)
    assert.ok(trace.includes('the list of my friends'), trace)
  })
}
