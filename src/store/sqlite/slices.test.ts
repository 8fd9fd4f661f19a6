import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { INBOX } from '../../mail/mailbox-name.ts'
import type { MailboxView } from '../../ports/mailboxes.ts'
import type { Access } from '../../ports/store.ts'
import { COPY_SLICE_ROWS, STORE_SLICE_RANGES, WRITE_SLICE_ROWS } from '../limits.ts'
import { assertIntegrity } from './integrity.test-kit.ts'
import { openAt } from './open.test-kit.ts'
import type { Store } from './open.ts'

/* More messages than are written at once: other mail is committed in between, and nothing is lost or double. */

const COUNT = WRITE_SLICE_ROWS + 100

interface Rig {
  readonly store: Store
  readonly folder: string
  readonly access: Access
  readonly view: MailboxView
  readonly uids: readonly number[]
}

async function withMany(
  count: number,
  work: (rig: Rig) => Promise<void>,
  onFault?: (cause: string) => void,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'hikyaku-slices-'))
  const store = await openAt(folder, onFault && { onFault })
  try {
    const made = await store.accounts.addAccount({ login: 'anna@example.test' })
    assert(made.ok)
    const access = { actor: { kind: 'system', what: 'test' }, owner: made.value.id } as const
    for (let done = 0; done < count; done += 500) await append(store, access, Math.min(500, count - done))
    const view = await opened(store, access, INBOX)
    const uids = Array.from({ length: view.exists }, (_, i) => view.uid(i + 1))
    await work({ store, folder, access, view, uids })
  } finally {
    await store.close()
    await rm(folder, { recursive: true })
  }
}

async function append(store: Store, access: Access, count: number, mailbox: string = INBOX): Promise<void> {
  const messages = await Promise.all(
    Array.from({ length: count }, async () => {
      const writer = store.intake.body(1000)
      await writer.write(Buffer.from('Subject: one of many\r\n\r\nText\r\n'))
      const body = await writer.finish()
      assert(body.ok)
      return { body: body.value, flags: [], internalDateMs: 0, internalDateZoneMinutes: 0 }
    }),
  )
  assert((await store.mailboxes.append(access, mailbox, messages)).ok)
}

async function opened(store: Store, access: Access, name: string): Promise<MailboxView> {
  const found = await store.mailboxes.open(access, name, { readOnly: false })
  assert(found.ok)
  return found.value
}

async function countOf(store: Store, access: Access, name: string): Promise<number> {
  const status = await store.mailboxes.status(access, name)
  assert(status.ok)
  return status.value.messages
}

/** Says in which order two writes came to their end. */
async function order(long: Promise<unknown>, short: () => Promise<unknown>): Promise<readonly string[]> {
  const ended: string[] = []
  await Promise.all([long.then(() => ended.push('long')), short().then(() => ended.push('short'))])
  return ended
}

test('other mail is stored while very many messages are moved and expunged', async () => {
  await withMany(COUNT, async ({ store, access, view, uids, folder }) => {
    const { mailboxes } = store
    const deliver = () => append(store, access, 1, 'Sent')
    const moving = mailboxes.move(access, view, uids, 'Archive')
    assert.deepEqual(await order(moving, deliver), ['short', 'long'])
    const moved = await moving
    assert(moved.ok)
    assert.deepEqual(moved.value.sourceUids, uids)
    assert.equal(new Set(moved.value.targetUids).size, COUNT)
    assert.equal(await countOf(store, access, INBOX), 0)
    view.sync({ expunges: true })
    assert.equal(view.exists, 0)

    const archive = await opened(store, access, 'Archive')
    assert.equal(archive.exists, COUNT)
    const all = moved.value.targetUids
    assert(
      (
        await mailboxes.storeFlags(access, archive, {
          uids: all,
          action: 'add',
          flags: ['\\Deleted'],
          silent: false,
        })
      ).ok,
    )
    const expunging = mailboxes.expunge(access, archive)
    assert.deepEqual(await order(expunging, deliver), ['short', 'long'])
    assert.deepEqual(await expunging, { ok: true, value: all })
    archive.sync({ expunges: true })
    assert.equal(archive.exists, 0)
    assert.equal(await countOf(store, access, 'Sent'), 2)
    await store.close()
    assertIntegrity(folder)
  })
})

