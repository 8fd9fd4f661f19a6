import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TraceId } from '../../mail/ids.ts'
import type { NewHold } from '../../ports/new-hold.ts'
import type { NewQueueItem } from '../../ports/new-queue-item.ts'
import type { Access } from '../../ports/store.ts'
import { aHold, Bench, type Implementation, mail } from './bench.test-kit.ts'

const HOW = { by: 'operator', nowMs: 5_000_000 }
const NO_LIMIT = Number.MAX_SAFE_INTEGER

/** What is held is there as it came, in nobody's mailbox, until it is released, deleted or past its time. */
export function quarantineContract(implementation: Implementation): void {
  const run = (what: string, body: (bench: Bench) => Promise<void>): void => {
    test(`quarantine: ${what}`, () => Bench.run(implementation, body))
  }

  run('a held message is kept with all that was found out, over a restart too', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const hold = aHold({ list: 'news.list.test', unknown: ['nobody@example.test'] })
    const id = await holdOne(bench, mail('held'), [anna], { hold, prefix: 'Return-Path: <>\r\n' })
    assert.equal((await bench.view(anna)).exists, 0)
    assert.deepEqual(await bench.store.queue.list({ limit: 10 }), [])
    await bench.reopen()
    const held = await bench.store.quarantine.get(id)
    assert.deepEqual(held, {
      ...hold,
      id,
      heldAtMs: 1_000_000,
      reversePath: 'sender@elsewhere.test',
      sizeBytes: mail('held').length + 17,
      recipients: [{ address: 'someone@example.test', account: anna.owner }],
    })
    assert.deepEqual(await bench.store.quarantine.list({ limit: 10 }), [held])
    const octets = await bench.store.quarantine.content(id, NO_LIMIT)
    assert.equal(Buffer.from(octets ?? []).toString(), `Return-Path: <>\r\n${mail('held')}`)
    assert.equal((await bench.store.quarantine.content(id, 5))?.length, 5)
    assert.deepEqual(await kinds(bench, id), ['quarantined'])
  })

  run('it is released to everyone whom it would have reached, in one thread, once', async (bench) => {
    const [anna, ben] = [await bench.account('anna@example.test'), await bench.account('ben@example.test')]
    await bench.deliver(mail('first', 'Hi.\r\n', 'Message-ID: <a@b.test>\r\n'), anna)
    const answer = mail('answer', 'Yes.\r\n', 'Message-ID: <c@d.test>\r\nReferences: <a@b.test>\r\n')
    const id = await holdOne(bench, answer, [anna, ben], { queue: FAR, prefix: 'Return-Path: <>\r\n' })
    const released = await bench.store.quarantine.release(id, HOW)
    assert(released?.ok)
    assert.deepEqual(released.value, [
      { owner: anna.owner, mailbox: 'INBOX', uid: 2 },
      { owner: ben.owner, mailbox: 'INBOX', uid: 1 },
    ])
    const view = await bench.view(anna)
    assert.equal((await bench.octets(anna, view, 2)).toString(), `Return-Path: <>\r\n${answer}`)
    const [before, after] = await bench.rows(anna, view, [1, 2], { emailId: true })
    assert(before?.threadId !== undefined)
    assert.equal(after?.threadId, before.threadId)
    const [item] = await bench.store.queue.list({ limit: 10 })
    assert(item !== undefined)
    assert.equal(item.sizeBytes, answer.length)
    assert.equal(item.recipients[0]?.nextAttemptAtMs, HOW.nowMs)
    assert.equal(item.traceId, id)
    assert.equal(await bench.store.quarantine.release(id, HOW), undefined)
    assert.deepEqual(await bench.store.quarantine.totals(), { count: 0, bytes: 0 })
    assert.deepEqual(await kinds(bench, id), ['quarantined', 'released', 'stored', 'stored', 'queued'])
  })

  run('a large one, in a file, is read, released and deleted as any other', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const large = mail('large', 'text\r\n'.repeat(100_000))
    const [one, two] = [await holdOne(bench, large, [anna]), await holdOne(bench, large, [anna])]
    await bench.reopen()
    for (const id of [one, two]) {
      assert.equal(Buffer.from((await bench.store.quarantine.content(id, NO_LIMIT)) ?? []).toString(), large)
      assert.equal((await bench.store.quarantine.content(id, 300_000))?.length, 300_000)
    }
    assert((await bench.store.quarantine.release(one, HOW))?.ok)
    assert.deepEqual(await bench.store.quarantine.delete(two, HOW), { ok: true, value: true })
    await bench.reopen()
    assert.equal((await bench.octets(anna, await bench.view(anna), 1)).toString(), large)
    assert.equal(await bench.store.quarantine.content(two, NO_LIMIT), undefined)
  })

  run('no quota refuses a hold; a full mailbox keeps it held until there is room', async (bench) => {
    const [anna, ben] = [
      await bench.account('anna@example.test'),
      await bench.account('ben@example.test', 10),
    ]
    await bench.deliver(mail('fills it'), ben)
    const id = await holdOne(bench, mail('held'), [anna, ben], { queue: FAR, prefix: 'Return-Path: <>\r\n' })
    const refused = await bench.store.quarantine.release(id, HOW)
    assert(refused !== undefined && !refused.ok)
    assert.equal(refused.failure.kind, 'over-quota')
    assert.match(refused.failure.cause, /ben@example\.test/)
    assert.equal((await bench.view(anna)).exists, 0)
    assert.deepEqual(await bench.store.queue.list({ limit: 10 }), [])
    assert.deepEqual(await kinds(bench, id), ['quarantined'])
    assert((await bench.store.accounts.setQuota('ben@example.test', undefined)).ok)
    assert((await bench.store.quarantine.release(id, HOW))?.ok)
  })

  run('an account that is gone is left out; with nobody left it stays held', async (bench) => {
    const [anna, ben] = [await bench.account('anna@example.test'), await bench.account('ben@example.test')]
    const both = await holdOne(bench, mail('both'), [anna, ben])
    const alone = await holdOne(bench, mail('alone'), [ben])
    await bench.store.accounts.removeAccount('ben@example.test')
    const released = await bench.store.quarantine.release(both, HOW)
    assert(released?.ok)
    assert.deepEqual(released.value, [{ owner: anna.owner, mailbox: 'INBOX', uid: 1 }])
    const refused = await bench.store.quarantine.release(alone, HOW)
    assert(refused !== undefined && !refused.ok)
    assert.equal(refused.failure.kind, 'no-such-account')
    assert((await bench.store.quarantine.get(alone)) !== undefined)
    assert.deepEqual(await bench.store.quarantine.undigestedAccounts(), [])
  })

  run(
    'the Junk mailbox is found by its use, whatever its name; without one it is the named one',
    async (bench) => {
      const anna = await bench.account('anna@example.test')
      assert((await bench.store.mailboxes.rename(anna, 'Junk', 'Werbung')).ok)
      const message = await bench.message(mail('junk'), [anna])
      const toJunk = message.deliveries.map((one) => ({ ...one, specialUse: '\\Junk' as const }))
      const stored = await bench.store.intake.accept({ ...message, deliveries: toJunk })
      assert(stored.ok)
      assert.equal(stored.value[0]?.mailbox, 'Werbung')
      assert((await bench.store.mailboxes.delete(anna, 'Werbung')).ok)
      const other = await bench.message(mail('junk'), [anna])
      const held = { ...other, deliveries: toJunk, hold: aHold() }
      assert((await bench.store.intake.accept(held)).ok)
      const released = await bench.store.quarantine.release(other.traceId, HOW)
      assert(released?.ok)
      assert.equal(released.value[0]?.mailbox, 'INBOX')
    },
  )

  run('lists go from the newest back, by account and by time', async (bench) => {
    const [anna, ben] = [await bench.account('anna@example.test'), await bench.account('ben@example.test')]
    const ids: TraceId[] = []
    for (let i = 0; i < 5; i++)
      ids.push(await holdOne(bench, mail(`${i}`), i % 2 === 0 ? [anna] : [anna, ben], { receivedAtMs: i }))
    const { quarantine } = bench.store
    const list = async (query: Parameters<typeof quarantine.list>[0]) =>
      (await quarantine.list(query)).map(({ id }) => ids.indexOf(id))
    assert.deepEqual(await list({ limit: 10 }), [4, 3, 2, 1, 0])
    assert.deepEqual(await list({ limit: 2 }), [4, 3])
    assert.deepEqual(await list({ limit: 2, before: ids[3] }), [2, 1])
    assert.deepEqual(await list({ limit: 10, account: ben.owner }), [3, 1])
    assert.deepEqual(await list({ limit: 10, sinceMs: 3 }), [4, 3])
  })

  run('a digest tells an account of each once', async (bench) => {
    const [anna, ben] = [await bench.account('anna@example.test'), await bench.account('ben@example.test')]
    const first = await holdOne(bench, mail('first'), [anna, ben])
    const second = await holdOne(bench, mail('second'), [anna])
    const { quarantine } = bench.store
    assert.deepEqual(await quarantine.undigestedAccounts(), [anna.owner, ben.owner])
    const untold = async (access: Access) =>
      (await quarantine.undigested(access.owner, 10)).map(({ id }) => id)
    assert.deepEqual(await untold(anna), [first, second])
    assert.deepEqual((await quarantine.undigested(anna.owner, 1)).length, 1)
    assert((await quarantine.markDigested(anna.owner, [first, second], 7)).ok)
    assert.deepEqual(await untold(anna), [])
    assert.deepEqual(await untold(ben), [first])
    assert.deepEqual(await quarantine.undigestedAccounts(), [ben.owner])
  })

  run(
    'what is past its time goes, then the oldest until the rest fits, in more slices than one',
    async (bench) => {
      const anna = await bench.account('anna@example.test')
      const past = aHold({ untilMs: 100 })
      const held = Array.from({ length: 230 }, (_, i) =>
        holdOne(bench, mail(`p${i}`), [anna], { hold: past }),
      )
      const gone = await Promise.all(held)
      const left: TraceId[] = []
      for (let i = 0; i < 3; i++)
        left.push(await holdOne(bench, mail(`left ${i}`), [anna], { receivedAtMs: 2_000_000 + i }))
      const { quarantine } = bench.store
      assert.deepEqual(await quarantine.expire({ nowMs: 99, maxBytes: NO_LIMIT }), { ok: true, value: 0 })
      assert.deepEqual(await quarantine.expire({ nowMs: 100, maxBytes: NO_LIMIT }), { ok: true, value: 230 })
      const { bytes, count } = await quarantine.totals()
      assert.equal(count, 3)
      assert.deepEqual(await quarantine.expire({ nowMs: 100, maxBytes: bytes - 1 }), { ok: true, value: 1 })
      assert.equal(await quarantine.get(left[0] as TraceId), undefined)
      assert.equal((await quarantine.list({ limit: 10 })).length, 2)
      assert.deepEqual(await whys(bench, [gone[0] as TraceId, left[0] as TraceId]), ['age', 'room'])
      assert.deepEqual(await quarantine.expire({ nowMs: 100, maxBytes: 0 }), { ok: true, value: 2 })
      assert.deepEqual(await quarantine.totals(), { count: 0, bytes: 0 })
    },
  )

  run('a flood from one network pushes out only its own, whatever is older', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const { quarantine } = bench.store
    let nowMs = 1_000_000
    const from = (client: string, text: string): Promise<TraceId> =>
      holdOne(bench, mail(text, `${text}\r\n`), [anna], { hold: aHold({ client }), receivedAtMs: nowMs++ })
    const genuine = await Promise.all(
      Array.from({ length: 20 }, (_, i) => from(`198.51.100.${i}`, `genuine ${i}`)),
    )
    const { bytes: maxBytes } = await quarantine.totals()
    // Other addresses of the same /64 are the same sender.
    const flood: TraceId[] = []
    for (let i = 0; i < 250; i++) flood.push(await from(`2001:db8::${i.toString(16)}`, `flood ${i}`))
    const expired = await quarantine.expire({ nowMs, maxBytes: maxBytes + Math.ceil(maxBytes / 4) })
    assert(expired.ok)
    const left = new Set((await quarantine.list({ limit: 500 })).map(({ id }) => id))
    assert.deepEqual(genuine.filter((id) => !left.has(id)).length, 0)
    const flooding = flood.filter((id) => left.has(id))
    assert.equal(expired.value, flood.length - flooding.length)
    assert(flooding.length > 0, 'no more goes than must')
    assert.deepEqual(flooding, flood.slice(-flooding.length), 'of its own the oldest go')
    assert((await quarantine.totals()).bytes <= maxBytes + Math.ceil(maxBytes / 4))
    assert.deepEqual(await whys(bench, [flood[0] as TraceId]), ['room'])
  })

  run('two floods shrink together; of many small networks the oldest of all goes', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const { quarantine } = bench.store
    let nowMs = 1_000_000
    const from = (client: string): Promise<TraceId> =>
      holdOne(bench, mail('held'), [anna], { hold: aHold({ client }), receivedAtMs: nowMs++ })
    const small: TraceId[] = []
    for (let i = 10; i < 50; i++) small.push(await from(`198.51.100.${i}`))
    const one = (await quarantine.totals()).bytes / small.length
    const left = async (ids: readonly TraceId[]): Promise<readonly TraceId[]> => {
      const there = new Set((await quarantine.list({ limit: 500 })).map(({ id }) => id))
      return ids.filter((id) => there.has(id))
    }
    const floods: [TraceId[], TraceId[]] = [[], []]
    for (let i = 0; i < 40; i++) {
      floods[0].push(await from('192.0.2.10'))
      floods[1].push(await from('192.0.2.11'))
    }
    assert((await quarantine.expire({ nowMs, maxBytes: Math.ceil(80 * one) })).ok)
    assert.deepEqual(await left(small), small)
    const [first, second] = [await left(floods[0]), await left(floods[1])]
    assert(
      first.length > 0 && Math.abs(first.length - second.length) <= 2,
      `${first.length} ${second.length}`,
    )
    for (const id of [...first, ...second]) assert((await quarantine.delete(id, HOW)).ok)
    assert((await quarantine.expire({ nowMs, maxBytes: Math.ceil(38 * one) })).ok)
    assert.deepEqual(await left(small), small.slice(2))
  })

  run('exceptions are answered from memory, kept over a restart; no number is given twice', async (bench) => {
    const host = { octets: Uint8Array.of(192, 0, 2, 0), prefixBits: 24 }
    const added = { addedAtMs: 5, untilMs: 9, why: 'news', list: 'news.list.test', host }
    const one = await bench.store.trust.add({ key: { kind: 'dkim', domain: 'list.test' }, ...added })
    const two = await bench.store.trust.add({ key: { kind: 'arc', domain: 'sealer.test' }, addedAtMs: 6 })
    assert.deepEqual(one, { id: 1, key: { kind: 'dkim', domain: 'list.test' }, ...added })
    assert.deepEqual(bench.store.trust.entries()[0], one)
    await bench.reopen()
    assert.deepEqual(bench.store.trust.entries()[0], one)
    assert.deepEqual(bench.store.trust.entries()[1]?.key, two.key)
    assert.equal(await bench.store.trust.remove(two.id), true)
    assert.equal(await bench.store.trust.remove(two.id), false)
    assert.equal(bench.store.trust.entries().length, 1)
    await bench.reopen()
    const three = await bench.store.trust.add({ key: { kind: 'spf', domain: 'far.test' }, addedAtMs: 7 })
    assert.equal(three.id, 3)
  })

  run('an account has a language, until it is the default again', async (bench) => {
    await bench.account('anna@example.test')
    const language = async () => (await bench.store.accounts.findAccount('anna@example.test'))?.language
    assert.equal(await language(), undefined)
    assert((await bench.store.accounts.setLanguage('Anna@example.test', 'ja')).ok)
    assert.equal(await language(), 'ja')
    await bench.reopen()
    assert.equal(await language(), 'ja')
    assert((await bench.store.accounts.setQuota('anna@example.test', 5)).ok)
    assert.equal(await language(), 'ja')
    assert((await bench.store.accounts.setLanguage('anna@example.test', undefined)).ok)
    assert.equal(await language(), undefined)
    const refused = await bench.store.accounts.setLanguage('nobody@example.test', 'en')
    assert(!refused.ok)
    assert.equal(refused.error.kind, 'no-such-account')
  })
}

