// The rows of the backup MX (H): what it passes on is judged by who gave it to the backup, and never bounces.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acceptedId, expectFields, expectHeld, newestTrace } from './expect.ts'
import type { Letter } from './session.ts'
import { messageIdOf } from './transcripts.ts'
import type { World } from './world.ts'

const backup = { client: '203.0.113.20', helo: 'backup.jf3vqb.test' } as const

export function secondaryRows(world: () => World): void {
  deliveredRows(world)
  heldRows(world)
}

/** The row, as the backup hands it over: its own Received field on top. */
async function passedOn(world: World, row: string, under = ''): Promise<Letter> {
  const letter = await world.letter(row)
  const received =
    `Received: from ${letter.helo} (${letter.helo} [${letter.client}])\n` +
    '\tby backup.jf3vqb.test (8.17.1.9/8.17.1.9/Debian-2+deb12u2) with ESMTP id 6AO6MmTT000475\n' +
    `\tfor ${letter.recipients[0]}; Tue, 24 Nov 2026 06:22:48 GMT\n`
  return { ...letter, ...backup, message: received + under + letter.message }
}

async function expectDelivered(world: World, row: string, results: readonly string[]): Promise<void> {
  const letter = await passedOn(world, row)
  const sent = await world.send(letter)
  assert.match(sent.reply, /^250 2\./, sent.transcript)
  const [copy] = await world.delivered(messageIdOf(letter.message))
  assert.equal(copy?.mailbox, 'INBOX', row)
  const trace = await newestTrace(world)
  expectFields(copy, { letter, results, trace })
  assert.ok(trace.includes('203.0.113.20') && trace.includes(world.row(row).client ?? '?'), trace)
}

function deliveredRows(world: () => World): void {
  test('H02.1 is delivered: signed, judged by the address that the backup saw', async () => {
    await expectDelivered(world(), 'H02.1', [
      'dkim=pass header.d=bigmail.test',
      'spf=pass smtp.mailfrom=bigmail.test',
      'dmarc=pass header.from=bigmail.test',
    ])
  })

  test('H02.2 is delivered: signed, p=reject', async () => {
    await expectDelivered(world(), 'H02.2', [
      'dkim=pass header.d=strict.test',
      'spf=pass smtp.mailfrom=strict.test',
      'dmarc=pass header.from=strict.test',
    ])
  })

  test('H02.3 is delivered: SPF alone, p=reject, which the chain refused', async () => {
    await expectDelivered(world(), 'H02.3', [
      'spf=pass smtp.mailfrom=strict.test',
      'dmarc=pass header.from=strict.test',
    ])
  })
}

function heldRows(world: () => World): void {
  test('H02.4 is held: a forgery by way of the backup is never answered 5xx, it would bounce', async () => {
    const sent = await world().send(await passedOn(world(), 'H02.4'))
    await expectHeld(world(), { id: acceptedId(sent), says: [/strict\.test/, /203\.0\.113\.66/, /backup/i] })
    assert.deepEqual(await world().delivered(messageIdOf(world().row('H02.4').composed ?? '')), [])
  })

  test('H02.5 is held: an unknown user from the backup, and the owner is told', async () => {
    const letter = await passedOn(world(), 'H02.5')
    const sent = await world().send(letter)
    assert.match(sent.recipientReplies[0] ?? '', /^250 /)
    await expectHeldFor(world(), acceptedId(sent), /nobody9@jf3vqb\.test/)
  })

  test('H02: a refusal by the header is none to the backup either', async () => {
    const letter = await passedOn(world(), 'B20')
    const sent = await world().send(letter)
    await expectHeld(world(), { id: acceptedId(sent), says: [/From/] })
  })

  test('H02: only the topmost Received field counts, and only from the backup', async () => {
    const topmost =
      'Received: from mx.bigmail.test (mx.bigmail.test [203.0.113.10])\n\tby backup.jf3vqb.test with ESMTP id 1;\n' +
      '\tTue, 24 Nov 2026 06:22:40 GMT\n'
    // Written by the forger below the backup's own field.
    const below = await passedOn(world(), 'H02.4', topmost)
    const sent = await world().send({ ...below, message: below.message.replace(/spam by/, 'more spam by') })
    await expectHeld(world(), { id: acceptedId(sent), says: [/203\.0\.113\.66/] })
    // Written by the forger, who is not the backup.
    const letter = await world().letter('H02.4')
    const direct = await world().send({ ...letter, message: topmost + letter.message })
    assert.match(direct.reply, /^550[ -]5\.7\.26 /, direct.transcript)
  })
}

async function expectHeldFor(world: World, id: string, recipient: RegExp): Promise<void> {
  const shown = (await world.ask('quarantine.show', { id })).join('\n')
  assert.match(/^Recipients:(.*)$/m.exec(shown)?.[1] ?? '', recipient)
  assert.match(shown, /does not exist|no mailbox/i)
  assert.match(shown, /backup|secondary/i)
}
