// The world of the chain: its names in a real DNS, our server under its name, its one mailbox, its senders.

import assert from 'node:assert/strict'
import type { ImapFlow, SearchObject } from 'imapflow'
import { callControl } from '../../src/platform/control-client.ts'
import { openImapFlow } from '../harness/clients/imapflow.ts'
import {
  addAccount,
  below,
  configText,
  localName,
  ports,
  type Sections,
  type Server,
  startServer,
} from '../harness/hikyaku.ts'
import { needPrograms, needSlowNamespace } from '../harness/programs.ts'
import { addAddress, type Resolution, startResolution } from '../harness/resolution.ts'
import { makeScratch, type Scratch } from '../harness/scratch.ts'
import { letterOf, makeSigner, type Signer } from './letters.ts'
import { type Letter, type Origin, type Sent, sendLetter } from './session.ts'
import { chainFolder, type Row, readTranscripts } from './transcripts.ts'

export const hostname = 'dhcp.jf3vqb.test'
export const account = 'pokemon@jf3vqb.test'
const password = 'Kq7-tenbin-wakusei-41'
/** The server's own addresses in the chain's world, for senders who come from real addresses. */
const ownAddresses = { 4: '198.51.100.25', 6: '2001:db8:100::25' } as const
const secondaries = ['203.0.113.20/32', '2001:db8:200::20/128']

/** Where a message is, by its Message-ID; the octets as IMAP gives them. */
export interface Delivered {
  readonly mailbox: string
  readonly octets: string
}

export interface World {
  readonly server: Server
  readonly signer: Signer
  readonly scratch: Scratch
  row(id: string): Row
  letter(id: string): Promise<Letter>
  /** By PROXY, in the name of the letter's client. */
  send(letter: Letter): Promise<Sent>
  /** From the client's real address to port 25. */
  sendFromAddress(letter: Letter): Promise<Sent>
  origin(client: string): Origin
  /** Everything in the account's mailboxes with this Message-ID; undefined: all that has none. */
  delivered(messageId: string | undefined): Promise<readonly Delivered[]>
  /** Everything in the account's mailboxes whose Subject has this in it. */
  withSubject(part: string): Promise<readonly Delivered[]>
  /** A command as the control socket takes it; rejects where it fails. */
  ask(verb: string, args?: Readonly<Record<string, unknown>>): Promise<readonly string[]>
  stop(): Promise<void>
}

export interface WorldOptions {
  /** Settings over those of the world. */
  readonly settings?: Sections
  /** Of the server's process. */
  readonly env?: Readonly<Record<string, string>>
}

/** Undefined where the test data is not there. */
export async function openWorld(name: string, options: WorldOptions = {}): Promise<World | undefined> {
  const folder = chainFolder()
  if (folder === undefined) return undefined
  needSlowNamespace()
  needPrograms('dkimverify')
  const scratch = makeScratch(name)
  const signer = makeSigner(scratch.folder)
  const rows = readTranscripts(folder)
  const started: { resolution?: Resolution; server?: Server; imap?: ImapFlow } = {}
  const stop = async () => {
    // A server that was stopped has ended it already.
    if (started.imap?.usable === true) await started.imap.logout()
    await started.server?.stop()
    await started.resolution?.stop()
    scratch.remove()
  }
  try {
    started.resolution = await startResolution({
      ...{ folder: scratch.folder, origin: 'test.', authority: '203.0.113.53' },
      zone: `$INCLUDE ${folder}/test.zone\n${signer.zone}`,
    })
    for (const address of Object.values(ownAddresses)) await addAddress(address)
    const server = await startServer({
      folder: below(scratch.folder, 'server'),
      config: configOf(started.resolution, options.settings),
      ...(options.env === undefined ? {} : { env: options.env }),
    })
    started.server = server
    await addAccount(server, account, password)
    // From 127.0.0.1 every connection has to begin with a PROXY header.
    const login = { host: '::1', port: ports.imaps, tls: 'implicit', caFile: server.caFile } as const
    const imap = await openImapFlow({ ...login, user: account, password })
    started.imap = imap
    const rowOf = (id: string): Row => {
      const row = rows.get(id)
      if (row === undefined) throw new Error(`${id} is not in the record`)
      return row
    }
    const origin = (client: string): Origin => ({ by: 'proxy', client, port: ports.mx })
    return {
      ...{ server, signer, scratch, row: rowOf, origin, stop },
      letter: (id) => letterOf(rowOf(id), signer),
      send: (letter) => sendLetter(origin(letter.client), letter),
      sendFromAddress: async (letter) => {
        await addAddress(letter.client)
        const host = letter.client.includes(':') ? ownAddresses[6] : ownAddresses[4]
        return await sendLetter({ by: 'address', client: letter.client, host, port: 25 }, letter)
      },
      delivered: (messageId) =>
        readDelivered(
          imap,
          messageId === undefined
            ? { not: { header: { 'message-id': true } } }
            : { header: { 'message-id': messageId } },
        ),
      withSubject: (part) => readDelivered(imap, { subject: part }),
      ask: (verb, args = {}) => ask(server, verb, args),
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function configOf(resolution: Resolution, settings: Sections = {}): string {
  return configText({
    server: { hostname },
    domains: { names: ['jf3vqb.test'] },
    listen: {
      mx: [`127.0.0.1:${ports.mx}`, `${ownAddresses[4]}:25`, `[${ownAddresses[6]}]:25`],
      proxy_from: ['127.0.0.1/32'],
    },
    tls: { names: [localName, '::1'] },
    // A connection for each message, about a hundred of them.
    smtp: { greeting_delay: '10 ms' },
    dns: { servers: [resolution.server] },
    policy: { secondaries },
    ...settings,
  })
}

async function readDelivered(imap: ImapFlow, query: SearchObject): Promise<readonly Delivered[]> {
  const found: Delivered[] = []
  for (const mailbox of ['INBOX', 'Junk']) {
    const lock = await imap.getMailboxLock(mailbox)
    try {
      const uids = await imap.search(query, { uid: true })
      for (const uid of uids || []) {
        const message = await imap.fetchOne(String(uid), { source: true }, { uid: true })
        if (typeof message === 'object' && message.source)
          found.push({ mailbox, octets: message.source.toString('latin1') })
      }
    } finally {
      lock.release()
    }
  }
  return found
}

async function ask(
  server: Server,
  verb: string,
  args: Readonly<Record<string, unknown>>,
): Promise<readonly string[]> {
  const lines: string[] = []
  const answer = await callControl(`${server.folder}/data/control.sock`, { verb, args }, (line) =>
    lines.push(line),
  )
  assert.equal(answer.kind, 'result', `${verb}: ${JSON.stringify(answer)}`)
  const result = (answer as { result: { ok?: unknown; lines?: unknown; error?: unknown } }).result
  if (result.ok !== true) throw new Error(`${verb}: ${String(result.error)}`)
  return Array.isArray(result.lines) ? result.lines.map(String) : lines
}
