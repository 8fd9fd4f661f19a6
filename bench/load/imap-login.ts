import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import type { ImapWire } from './imap-wire.ts'

export interface Account {
  readonly user: string
  readonly password: string
}

/** How a client logs in: LOGIN, or AUTHENTICATE with one of these. */
export type LoginWay = 'login' | 'plain' | 'scram-sha-256'

/** Logs in. Rejects where the server refuses. */
export async function login(wire: ImapWire, account: Account, way: LoginWay = 'login'): Promise<void> {
  if (way === 'login') await wire.must(`LOGIN "${account.user}" "${account.password}"`)
  else if (way === 'plain') await plain(wire, account)
  else await scram(wire, account)
}

async function plain(wire: ImapWire, { user, password }: Account): Promise<void> {
  await wire.must(`AUTHENTICATE PLAIN ${Buffer.from(`\0${user}\0${password}`).toString('base64')}`)
}

/** Salted passwords by what they are made from: a client keeps them, as rfc5802 §5.1 lets it. */
const salted = new Map<string, Buffer>()

/** rfc5802 §3, with the initial response in the command. */
async function scram(wire: ImapWire, { user, password }: Account): Promise<void> {
  const nonce = randomBytes(15).toString('base64')
  const bare = `n=${user},r=${nonce}`
  const first = await wire.continued(`AUTHENTICATE SCRAM-SHA-256 ${base64(`n,,${bare}`)}`)
  if (!first.ok) throw new Error(first.last)
  const challenge = Buffer.from(first.last.slice(2), 'base64').toString()
  const { r, s, i } = Object.fromEntries(challenge.split(',').map((part) => [part[0], part.slice(2)]))
  if (r === undefined || s === undefined || i === undefined) throw new Error(`SCRAM: ${challenge}`)
  const key = `${s} ${i} ${password}`
  const made = salted.get(key) ?? pbkdf2Sync(password, Buffer.from(s, 'base64'), Number(i), 32, 'sha256')
  salted.set(key, made)
  const clientKey = createHmac('sha256', made).update('Client Key').digest()
  const unproved = `c=biws,r=${r}`
  const stored = createHash('sha256').update(clientKey).digest()
  const signature = createHmac('sha256', stored).update(`${bare},${challenge},${unproved}`).digest()
  const proof = clientKey.map((octet, index) => octet ^ (signature[index] ?? 0))
  const final = `${unproved},p=${Buffer.from(proof).toString('base64')}`
  // The server's own proof comes with the tagged reply or in a challenge that is answered by an empty line.
  const last = await wire.line(base64(final), 'continued')
  if (/^b\d+ (NO|BAD)/.test(last.last)) throw new Error(last.last)
  const done = await wire.line('')
  if (!done.ok) throw new Error(done.last)
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
