// What is looked at after a message was sent: the reply, where it ended, what stands in front of it, what the trace says.

import assert from 'node:assert/strict'
import type { Outcome } from './outcomes.ts'
import type { Letter, Sent } from './session.ts'
import { messageIdOf } from './transcripts.ts'
import { account, type Delivered, hostname, type World } from './world.ts'

/** Throws, with the dialogue, unless the message ended as the outcome says. */
export async function expectOutcome(
  world: World,
  { outcome, letter, sent, before }: ToExpect,
): Promise<void> {
  for (const part of outcome.reply) assert.match(sent.reply, part, sent.transcript)
  const copies = await copiesOf(world, letter)
  const arrived = outcome.ended === 'inbox' ? before + 1 : before
  assert.equal(copies.length, arrived, `${copies.length} in the mailbox, not ${arrived}\n${sent.transcript}`)
  const trace = await newestTrace(world)
  for (const part of outcome.says ?? []) assert.match(trace, part)
  if (outcome.ended === 'inbox') {
    const copy = copies.at(-1)
    assert.equal(copy?.mailbox, 'INBOX')
    expectFields(copy, { letter, results: outcome.results ?? [], trace })
  }
  if (outcome.ended === 'held') {
    const says = [...(outcome.says ?? []), ...(outcome.shows ?? [])]
    await expectHeld(world, { id: acceptedId(sent), says })
  }
}

export interface ToExpect {
  readonly outcome: Outcome
  readonly letter: Letter
  readonly sent: Sent
  /** How many of this Message-ID were there before it was sent. */
  readonly before: number
}

export async function copiesOf(world: World, letter: Letter): Promise<readonly Delivered[]> {
  return await world.delivered(messageIdOf(letter.message))
}

/** The id in the reply to an accepted message. */
export function acceptedId(sent: Sent): string {
  const id = /^250 2\.\d+\.\d+ .*?\b([0-9a-z]{20})\b/.exec(sent.reply)?.[1]
  assert.ok(id, `no id in the reply "${sent.reply}"`)
  return id
}

export async function newestTrace(world: World): Promise<string> {
  const lines = await world.ask('trace', { to: '@' })
  const end = lines.indexOf('')
  return lines.slice(0, end < 0 ? lines.length : end).join('\n')
}

/** It is in the list, with its reason, and `show` says it as well. */
export async function expectHeld(
  world: World,
  { id, says }: { readonly id: string; readonly says: readonly RegExp[] },
): Promise<void> {
  const list = (await world.ask('quarantine.list')).join('\n')
  assert.ok(list.includes(id), `${id} is not in the list:\n${list}`)
  const shown = (await world.ask('quarantine.show', { id })).join('\n')
  for (const part of says) assert.match(shown, part)
  assert.ok(shown.includes(account), shown)
}

/**
 * One Authentication-Results field of ours, in front; the message behind our fields octet for octet; nothing signed.
 */
export function expectFields(
  copy: Delivered | undefined,
  how: { readonly letter: Letter; readonly results: readonly string[]; readonly trace: string },
): void {
  assert.ok(copy)
  const content = how.letter.message.replaceAll('\n', '\r\n')
  assert.ok(copy.octets.endsWith(content), `the message is not as it was sent:\n${copy.octets}`)
  const added = copy.octets.slice(0, copy.octets.length - content.length)
  const fields = authenticationResults(added)
  assert.equal(fields.length, 1, `one Authentication-Results field:\n${added}`)
  const [authserv = '', ...results] = (fields[0] ?? '').split(';').map((part) => part.trim())
  assert.equal(authserv.split(/\s/)[0], hostname)
  for (const wanted of how.results)
    assert.ok(
      results.some((result) => isResult(result, wanted)),
      `no "${wanted}" in "${fields[0]}"`,
    )
  assert.ok(!/^DKIM-Signature:|^ARC-/im.test(added), `signed or sealed:\n${added}`)
  assert.ok(!/\bsigned\b.*\bby us\b/i.test(how.trace), how.trace)
}

/** The values of the fields, unfolded, comments taken out (rfc5322 §3.2.2: they may nest, ours do not). */
export function authenticationResults(header: string): string[] {
  const unfolded = header.replace(/\r\n(?=[ \t])/g, '')
  return [...unfolded.matchAll(/^Authentication-Results:(.*)$/gim)].map(([, value = '']) =>
    value.replace(/\([^()]*\)/g, '').trim(),
  )
}

function isResult(result: string, wanted: string): boolean {
  const have = result.split(/\s+/)
  const [word, ...properties] = wanted.split(' ')
  return (
    have[0] === word &&
    properties.every((property) => {
      const [name, value = ''] = property.split('=')
      return have.some((each) => {
        const text = each.replaceAll('"', '')
        return text === `${name}=${value}` || (text.startsWith(`${name}=`) && text.endsWith(`@${value}`))
      })
    })
  )
}