test('other mail is stored while a STORE names very many messages one by one', async () => {
  await withMany(2 * STORE_SLICE_RANGES + 2, async ({ store, access, view, uids }) => {
    const some = uids.filter((_, index) => index % 2 === 0)
    const change = { uids: some, action: 'add', flags: ['\\Flagged'], silent: true } as const
    const storing = store.mailboxes.storeFlags(access, view, change)
    assert.deepEqual(await order(storing, () => append(store, access, 1, 'Sent')), ['short', 'long'])
    assert.deepEqual(await storing, { ok: true, value: { changed: some.length, modified: [] } })
    const flagged = uids.filter((_, index) => view.flags(index + 1).length > 0)
    assert.deepEqual(flagged, some)
    await store.close()
  })
})

test('INBOX is renamed in several commits, and what arrives meanwhile stays in it', async () => {
  await withMany(COUNT, async ({ store, access }) => {
    const renaming = store.mailboxes.rename(access, INBOX, 'Before')
    assert.deepEqual(await order(renaming, () => append(store, access, 1)), ['short', 'long'])
    assert((await renaming).ok)
    assert.equal(await countOf(store, access, 'Before'), COUNT)
    assert.equal(await countOf(store, access, INBOX), 1)
  })
})

test('a COPY that fails in the middle leaves nothing behind, a MOVE tells what it has moved', async () => {
  await withMany(COPY_SLICE_ROWS + 10, async ({ store, access, view, uids }) => {
    const { mailboxes } = store
    const status = await mailboxes.status(access, INBOX)
    assert(status.ok)
    // Room for the first slice of copies and not for the second.
    const quota = 2 * status.value.sizeBytes - 1
    assert((await store.accounts.setQuota('anna@example.test', quota)).ok)
    const copied = await mailboxes.copy(access, view, uids, 'Archive')
    assert(!copied.ok && copied.error.kind === 'over-quota', JSON.stringify(copied).slice(0, 200))
    assert.equal(await countOf(store, access, 'Archive'), 0)

    const archive = await opened(store, access, 'Archive')
    // The target is deleted as soon as the first slice is in it.
    const deleted = new Promise((resolve) =>
      archive.onChange(() => resolve(mailboxes.delete(access, 'Archive'))),
    )
    const moved = await mailboxes.move(access, view, uids, 'Archive')
    await deleted
    archive.close()
    assert(moved.ok)
    assert.equal(moved.value.unfinished?.kind, 'no-such-mailbox')
    const { sourceUids, targetUids } = moved.value
    assert(sourceUids.length > 0 && sourceUids.length < uids.length)
    assert.equal(targetUids.length, sourceUids.length)
    assert.equal(await countOf(store, access, INBOX), uids.length - sourceUids.length)
  })
})

test('a COPY whose target gets another name in the middle leaves nothing behind in it', async () => {
  await withMany(COPY_SLICE_ROWS + 100, async ({ store, access, view, uids }) => {
    assert((await store.mailboxes.create(access, 'Target')).ok)
    const copying = store.mailboxes.copy(access, view, uids, 'Target')
    const [copied, renamed] = await Promise.all([copying, store.mailboxes.rename(access, 'Target', 'Other')])
    assert(renamed.ok)
    assert(!copied.ok && copied.error.kind === 'no-such-mailbox')
    const status = await store.mailboxes.status(access, 'Other')
    assert(status.ok)
    assert.equal(status.value.messages, 0)
  })
})

