import assert from 'node:assert/strict'
import { isTraceId } from '../mail/ids.ts'
import { Attacker } from './attacker.test-kit.ts'
import { type HostileDns, startHostileDns } from './hostile-dns.test-kit.ts'
import { type Account, type ConfigTables, type House, startHouse } from './house.test-kit.ts'
import type { Wire } from './wire.test-kit.ts'

/*
 * A server with a DNS of the test's own, and a forger at port 25: he owns attacker.test and its address, and wants to
 * be an author of victim.test (p=reject) or held.test (p=quarantine).
 */

export const FORGER = '203.0.113.66'
/** From here victim.test sends. */
export const HONEST = '192.0.2.25'
const DATE = 'Tue, 24 Nov 2026 10:00:00 +0000'

export interface Guarded {
  readonly house: House
  readonly dns: HostileDns
  stop(): Promise<void>
}

export async function startGuarded(tables: ConfigTables = {}): Promise<Guarded> {
  const dns = await startHostileDns()
  const spf = (address: string) => ['TXT', `v=spf1 ip4:${address} -all`] as const
  dns.set({
    'attacker.test': [spf(FORGER), ['A', FORGER]],
    'mx.attacker.test': [spf(FORGER), ['A', FORGER]],
    'victim.test': [spf(HONEST), ['A', HONEST]],
    '_dmarc.victim.test': [['TXT', 'v=DMARC1; p=reject']],
    'held.test': [spf(HONEST), ['A', HONEST]],
    '_dmarc.held.test': [['TXT', 'v=DMARC1; p=quarantine']],
    'honest.test': [spf(HONEST), ['A', HONEST]],
  })
  const house = await startHouse({
    ...tables,
    smtp: { greeting_delay: '0 s', ...tables.smtp },
    dns: { servers: [dns.server], timeout: '250 ms' },
  })
  return {
    house,
    dns,
    stop: async () => {
      await house.stop()
      await dns.stop()
    },
  }
}

export interface Sent {
  readonly to: string | readonly string[]
  readonly client?: string
  readonly helo?: string
  /** What stands behind `MAIL FROM:`. */
  readonly mail?: string
  /** What stands behind the recipient's address. */
  readonly rcpt?: string
  readonly content: string
  /** Waits on, for what the server itself waits for. */
  readonly isPatient?: boolean
}

/** Header fields with what is missing of the usual ones, and a body. */
export function letter(fields: readonly string[], body = 'Pay at once.\r\n'): string {
  const has = (name: string): boolean => fields.some((field) => field.toLowerCase().startsWith(`${name}:`))
  const all = [
    ...fields,
    ...(has('date') ? [] : [`Date: ${DATE}`]),
    ...(has('subject') ? [] : ['Subject: Invoice']),
  ]
  return `${all.join('\r\n')}\r\n\r\n${body}`
}

async function replyOf(wire: Wire, patience = 0): Promise<string> {
  const lines: string[] = []
  for (let left = patience; ; ) {
    const line = await wire.line().catch((error: Error) => {
      if (left-- > 0 && error.message.startsWith('nothing more came')) return undefined
      throw error
    })
    if (line === undefined) continue
    lines.push(line)
    if (!/^\d{3}-/.test(line)) return lines.join('\n')
  }
}

/** Sends a message; the first reply that is not positive, or the last. Octets are those of latin1. */
export async function send({ house }: Guarded, sent: Sent): Promise<string> {
  const { client = FORGER, helo = 'mx.attacker.test', mail = '<x@attacker.test>', rcpt = '', content } = sent
  const wire = await house.open({ port: 'mx', proxied: client })
  try {
    const patience = sent.isPatient === true ? 6 : 0
    await replyOf(wire)
    const recipients = typeof sent.to === 'string' ? [sent.to] : sent.to
    for (const line of [
      `EHLO ${helo}`,
      `MAIL FROM:${mail}`,
      ...recipients.map((to) => `RCPT TO:<${to}>${rcpt}`),
      'DATA',
    ]) {
      wire.send(Buffer.from(`${line}\r\n`, 'latin1'))
      const answer = await replyOf(wire, patience)
      if (!/^[23]/.test(answer)) return answer
    }
    const stuffed = content.replace(/^\./gm, '..')
    wire.send(Buffer.from(`${stuffed}${stuffed.endsWith('\r\n') ? '' : '\r\n'}.\r\n`, 'latin1'))
    return await replyOf(wire, patience)
  } finally {
    wire.socket.destroy()
  }
}

/** `delivered`, `held`, or `refused 554 5.6.0`. */
export async function fate(guarded: Guarded, sent: Sent): Promise<string> {
  return fateOf(guarded, await send(guarded, sent))
}

export async function fateOf({ house }: Guarded, answer: string): Promise<string> {
  const id = idIn(answer)
  if (id === undefined) return `refused ${/^\d{3}[ -][\d.]+/.exec(answer)?.[0].replace('-', ' ') ?? answer}`
  return (await house.server.house.ports.quarantine.get(id)) === undefined ? 'delivered' : 'held'
}

export function idIn(answer: string) {
  const id = /on disk as (\S+)$/.exec(answer)?.[1]?.replace(/[^\w-]+$/, '')
  return id !== undefined && isTraceId(id) ? id : undefined
}

/** An honest server's message gets through. */
export async function honestMailArrives(guarded: Guarded, to: string): Promise<void> {
  const content = letter(['From: Ann <ann@honest.test>', 'Subject: honest'])
  const answer = await fate(guarded, {
    ...{ to, client: HONEST, helo: 'mx.honest.test', mail: '<ann@honest.test>', content },
  })
  assert.equal(answer, 'delivered')
}

/** The newest message in INBOX. */
export async function newest({ house }: Guarded, account: Account, section = 'HEADER'): Promise<string> {
  const client = await Attacker.loggedIn(house, account)
  await client.ok('SELECT INBOX')
  const fetched = await client.ok(`FETCH * BODY.PEEK[${section}]`)
  client.leave()
  return fetched.filter((line) => / FETCH \(/.test(line)).join('\n')
}

/** How many messages are in INBOX. */
export async function count({ house }: Guarded, account: Account): Promise<number> {
  const client = await Attacker.loggedIn(house, account)
  const [status = ''] = await client.ok('STATUS INBOX (MESSAGES)')
  client.leave()
  return Number(/MESSAGES (\d+)/.exec(status)?.[1])
}
