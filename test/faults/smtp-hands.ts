// Clients that hand in mail by SMTP and LMTP until the server is gone. Nothing is ever sent twice.

import type { Chance } from './chance.ts'
import { refusing, taking } from './deliveries.ts'
import { addressOf, letterOf, stuffed } from './letter.ts'
import { accountNames, letterSize, type Post, password, type Targets, team, teamAlias } from './post.ts'
import type { Serving } from './serving.ts'
import { openSmtp, SaidNo, type SmtpClient } from './smtp-client.ts'

export interface HandParts {
  readonly serving: Serving
  readonly post: Post
  readonly chance: Chance
  readonly profile: 'usual' | 'fat'
  /** Set when no new work is to be begun. */
  readonly isOver: () => boolean
}

/** A letter ready to go. */
interface Parcel {
  readonly id: string
  readonly octets: Buffer
  readonly from: string
  readonly recipients: readonly string[]
  readonly targets: Targets
}

function makeParcel({ post, chance, profile }: HandParts, author?: string): Parcel {
  const id = post.newLetter(letterSize(chance, profile), author)
  const elsewhere: string[] = []
  if (author !== undefined) {
    const name = id.replaceAll('.', '-')
    for (let i = chance.within(0, 3); i > 0; i--) elsewhere.push(`${name}-${i}@${taking}`)
    if (chance.is(0.15)) elsewhere.push(`${name}-r@${refusing}`)
  }
  const byAlias = chance.is(0.15)
  const accounts = byAlias
    ? team
    : chance.is(0.7) || elsewhere.length > 0
      ? [chance.pick(accountNames)]
      : chance.some(accountNames, 4)
  const local = byAlias ? [teamAlias] : accounts.map(addressOf)
  return {
    id,
    octets: letterOf(id),
    from: author === undefined ? 'someone@remote.test' : addressOf(author),
    recipients: [...local, ...elsewhere],
    targets: { accounts, elsewhere },
  }
}

const envelope = ({ from, recipients }: Parcel): string[] => [
  `MAIL FROM:<${from}> BODY=8BITMIME`,
  ...recipients.map((recipient) => `RCPT TO:<${recipient}>`),
]

/** A client at the MX port or, with an account, at the submission port. */
export async function smtpHand(parts: HandParts, author?: string): Promise<void> {
  const { serving, post, chance, isOver } = parts
  const wire = await serving.open(author === undefined ? 'mx' : 'submission')
  const login = author === undefined ? {} : { login: addressOf(author), password }
  const client = await openSmtp(wire, login)
  while (!isOver()) {
    const parcel = makeParcel(parts, author)
    const how = chance.next()
    if (how < 0.3) await sendByTurns(client, post, parcel)
    else if (how < 0.5) await sendByChunks(client, post, chance, parcel)
    else
      await sendPipelined(
        client,
        post,
        chance.is(0.5) ? [parcel] : [parcel, makeParcel(parts, author), makeParcel(parts, author)],
      )
  }
  client.close()
}

/** Each command waits for its reply. */
async function sendByTurns(client: SmtpClient, post: Post, parcel: Parcel): Promise<void> {
  for (const command of [...envelope(parcel), 'DATA']) await client.command(command)
  sendData(client, post, parcel)
  post.answered(parcel.id, parcel.targets, await client.reply())
}

function sendData(client: SmtpClient, post: Post, { id, octets, targets }: Parcel, next = ''): void {
  const sender = id.split('.')[2]
  client.send(stuffed(octets))
  post.sent(id, targets, sender)
  client.send(`.\r\n${next}`)
}

/** rfc2920: the next envelope goes out behind the final dot of the one before. */
async function sendPipelined(client: SmtpClient, post: Post, parcels: readonly Parcel[]): Promise<void> {
  const begin = (parcel: Parcel | undefined): string =>
    parcel === undefined ? '' : `${[...envelope(parcel), 'DATA'].join('\r\n')}\r\n`
  client.send(begin(parcels[0]))
  for (const [index, parcel] of parcels.entries()) {
    for (const command of [...envelope(parcel), 'DATA']) await client.expect(command)
    sendData(client, post, parcel, begin(parcels[index + 1]))
    post.answered(parcel.id, parcel.targets, await client.reply())
  }
}

/** rfc3030. */
async function sendByChunks(client: SmtpClient, post: Post, chance: Chance, parcel: Parcel): Promise<void> {
  const { id, octets, targets } = parcel
  const cut = chance.within(0, octets.length)
  for (const command of envelope(parcel)) await client.command(command)
  client.send(`BDAT ${cut}\r\n`)
  client.send(octets.subarray(0, cut))
  await client.expect('BDAT')
  post.sent(id, targets, id.split('.')[2])
  client.send(`BDAT ${octets.length - cut} LAST\r\n`)
  client.send(octets.subarray(cut))
  post.answered(id, targets, await client.reply())
}

/** A mail server in front of ours; each recipient has an answer of its own. */
export async function lmtpHand(parts: HandParts): Promise<void> {
  const { serving, post, isOver } = parts
  const client = await openSmtp(await serving.open('lmtp'), { lmtp: true })
  while (!isOver()) {
    const { recipients, ...parcel } = makeParcel(parts)
    const isTeam = recipients[0] === teamAlias
    for (const command of [...envelope({ recipients, ...parcel }), 'DATA']) await client.command(command)
    sendData(client, post, { recipients, ...parcel })
    for (const [index] of recipients.entries()) {
      const accounts = isTeam ? team : parcel.targets.accounts.slice(index, index + 1)
      post.answered(parcel.id, { accounts, elsewhere: [] }, await client.reply())
    }
  }
  client.close()
}

/** Runs a hand to its end: the server's end, or a refusal, which is noted. */
export async function untilGone(post: Post, work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (error) {
    // Without its disk a server may say anything but yes.
    if (post.disk !== 'there') return
    if (error instanceof SaidNo) post.refusals.push(error.message)
    else if (!isGone(error)) post.problems.push(error instanceof Error ? (error.stack ?? '') : String(error))
  }
}

/** Nothing more can be learnt. */
export class Gone extends Error {}

function isGone(error: unknown): boolean {
  return (
    error instanceof Gone ||
    (error instanceof Error &&
      /the server closed|ECONNREFUSED|ECONNRESET|EPIPE|ended before it had answered|No server is running/.test(
        error.message,
      ))
  )
}
