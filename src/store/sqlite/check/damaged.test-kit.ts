import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import type { ReportRecord } from '../../../ports/reports.ts'
import type { Access } from '../../../ports/store.ts'
import { aHold, Bench, mail, uids } from '../../contract/bench.test-kit.ts'
import { lockFolder } from '../folder.ts'
import { openAt } from '../open.test-kit.ts'
import type { Store } from '../open.ts'
import { checkNow } from './check.ts'
import type { Finding } from './finding.ts'
import { type RepairResult, repairSteps } from './repair.ts'

/* Stores to be damaged: one with something in every table, and copies of it. */

const ARGON2ID = `$argon2id$v=19$m=65536,t=3,p=4$${'a'.repeat(22)}$${'b'.repeat(43)}`
const PREFIX =
  'Return-Path: <sender@elsewhere.test>\r\nReceived: by mail.example.test; Tue, 1 Sep 2026 08:00:00 +0000\r\n'

/** A folder for one test, removed after it. */
export async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'hikyaku-check-'))
  try {
    await body(join(folder, 'data'))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A closed store with every kind of row: two accounts, shared, large, threaded, expunged and queued mail. */
export async function fillStore(folder: string): Promise<void> {
  const store = await openAt(folder)
  const bench = new Bench({ store, reopen: async () => store, dispose: async () => {} })
  const anna = await bench.account('anna@example.test')
  const ben = await bench.account('ben@example.test')
  await fillAccounts(store, anna.owner)
  const { mailboxes } = store
  await mailboxes.create(anna, 'work/plans' as never)
  const large = Buffer.concat([Buffer.from(mail('large', '')), Buffer.alloc(400_000, 'text\r\n')])
  await bench.accept(large, [anna, ben], { prefix: PREFIX })
  const first = 'Message-ID: <first@example.test>\r\n'
  await bench.deliver(mail('first', 'Hello.\r\n', first), anna, {
    prefix: PREFIX,
    flags: ['\\Seen', 'Later', '$Work'],
  })
  const answer = 'Message-ID: <second@example.test>\r\nReferences: <first@example.test>\r\n'
  await bench.deliver(mail('answer', 'Yes.\r\n', answer), anna, { prefix: PREFIX })
  await bench.deliverMany(5, anna)
  await bench.deliverMany(2, ben)
  await queueOne(bench)
  await fillQuarantine(bench, anna, ben)
  const view = await bench.view(anna)
  await mailboxes.copy(anna, view, uids(view).slice(0, 3), 'work/plans' as never)
  await mailboxes.move(anna, view, [uids(view).at(-1) as number], 'Trash' as never)
  view.sync({ expunges: true })
  // Another session still shows what is expunged now: it stays pinned when the store closes.
  await bench.view(anna)
  const uid = uids(view).at(-1) as number
  await mailboxes.storeFlags(anna, view, { uids: [uid], action: 'add', flags: ['\\Deleted'], silent: true })
  await mailboxes.expunge(anna, view)
  await store.close()
}

async function fillAccounts({ accounts }: Store, anna: Parameters<Store['accounts']['noteGoodAddress']>[0]) {
  const key = (length: number) => new Uint8Array(length).fill(7)
  const scram = [
    { hash: 'SHA-256', salt: key(16), iterations: 4096, storedKey: key(32), serverKey: key(32) } as const,
  ]
  assert((await accounts.setCredential('anna@example.test', { name: 'main', argon2id: ARGON2ID, scram })).ok)
  assert((await accounts.setAlias('sales@example.test', ['anna@example.test', 'far@away.test'])).ok)
  assert((await accounts.setLanguage('anna@example.test', 'ja')).ok)
  accounts.noteGoodAddress(anna, '192.0.2.1', 1_000_000)
}

async function queueOne(bench: Bench): Promise<void> {
  const queued = await bench.accept(mail('outwards'), [], {
    prefix: PREFIX,
    trace: [{ atMs: 1_000_000, kind: 'sender', reversePath: 'sender@elsewhere.test' }],
    queue: {
      sender: {
        reversePath: { local: 'anna', domain: 'example.test' },
        bodyType: '8BITMIME',
        smtputf8: false,
      },
      recipients: [
        { address: { local: 'far', domain: 'away.test' }, notify: ['FAILURE'] },
        { address: { local: 'near', domain: 'away.test' } },
      ],
      nextAttemptAtMs: 2_000_000,
      skipBytes: 10,
    },
  })
  assert(queued.ok)
}

async function fillQuarantine(bench: Bench, anna: Access, ben: Access): Promise<void> {
  const queue = {
    sender: { reversePath: null, bodyType: '8BITMIME', smtputf8: false } as const,
    recipients: [{ address: { local: 'far', domain: 'away.test' } }],
    nextAttemptAtMs: 2_000_000,
    skipBytes: 10,
  }
  assert((await bench.accept(mail('held'), [anna, ben], { prefix: PREFIX, queue, hold: aHold() })).ok)
  const large = Buffer.concat([Buffer.from(mail('held and large', '')), Buffer.alloc(300_000, 'text\r\n')])
  assert((await bench.accept(large, [anna], { prefix: PREFIX, hold: aHold() })).ok)
  const host = { octets: Uint8Array.of(192, 0, 2, 0), prefixBits: 24 }
  const { reports } = bench.store
  const published = { p: 'none', adkim: 'r', aspf: 'r', t: false, rua: ['mailto:d@far.test'] } as const
  const record: ReportRecord = {
    ...{ sourceIp: '192.0.2.1', count: 1, disposition: 'none', dkimAligned: false, spfAligned: false },
    ...{ reasons: [], headerFrom: 'far.test', dkim: [] },
  }
  reports.tally({ day: '2026-11-23', policy: { ...published, domain: 'far.test' }, record })
  const received = { organization: 'Far', reportId: '1', policyDomain: 'example.test', beginMs: 0, endMs: 1 }
  const when = { receivedAtMs: 1_000_000, traceId: bench.traceId(), records: [record], omitted: 0 }
  assert((await reports.addReceived({ ...received, ...when })).ok)
  await bench.store.trust.add({ key: { kind: 'dkim', domain: 'list.test' }, host, addedAtMs: 1_000_000 })
}

export async function copyOf(folder: string, to: string): Promise<string> {
  await cp(folder, to, { recursive: true, preserveTimestamps: true })
  return to
}

export function execute(folder: string, sql: string): void {
  const db = new DatabaseSync(join(folder, 'hikyaku.db'), { defensive: false })
  try {
    db.exec(sql)
  } finally {
    db.close()
  }
}

/** The one value of a query. */
export function readValue(folder: string, sql: string): unknown {
  const db = new DatabaseSync(join(folder, 'hikyaku.db'))
  try {
    return Object.values(db.prepare(sql).get() ?? {})[0]
  } finally {
    db.close()
  }
}

export function findingsOf(folder: string, options: Parameters<typeof checkNow>[1] = {}): readonly Finding[] {
  const result = checkNow(folder, options)
  assert(result.ok, result.ok ? '' : result.problem)
  return result.findings
}

export function kindsOf(findings: readonly Finding[]): readonly string[] {
  return [...new Set(findings.map(({ kind }) => kind))].sort()
}

export function repairNow(folder: string): {
  readonly result: RepairResult
  readonly sentences: readonly string[]
} {
  const owned = lockFolder(folder)
  assert(owned.ok, owned.ok ? '' : owned.error.problem)
  const sentences: string[] = []
  try {
    const steps = repairSteps(folder)
    for (;;) {
      const step = steps.next()
      if (step.done === true) return { result: step.value, sentences }
      if (step.value.kind === 'repaired') sentences.push(step.value.sentence)
    }
  } finally {
    owned.value.release()
  }
}

/** Every message that can be read: where it stands, and a checksum of its octets. */
export function readableMail(folder: string): ReadonlyMap<string, number> {
  const db = new DatabaseSync(join(folder, 'hikyaku.db'), { readOnly: true })
  const mail = new Map<string, number>()
  try {
    for (const row of db.prepare(READABLE).iterate()) {
      const { place, prefix, head, text, file } = row as Record<string, string> & Record<string, Uint8Array>
      const path = join(folder, 'bodies', String(file))
      const content = file === null ? [head, text] : existsSync(path) ? [readFileSync(path)] : []
      if (content.every((piece) => piece instanceof Uint8Array))
        mail.set(String(place), crc32(Buffer.concat([prefix, ...content] as Uint8Array[])))
    }
  } finally {
    db.close()
  }
  return mail
}

const READABLE = `SELECT a.login || ' ' || b.name || ' ' || e.uid AS place, o.prefix, o.head, t.bytes AS text, o.file
  FROM entries e JOIN messages m ON m.id = e.message JOIN bodies o ON o.id = m.body LEFT JOIN texts t ON t.body = o.id
  JOIN mailboxes b ON b.id = e.mailbox JOIN accounts a ON a.id = b.account`

/** What a repair has lost of it. */
export function lostMail(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): string[] {
  return [...before].filter(([place, crc]) => after.get(place) !== crc).map(([place]) => place)
}
