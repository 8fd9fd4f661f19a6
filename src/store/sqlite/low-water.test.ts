import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseAddress } from '../../mail/address.ts'
import type { AccountId, TraceId } from '../../mail/ids.ts'
import { type DiskSpace, LowWater } from './low-water.ts'
import { openStore } from './open.ts'

const MIB = 2 ** 20

test('mail is taken down to a low-water mark, and again as soon as there is room', async () => {
  let space: DiskSpace = { freeBytes: 100 * MIB, totalBytes: 10_000 * MIB }
  let reusable = 0
  let nowMs = 0
  const water = new LowWater({ space: () => space, reusable: async () => reusable, now: () => nowMs })
  const at = async (freeBytes: number, totalBytes = space.totalBytes): Promise<string | undefined> => {
    space = { freeBytes, totalBytes }
    nowMs += 1_000
    return (await water.check())?.kind
  }
  assert.equal(await at(33 * MIB), undefined)
  assert.equal(await at(31 * MIB), 'full')
  assert.equal(await at(0), 'full')
  reusable = 40 * MIB
  assert.equal(await at(0), undefined, 'what deleted mail has left in the database is room')
  reusable = 0
  assert.equal(await at(40 * MIB), undefined)
  assert.deepEqual(
    [await at(4 * MIB, 12 * MIB), await at(2 * MIB, 12 * MIB)],
    [undefined, 'full'],
    'a small disk keeps a share',
  )
})

test('with plenty of room the disk is not asked for each message, but soon again', async () => {
  let space: DiskSpace = { freeBytes: 2_000 * MIB, totalBytes: 10_000 * MIB }
  let nowMs = 10_000
  const water = new LowWater({ space: () => space, reusable: async () => 0, now: () => nowMs })
  assert.equal(await water.check(), undefined)
  space = { ...space, freeBytes: 0 }
  assert.equal(await water.check(), undefined)
  nowMs -= 3_600_000
  assert.equal((await water.check())?.kind, 'full', 'a clock that was put back does not keep an old answer')
})

test('pieces of files and traces of refusals do not ask a disk with plenty of room each time either', () => {
  let [asked, freeBytes] = [0, 2_000 * MIB]
  const space = (): DiskSpace => {
    asked++
    return { freeBytes, totalBytes: 10_000 * MIB }
  }
  let nowMs = 10_000
  const water = new LowWater({ space, reusable: async () => 0, now: () => nowMs })
  for (let i = 0; i < 1_000; i++) assert.equal(water.checkFile(), undefined)
  assert.equal(asked, 1)
  freeBytes = 31 * MIB
  nowMs += 1_000
  assert.equal(water.checkFile()?.kind, 'full')
  freeBytes = 40 * MIB
  assert.equal(water.checkFile(), undefined, 'near the mark every look counts')
})

test('attack 29a: below the mark mail and APPEND are refused whole, and an EXPUNGE still makes room', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hikyaku-low-water-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  let freeBytes = 1_000 * MIB
  let nowMs = 1_700_000_000_000
  const opened = await openStore({
    folder,
    directory: { domains: ['example.test'], separator: '+' },
    now: () => nowMs++ * 1_000,
    diskSpace: () => ({ freeBytes, totalBytes: 2_000 * MIB }),
    onFault: (cause) => assert.fail(cause),
  })
  assert.ok(opened.ok)
  const { store } = opened
  t.after(() => store.close())
  const made = await store.accounts.addAccount({ login: 'me@example.test' })
  assert.ok(made.ok)
  const owner: AccountId = made.value.id
  const access = { actor: { kind: 'account', account: owner }, owner } as const
  const recipient = parseAddress('me@example.test')
  assert.ok(recipient !== undefined)
  const stage = async () => {
    const writer = store.intake.body(1_000)
    await writer.write(Buffer.from('Subject: x\r\n\r\nhello\r\n'))
    const staged = await writer.finish()
    assert.ok(staged.ok)
    return staged.value
  }
  const deliver = async (id: string) =>
    store.intake.accept({
      traceId: id.padStart(20, '0') as TraceId,
      trace: [],
      body: await stage(),
      prefix: new Uint8Array(0),
      reversePath: null,
      receivedAtMs: 1,
      deliveries: [{ owner, mailbox: 'INBOX', flags: ['\\Deleted'], recipient }],
    })
  assert.ok((await deliver('1')).ok)
  freeBytes = 1 * MIB
  const refused = await deliver('2')
  assert.ok(!refused.ok && refused.failure.kind === 'full')
  const message = { flags: [], internalDateMs: 0, internalDateZoneMinutes: 0 }
  const appended = await store.mailboxes.append(access, 'INBOX', [{ ...message, body: await stage() }])
  assert.ok(!appended.ok && appended.error.kind === 'full')
  const view = await store.mailboxes.open(access, 'INBOX', { readOnly: false })
  assert.ok(view.ok && view.value.exists === 1)
  assert.ok((await store.mailboxes.expunge(access, view.value)).ok)
  view.value.close()
  freeBytes = 1_000 * MIB
  assert.ok((await deliver('3')).ok)
})
