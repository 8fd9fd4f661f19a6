import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AccountId } from '../../mail/ids.ts'
import type { MailboxView } from '../../ports/mailboxes.ts'
import { ImapServer } from '../../protocol/imap/server.ts'
import type { ImapAnswer, ImapAsk } from '../../protocol/imap/types.ts'
import type { Link } from '../link.ts'
import type { ImapDeps } from './context.ts'
import { ImapSession } from './session.ts'

/* What a test on a whole server cannot time: a client that goes while the store is at work for it. */

interface Rig {
  readonly session: ImapSession
  readonly events: string[]
  readonly closedViews: () => number
  readonly bodies: () => number
  /** Lets the store's open or status come to its end. */
  readonly settle: (value: unknown) => void
  leave(): void
}

/** A session that has logged in, on a store that answers when the test says so. */
async function rig(): Promise<Rig> {
  let settle: (value: unknown) => void = () => {}
  let closedViews = 0
  let bodies = 0
  const events: string[] = []
  const later = () =>
    new Promise((resolve) => {
      settle = resolve
    })
  const view = {
    close: () => void closedViews++,
    exists: 0,
    recent: 0,
    keywords: [],
    changes: () => [],
    behind: false,
  }
  const body = { heldBytes: 5, write: () => {}, finish: later, abort: () => void events.push('abort') }
  const deps = {
    mailboxes: { open: later, status: later },
    intake: {
      room: () => undefined,
      body() {
        bodies++
        return body
      },
    },
    credentials: {
      mechanisms: () => ['PLAIN'],
      verifyPassword: async () => ({ kind: 'ok', account: 1 as AccountId, login: 'me@example.test' }),
    },
    clock: { now: () => 0, zoneMinutes: () => 0, monotonic: () => 0, after: () => () => {} },
    random: { bytes: (count: number) => new Uint8Array(count) },
    log: { event: (name: string) => void events.push(name) },
    settings: () => ({ maxMessageBytes: 1000 }),
    tlsReady: true,
  } as unknown as ImapDeps
  const machine = new ImapServer({ literals: 'LITERAL+', nowMs: 0 })
  const session = new ImapSession(
    deps,
    { listener: 'imaps', remoteAddress: '192.0.2.1', proxied: false },
    machine,
  )
  const link = {
    tls: undefined,
    gone: false,
    pump: () => {},
    drained: async () => true,
    cut: () => {},
    hold: (sizeBytes: number) => void events.push(`hold ${sizeBytes}`),
    belongsTo: () => true,
    isTight: false,
    admits: () => true,
  }
  session.attached(link as Link)
  await session.ask({
    kind: 'command',
    tag: 'a',
    command: { kind: 'login', user: 'me@example.test', password: 'x' },
  })
  return {
    session,
    events,
    closedViews: () => closedViews,
    bodies: () => bodies,
    settle: (value) => settle(value ?? { ok: true, value: view as unknown as MailboxView }),
    leave() {
      link.gone = true
      session.closed({ kind: 'peer-closed', cause: 'test' })
    },
  }
}

const SELECT: ImapAsk = {
  kind: 'command',
  tag: 'b',
  command: { kind: 'select', mailbox: 'INBOX' as never },
}
const APPEND = {
  kind: 'append-start',
  tag: 'c',
  waits: true,
  command: { kind: 'append', mailbox: 'INBOX', flags: [], sizeBytes: 5 },
} as unknown as ImapAsk

test('a mailbox that opens for a client that is gone is closed again', async () => {
  const { session, settle, leave, closedViews } = await rig()
  const answer = session.ask(SELECT) as Promise<ImapAnswer>
  await new Promise(setImmediate)
  leave()
  settle(undefined)
  await answer
  assert.equal(closedViews(), 1)
})

test('an APPEND of a client that is gone begins no body', async () => {
  const { session, settle, leave, bodies } = await rig()
  const answer = session.ask(APPEND) as Promise<ImapAnswer>
  await new Promise(setImmediate)
  leave()
  settle({ ok: true, value: {} })
  await answer
  assert.equal(bodies(), 0)
})

/** An APPEND whose message has come. */
async function uploaded(): Promise<Rig> {
  const made = await rig()
  const answer = made.session.ask(APPEND) as Promise<ImapAnswer>
  await new Promise(setImmediate)
  made.settle({ ok: true, value: {} })
  assert.equal((await answer).kind, 'accept')
  await made.session.tell({ kind: 'append-data', octets: Buffer.from('12345') })
  assert.equal(made.events.at(-1), 'hold 5')
  return made
}

test('an APPEND that is broken off holds no memory any more', async () => {
  const { session, events } = await uploaded()
  session.tell({ kind: 'append-abort', cause: 'more than one literal' })
  assert.deepEqual(events.slice(-2), ['abort', 'hold 0'])
})

test('where memory is short an upload is let go, but not a message on its way to the disk', async () => {
  const early = await uploaded()
  assert.equal(early.session.shed(), true)
  assert.deepEqual(early.events.slice(-2), ['abort', 'hold 0'])
  const late = await uploaded()
  const answer = late.session.ask({ kind: 'append-end', tag: 'c' }) as Promise<ImapAnswer>
  assert.equal(late.session.shed(), true)
  assert.equal(late.events.includes('abort'), false)
  late.settle({ ok: false, failure: { kind: 'too-big' } })
  assert.equal((await answer).kind, 'done')
  assert.equal(late.session.shed(), false)
})

test('our own fault ends the command with NO and leaves its cause in the log, not with the client', async () => {
  const { session, settle, events } = await rig()
  const answer = session.ask(SELECT) as Promise<ImapAnswer>
  await new Promise(setImmediate)
  settle({
    get ok(): never {
      throw new Error('a private cause')
    },
  })
  const done = await answer
  assert.ok(done.kind === 'done' && done.status === 'NO' && done.code === 'SERVERBUG', JSON.stringify(done))
  assert.ok(!done.text.includes('private'))
  assert.ok(events.includes('server.fault'))
})
