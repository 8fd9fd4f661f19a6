// Mail that is held: its sender, a backup server of ours whose letters have two dates, and the operator who decides.

import { setTimeout as sleep } from 'node:timers/promises'
import type { HeldDeed } from './held.ts'
import { addressOf, letterOf, stuffed } from './letter.ts'
import { accountNames, letterSize } from './post.ts'
import { Refused, type Serving, secondaryAddress } from './serving.ts'
import { openSmtp, type SmtpClient } from './smtp-client.ts'
import { Gone, type HandParts } from './smtp-hands.ts'

/** So many may be held before some are dealt with: fewer than the operator is shown. */
const most = 60

export async function heldHand(parts: HandParts): Promise<void> {
  const { serving, chance, isOver } = parts
  const client = await openSmtp(await serving.open({ port: 'mx', bind: secondaryAddress }), {})
  while (!isOver()) {
    for (let i = chance.within(1, 4); i > 0; i--) await send(client, parts)
    const held = await heldLetters(serving)
    const count = held.length > most ? 10 : chance.within(0, Math.min(held.length, 3))
    for (const one of held.toReversed().slice(0, count))
      await decide(parts, one, chance.is(0.7) ? 'release' : 'delete')
    await sleep(chance.within(0, 15))
  }
  client.close()
}

async function send(client: SmtpClient, { post, chance, profile }: HandParts): Promise<void> {
  const id = post.newLetter(letterSize(chance, profile))
  const account = chance.pick(accountNames)
  // rfc5322 §3.6 has one date: anybody else is refused for it, a backup server's mail is held.
  const octets = Buffer.concat([Buffer.from('Date: Tue, 24 Nov 2026 09:00:00 +0000\r\n'), letterOf(id)])
  for (const command of ['MAIL FROM:<someone@remote.test>', `RCPT TO:<${addressOf(account)}>`, 'DATA'])
    await client.command(command)
  client.send(stuffed(octets))
  post.sentHeld(id, account)
  client.send('.\r\n')
  post.answeredHeld(id, await client.reply())
}

async function decide(
  { serving, post }: HandParts,
  { traceId, id }: HeldLine,
  deed: HeldDeed,
): Promise<void> {
  // One whose answer did not count may be there all the same.
  if (!post.held.isHeld(id)) return
  post.beginHeld(id, deed)
  try {
    await serving.control(`quarantine.${deed}`, { id: traceId })
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    post.refusals.push(error.message)
    throw new Gone('the operator is refused')
  }
  if (post.disk !== 'there') throw new Gone('the disk is gone')
  post.doneHeld(id, deed)
}

interface HeldLine {
  readonly traceId: string
  /** Of the letter. */
  readonly id: string
}

export async function heldLetters(serving: Serving): Promise<readonly HeldLine[]> {
  const lines = await serving.control('quarantine.list')
  return lines.flatMap((line, index) => {
    const traceId = /^([0-9a-z]{20,}) {2}/.exec(line)?.[1]
    const id = /^ {4}From .*: letter (\S+)$/.exec(lines[index + 1] ?? '')?.[1]
    return traceId === undefined ? [] : [{ traceId, id: id ?? `no letter: ${lines[index + 1]}` }]
  })
}

/** What the whole quarantine holds. */
export async function heldIds(serving: Serving): Promise<readonly string[]> {
  return (await heldLetters(serving)).map(({ id }) => id)
}