test('a MOVE ends where another mailbox takes the name of its target, and names UIDs of one mailbox only', async () => {
  await withMany(COPY_SLICE_ROWS + 10, async ({ store, access, view, uids }) => {
    const { mailboxes } = store
    assert((await mailboxes.create(access, 'Other')).ok)
    await append(store, access, 2, 'Other')
    const archive = await opened(store, access, 'Archive')
    // Both as soon as the first slice is in it.
    const renamed = new Promise<void>((resolve) => {
      archive.onChange(() => {
        const all = [
          mailboxes.rename(access, 'Archive', 'Before'),
          mailboxes.rename(access, 'Other', 'Archive'),
        ]
        void Promise.all(all).then(() => resolve())
      })
    })
    const moved = await mailboxes.move(access, view, uids, 'Archive')
    await renamed
    assert(moved.ok)
    assert.equal(moved.value.unfinished?.kind, 'no-such-mailbox')
    const { sourceUids, targetUids, uidValidity } = moved.value
    assert.equal(uidValidity, archive.uidValidity)
    assert(sourceUids.length > 0 && sourceUids.length < uids.length)
    assert.equal(targetUids.length, sourceUids.length)
    assert.equal(await countOf(store, access, 'Before'), sourceUids.length)
    assert.equal(await countOf(store, access, 'Archive'), 2, 'the other mailbox got nothing')
    assert.equal(await countOf(store, access, INBOX), uids.length - sourceUids.length)
    archive.close()
  })
})

test('a MOVE of very many that dies in the middle has lost and doubled nothing', async () => {
  const faults: string[] = []
  await withMany(
    COUNT,
    async ({ store, access, view, uids, folder }) => {
      const archive = await opened(store, access, 'Archive')
      // No statement: the store thread dies of it.
      archive.onChange(() => store.limitPages('no number;' as never))
      const moved = await store.mailboxes.move(access, view, uids, 'Archive')
      assert(moved.ok)
      assert.equal(moved.value.unfinished?.kind, 'io')
      await store.close()
      assert.equal(faults.length, 1)
      const again = await openAt(folder)
      const [left, there] = [await countOf(again, access, INBOX), await countOf(again, access, 'Archive')]
      assert.equal(left + there, COUNT)
      assert(there >= WRITE_SLICE_ROWS && left > 0, `${there} moved, ${left} left`)
      await again.close()
      assertIntegrity(folder)
    },
    (cause) => void faults.push(cause),
  )
})

test('a COPY of very many that dies in the middle is undone at the next start, and one that ends leaves no note', async () => {
  const faults: string[] = []
  await withMany(
    COPY_SLICE_ROWS + 10,
    async ({ store, access, view, uids, folder }) => {
      const { mailboxes } = store
      assert((await mailboxes.copy(access, view, uids, 'Sent')).ok)
      await append(store, access, 3, 'Archive')
      const archive = await opened(store, access, 'Archive')
      // No statement: the store thread dies of it, behind the first commit of the COPY.
      archive.onChange(() => store.limitPages('no number;' as never))
      const copied = await mailboxes.copy(access, view, uids, 'Archive')
      assert(!copied.ok && copied.error.kind === 'io')
      await store.close()
      assert.equal(faults.length, 1)
      const notes = () => notesIn(folder)
      assert.equal(notes(), 1)
      const again = await openAt(folder)
      assert.equal(notes(), 0)
      assert.equal(await countOf(again, access, 'Archive'), 3)
      assert.equal(await countOf(again, access, 'Sent'), COPY_SLICE_ROWS + 10)
      assert.equal(await countOf(again, access, INBOX), COPY_SLICE_ROWS + 10)
      await again.close()
      assertIntegrity(folder)
    },
    (cause) => void faults.push(cause),
  )
})

function notesIn(folder: string): number {
  const db = new DatabaseSync(join(folder, 'hikyaku.db'), { readOnly: true })
  try {
    return Number(db.prepare('SELECT count(*) AS n FROM settings').get()?.n)
  } finally {
    db.close()
  }
}