const FAR: NewQueueItem = {
  sender: {
    reversePath: { local: 'sender', domain: 'elsewhere.test' },
    bodyType: '8BITMIME',
    smtputf8: false,
  },
  skipBytes: 'Return-Path: <>\r\n'.length,
  recipients: [{ address: { local: 'far', domain: 'away.test' } }],
  nextAttemptAtMs: 1_000_000,
}

async function holdOne(
  bench: Bench,
  text: string,
  to: readonly Access[],
  more: { hold?: NewHold; queue?: NewQueueItem; prefix?: string; receivedAtMs?: number } = {},
): Promise<TraceId> {
  const message = await bench.message(text, to, { ...more, hold: more.hold ?? aHold() })
  const stored = await bench.store.intake.accept(message)
  assert(stored.ok, stored.ok ? '' : stored.failure.cause)
  assert.deepEqual(stored.value, [])
  return message.traceId
}

async function kinds(bench: Bench, id: TraceId): Promise<readonly string[]> {
  const [record] = await bench.store.traces.find({ id, limit: 1 })
  return (record?.events ?? []).map(({ kind }) => kind)
}

async function whys(bench: Bench, ids: readonly TraceId[]): Promise<readonly string[]> {
  const found: string[] = []
  for (const id of ids) {
    const [record] = await bench.store.traces.find({ id, limit: 1 })
    for (const event of record?.events ?? []) if (event.kind === 'expired') found.push(event.why)
  }
  return found
}
