import { type Address, parseAddress } from '../../src/mail/address.ts'
import type { Connection, Dialer } from '../../src/ports/dialer.ts'
import { smtpClient } from '../../src/protocol/smtp/client.ts'
import type {
  ClientAnswer,
  ClientAsk,
  RecipientResult,
  SmtpClient,
} from '../../src/protocol/smtp/client-types.ts'
import type { Chance } from './chance.ts'
import type { Ledger, Sent } from './ledger.ts'
import { makeContent } from './message.ts'
import { pause } from './pause.ts'
import { leavesOf } from './people.ts'
import { BUSY_MS, type SubmitterPlan } from './plan.ts'
import type { Scheduler } from './scheduler.ts'
import type { WorldServer } from './server.ts'

/** Above every wait of the client core. */
const READ_TIMEOUT_MS = 20 * 60_000

interface Parts {
  readonly plan: SubmitterPlan
  readonly chance: Chance
  readonly scheduler: Scheduler
  readonly ledger: Ledger
  readonly dialer: Dialer
  readonly servers: readonly WorldServer[]
  note(text: string): void
}

/** A person or program that sends mail: never the same twice, and it remembers what it was told. */
export async function submit(parts: Parts): Promise<void> {
  const { plan, chance, scheduler, ledger } = parts
  for (let i = 0; i < plan.messages; i++) {
    await pause(scheduler, chance, (3 * BUSY_MS) / plan.messages)
    const sent = compose(parts, `${plan.name.replace(' ', '')}-${i}`)
    ledger.sent.set(sent.token, sent)
    const results = await send(parts, sent)
    for (const [recipient, outcome] of results) sent.outcomes.set(recipient, outcome)
    parts.note(`${sent.token} to ${sent.recipients.join(' ')}: ${[...sent.outcomes.values()].join(' ')}`)
  }
}

function compose({ plan, chance, servers }: Parts, token: string): Sent {
  const server = servers[plan.server] as WorldServer
  const domains = servers.map(({ domain }) => domain)
  const sender = `u${1 + chance.below(3)}@${server.domain}`
  const recipients = chooseRecipients(chance, plan.via === 'lmtp' ? [server.domain] : domains, domains)
  return {
    token,
    content: makeContent(chance, { token, from: sender }),
    via: plan.via,
    server: server.domain,
    sender,
    recipients,
    outcomes: new Map(recipients.map((recipient) => [recipient, 'unknown'])),
  }
}

/** Some addresses that lead to accounts no two of which are the same, and now and then one that leads nowhere. */
function chooseRecipients(chance: Chance, to: readonly string[], domains: readonly string[]): string[] {
  const chosen: string[] = []
  const leaves = new Set<string>()
  for (let tries = 1 + chance.below(4); tries > 0; tries--) {
    const local = chance.weighted({ u1: 6, u2: 4, u3: 3, small: 1, team: 1, away: 1, nobody: 1 })
    const domain = chance.happens(0.04) ? 'nowhere.test' : chance.pick(to)
    const address = `${local}@${domain}`
    const own = leavesOf(address, domains)
    if (chosen.includes(address) || own.some((leaf) => leaves.has(leaf))) continue
    chosen.push(address)
    for (const leaf of own) leaves.add(leaf)
  }
  return chosen
}

type Outcomes = ReadonlyMap<string, 'accepted' | 'refused' | 'unknown'>

/** One message over one connection; what the server said for each recipient. */
async function send(parts: Parts, sent: Sent): Promise<Outcomes> {
  const { plan, dialer, servers } = parts
  const port = plan.via === 'lmtp' ? 24 : 587
  const address = servers[plan.server]?.address ?? ''
  const dialled = await dialer.dial({ address, port, timeoutMs: 30_000 })
  if (!dialled.ok) return new Map(sent.recipients.map((recipient) => [recipient, 'refused']))
  const results = await converse(parts, dialled.connection, sent)
  dialled.connection.close()
  return new Map(sent.recipients.map((recipient, index) => [recipient, outcomeOf(results?.[index])] as const))
}

/** Behind the final dot nobody knows; before it nothing was handed over. */
function outcomeOf(result: RecipientResult | undefined): 'accepted' | 'refused' | 'unknown' {
  if (result === undefined) return 'refused'
  if (result.from === 'peer') return result.reply.code < 300 ? 'accepted' : 'refused'
  return result.stage === 'end-of-data' ? 'unknown' : 'refused'
}

async function converse(
  parts: Parts,
  connection: Connection,
  sent: Sent,
): Promise<readonly RecipientResult[] | undefined> {
  const { scheduler, plan, chance } = parts
  const machine = smtpClient({
    protocol: plan.via === 'lmtp' ? 'lmtp' : 'smtp',
    heloName: 'client.test',
    starttls: 'none',
    auth: 'none',
    chunking: chance.happens(0.2),
    pipelining: chance.happens(0.8),
  })
  let results: readonly RecipientResult[] | undefined
  const answer = answering(parts, sent)
  for (;;) {
    machine.tick(scheduler.nowMs)
    const step = machine.next()
    if (step.kind === 'close') return results
    if (step.kind === 'write') await connection.write(step.bytes)
    else if (step.kind === 'ask') machine.answer(answer(step.ask))
    else if (step.kind === 'need-input') await listen(machine, connection, scheduler)
    else if (step.kind === 'tell' && step.tell.kind === 'result') results = step.tell.result.recipients
  }
}

function answering({ chance }: Parts, sent: Sent): (ask: ClientAsk) => ClientAnswer {
  let at = 0
  let isSent = false
  return (ask) => {
    if (ask.kind === 'body') {
      if (at >= sent.content.length) return { kind: 'end' }
      const bytes = sent.content.slice(at, at + 1 + chance.below(70_000))
      at += bytes.length
      return { kind: 'bytes', bytes }
    }
    if (ask.kind !== 'next' || isSent) return { kind: 'quit' }
    isSent = true
    const recipients = sent.recipients.map((recipient) => ({ address: addressOf(recipient) }))
    const sender = { reversePath: addressOf(sent.sender), bodyType: '7BIT', smtputf8: false } as const
    return { kind: 'send', transaction: { sender, recipients, sizeBytes: sent.content.length } }
  }
}

async function listen(machine: SmtpClient, connection: Connection, scheduler: Scheduler): Promise<void> {
  machine.tick(scheduler.nowMs)
  const waitMs = (machine.deadline() ?? scheduler.nowMs + READ_TIMEOUT_MS) - scheduler.nowMs
  try {
    const bytes = await connection.read(Math.max(1, waitMs))
    if (bytes === undefined) machine.end()
    else machine.push(bytes)
  } catch {
    // Broken or silent for too long: the core says what that means for the message.
    machine.end()
  }
}

export function addressOf(text: string): Address {
  const address = parseAddress(text)
  if (address === undefined) throw new Error(`no address: ${text}`)
  return address
}
