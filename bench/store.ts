import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Address, parseAddress } from '../src/mail/address.ts'
import { makeTraceId } from '../src/mail/ids.ts'
import type { FetchWanted } from '../src/ports/mailboxes.ts'
import type { Access } from '../src/ports/store.ts'
import { openStore, type Store } from '../src/store/sqlite/open.ts'

// How quick the store is by itself, without a socket: durable deliveries with 1, 10 and 64 waiting, and a
// mailbox read back. `node bench/store.ts [FOLDER]`; the folder decides which disk is measured.

const WAITING = [1, 10, 64]
const RUN_MS = 3000
/** Before anything is measured, so that the first figure is not that of cold code. */
const WARM_MS = 2000
const BODY = Buffer.alloc(3400, 'A line of text as it stands in mail, some fifty octets.\r\n')
const HEADER = [
  'Received: from mx.far.test (mx.far.test [192.0.2.1]) by mx.example.test with ESMTPS; Tue, 2 Jan 2024 10:00:00 +0900',
  'From: Ben <ben@far.test>',
  'To: Anna <anna@example.test>',
  'Subject: measuring how quick it is',
  'Date: Tue, 2 Jan 2024 10:00:00 +0900',
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=utf-8',
]
const recipient = parseAddress('anna@example.test') as Address
const reversePath = parseAddress('ben@far.test') as Address

let count = 0
async function deliver(store: Store, access: Access): Promise<void> {
  const now = Date.now()
  const writer = store.intake.body(1 << 20)
  writer.write(Buffer.from(`${HEADER.join('\r\n')}\r\nMessage-ID: <${++count}@far.test>\r\n\r\n`))
  writer.write(BODY)
  const staged = await writer.finish()
  if (!staged.ok) throw new Error(staged.failure.cause)
  const stored = await store.intake.accept({
    traceId: makeTraceId(now, crypto.getRandomValues(new Uint8Array(10))),
    trace: [
      { atMs: now, kind: 'connected', listener: 'mx', client: '192.0.2.1' },
      { atMs: now, kind: 'helo', name: 'mx.far.test', extended: true },
      { atMs: now, kind: 'sender', reversePath: 'ben@far.test' },
      { atMs: now, kind: 'recipient', address: 'anna@example.test', as: 'account' },
      {
        atMs: now,
        kind: 'received',
        sizeBytes: staged.value.sizeBytes,
        subject: 'measuring how quick it is',
      },
      { atMs: now, kind: 'decision', action: 'accept', rule: 'default' },
    ],
    body: staged.value,
    prefix: Buffer.from('Return-Path: <ben@far.test>\r\n'),
    reversePath,
    receivedAtMs: now,
    deliveries: [{ owner: access.owner, mailbox: 'INBOX', flags: [], recipient }],
  })
  if (!stored.ok) throw new Error(stored.failure.cause)
}

async function warmUp(store: Store, access: Access): Promise<void> {
  const until = performance.now() + WARM_MS
  const hand = async (): Promise<void> => {
    while (performance.now() < until) await deliver(store, access)
  }
  await Promise.all([hand(), hand(), hand(), hand()])
}

async function measureWriting(store: Store, access: Access, waiting: number): Promise<void> {
  const latencies: number[] = []
  const until = performance.now() + RUN_MS
  const started = performance.now()
  const cpu = process.cpuUsage()
  const hand = async (): Promise<void> => {
    while (performance.now() < until) {
      const before = performance.now()
      await deliver(store, access)
      latencies.push(performance.now() - before)
    }
  }
  await Promise.all(Array.from({ length: waiting }, hand))
  const seconds = (performance.now() - started) / 1000
  const { system, user } = process.cpuUsage(cpu)
  latencies.sort((a, b) => a - b)
  const at = (part: number): string => (latencies[Math.floor(latencies.length * part)] ?? 0).toFixed(2)
  const each = ((system + user) / latencies.length).toFixed(0)
  const rate = Math.round(latencies.length / seconds)
  console.log(`${waiting} waiting: ${rate}/s, ${each} µs of CPU each, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`)
}

async function measureReading(store: Store, access: Access): Promise<void> {
  const timed = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    const before = performance.now()
    await work()
    console.log(`${what}: ${(performance.now() - before).toFixed(1)} ms`)
  }
  const open = () => store.mailboxes.open(access, 'INBOX', { readOnly: false })
  await timed('SELECT, first', open)
  await timed('SELECT, again', open)
  const opened = await open()
  if (!opened.ok) throw new Error(opened.error.kind)
  const view = opened.value
  const seqs = Array.from({ length: Math.min(10_000, view.exists) }, (_, i) => i + 1)
  const read = async (wanted: FetchWanted): Promise<void> => {
    for await (const _ of store.mailboxes.fetch(access, view, seqs, wanted));
  }
  console.log(`${seqs.length} of ${view.exists} messages:`)
  await timed('  ENVELOPE and BODYSTRUCTURE', () => read({ envelope: true, bodyStructure: true }))
  const fields = ['from', 'subject', 'date']
  await timed('  three header fields', () => read({ sections: [{ path: [], what: { fields, not: false } }] }))
  await timed('  BODY[]', () => read({ sections: [{ path: [], what: 'all' }] }))
  await timed('  BODY[] again', () => read({ sections: [{ path: [], what: 'all' }] }))
  const uids = seqs.map((seq) => view.uid(seq))
  const change = { uids, action: 'add', flags: ['\\Seen'], silent: true } as const
  await timed('  STORE +FLAGS', () => store.mailboxes.storeFlags(access, view, change))
  await timed('SEARCH HEADER', () =>
    store.mailboxes.search(access, view, { kind: 'header', name: 'subject', text: 'nowhere' }),
  )
  await timed('SEARCH BODY', () => store.mailboxes.search(access, view, { kind: 'body', text: 'nowhere' }))
}

const folder = await mkdtemp(join(process.argv[2] ?? tmpdir(), 'hikyaku-bench-'))
try {
  const opened = await openStore({
    folder,
    directory: { domains: ['example.test'], separator: '+' },
    now: () => Date.now(),
    onFault: (cause) => {
      throw new Error(cause)
    },
  })
  if (!opened.ok) throw new Error(opened.error.problem)
  const { store } = opened
  const made = await store.accounts.addAccount({ login: 'anna@example.test' })
  if (!made.ok) throw new Error(made.error.what)
  const access: Access = { actor: { kind: 'system', what: 'bench' }, owner: made.value.id }
  await warmUp(store, access)
  for (const waiting of WAITING) await measureWriting(store, access, waiting)
  await measureReading(store, access)
  await store.close()
} finally {
  await rm(folder, { recursive: true })
}
