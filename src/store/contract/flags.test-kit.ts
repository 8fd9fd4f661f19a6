import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KEYWORDS_PER_MAILBOX } from '../limits.ts'
import { Bench, type Implementation, mail, uids } from './bench.test-kit.ts'

/** STORE, COPY, MOVE, EXPUNGE. */
export function flagsContract(implementation: Implementation): void {
  const on = (title: string, body: (bench: Bench) => Promise<void>): void =>
    void test(`flags: ${title}`, () => Bench.run(implementation, body))

  on('STORE adds, removes and replaces; what it changed is in its view when it resolves', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const { mailboxes } = bench.store
    await bench.deliverMany(4, anna)
    const view = await bench.view(anna)
    const added = await mailboxes.storeFlags(anna, view, {
      uids: [1, 2, 4, 99],
      action: 'add',
      flags: ['\\Seen', '$Forwarded'],
      silent: false,
    })
    assert(added.ok)
    assert.deepEqual(added.value, { changed: 3, modified: [] })
    assert.deepEqual(
      [1, 2, 3, 4].map((seq) => view.flags(seq)),
      [['\\Seen', '$Forwarded'], ['\\Seen', '$Forwarded'], [], ['\\Seen', '$Forwarded']],
    )
    const again = await mailboxes.storeFlags(anna, view, {
      uids: [1],
      action: 'add',
      flags: ['\\SEEN'],
      silent: false,
    })
    assert(again.ok && again.value.changed === 0, 'what is so already is no change')
    await mailboxes.storeFlags(anna, view, {
      uids: [2],
      action: 'remove',
      flags: ['$FORWARDED'],
      silent: false,
    })
    await mailboxes.storeFlags(anna, view, {
      uids: [4],
      action: 'replace',
      flags: ['\\Flagged'],
      silent: false,
    })
    assert.deepEqual([view.flags(2), view.flags(4)], [['\\Seen'], ['\\Flagged']])
    await bench.reopen()
    const later = await bench.view(anna)
    assert.deepEqual(
      [1, 2, 3, 4].map((seq) => later.flags(seq)),
      [['\\Seen', '$Forwarded'], ['\\Seen'], [], ['\\Flagged']],
    )
    const status = await bench.store.mailboxes.status(anna, 'INBOX')
    assert(status.ok && status.value.unseen === 2)
  })

  on(
    'taking away a keyword that no message has adds none to the mailbox, also to a full one',
    async (bench) => {
      const anna = await bench.account('anna@example.test')
      const { mailboxes } = bench.store
      await bench.deliverMany(1, anna)
      const view = await bench.view(anna)
      const store = (action: 'add' | 'remove', flags: string[]) =>
        mailboxes.storeFlags(anna, view, { uids: [1], action, flags, silent: false })
      const none = await store('remove', ['NonJunk'])
      assert(none.ok)
      assert.deepEqual(none.value, { changed: 0, modified: [] })
      assert.deepEqual(view.keywords, [])
      for (let i = 0; i < KEYWORDS_PER_MAILBOX; i++) assert((await store('add', [`k${i}`])).ok)
      const full = await store('remove', ['NonJunk', 'K1'])
      assert(full.ok)
      assert.equal(full.value.changed, 1)
      assert.equal(view.flags(1).includes('k1'), false)
    },
  )

  on('UNCHANGEDSINCE keeps back what changed since', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const { mailboxes } = bench.store
    await bench.deliverMany(3, anna)
    const view = await bench.view(anna)
    const since = view.highestModseq
    await mailboxes.storeFlags(anna, view, { uids: [2], action: 'add', flags: ['\\Flagged'], silent: false })
    const result = await mailboxes.storeFlags(anna, view, {
      uids: [1, 2, 3],
      action: 'add',
      flags: ['\\Seen'],
      unchangedSince: since,
      silent: false,
    })
    assert(result.ok)
    assert.deepEqual(result.value, { changed: 2, modified: [2] })
    assert(view.modseq(1) > view.modseq(2))
  })

  on(
    'keywords: each mailbox has its table, names keep their spelling, the table has an end',
    async (bench) => {
      const anna = await bench.account('anna@example.test')
      const { mailboxes } = bench.store
      await bench.deliverMany(2, anna)
      const view = await bench.view(anna)
      for (let i = 0; i < KEYWORDS_PER_MAILBOX; i++) {
        const stored = await mailboxes.storeFlags(anna, view, {
          uids: [1],
          action: 'replace',
          flags: [`Key${i}`],
          silent: false,
        })
        assert(stored.ok, `keyword ${i}`)
        assert.deepEqual(view.flags(1), [`Key${i}`])
      }
      const full = await mailboxes.storeFlags(anna, view, {
        uids: [1],
        action: 'add',
        flags: ['OneMore'],
        silent: false,
      })
      assert(!full.ok && full.error.kind === 'limit')
      assert.deepEqual(view.flags(1), [`Key${KEYWORDS_PER_MAILBOX - 1}`])
      const known = await mailboxes.storeFlags(anna, view, {
        uids: [2],
        action: 'add',
        flags: ['kEY0', 'Key47', '\\Draft'],
        silent: false,
      })
      assert(known.ok)
      assert.deepEqual(view.flags(2), ['\\Draft', 'Key0', 'Key47'])
      assert.equal(view.keywords.length, KEYWORDS_PER_MAILBOX)
      assert(!view.flags(2).includes('Key1'))
    },
  )

  on('COPY keeps flags, date and EMAILID; UIDs pair up in order', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const { mailboxes } = bench.store
    await bench.deliverMany(3, anna)
    const view = await bench.view(anna)
    await mailboxes.storeFlags(anna, view, {
      uids: [2],
      action: 'add',
      flags: ['\\Seen', 'Work'],
      silent: false,
    })
    const copied = await mailboxes.copy(anna, view, [3, 2, 77], 'Archive')
    assert(copied.ok)
    const archive = await bench.view(anna, 'Archive')
    assert.deepEqual(copied.value, {
      uidValidity: archive.uidValidity,
      sourceUids: [2, 3],
      targetUids: [1, 2],
    })
    assert.deepEqual([archive.flags(1), archive.flags(2)], [['\\Seen', 'Work'], []])
    const wanted = { emailId: true, internalDate: true, size: true }
    const [source] = await bench.rows(anna, view, [2], wanted)
    const [target] = await bench.rows(anna, archive, [1], wanted)
    assert.deepEqual({ ...target, seq: 0, uid: 0 }, { ...source, seq: 0, uid: 0 })
    const nowhere = await mailboxes.copy(anna, view, [1], 'Nowhere')
    assert(!nowhere.ok && nowhere.error.kind === 'no-such-mailbox')
  })

  on('MOVE takes messages away here and brings them there in one commit', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const { mailboxes } = bench.store
    const text = mail('x')
    for (let i = 0; i < 3; i++) await bench.deliver(text, anna)
    const view = await bench.view(anna)
    const trash = await bench.view(anna, 'Trash')
    const moved = await mailboxes.move(anna, view, [1, 3], 'Trash')
    assert(moved.ok)
    assert.deepEqual(
      [moved.value.sourceUids, moved.value.targetUids],
      [
        [1, 3],
        [1, 2],
      ],
    )
    view.sync({ expunges: true })
    assert.deepEqual(uids(view), [2])
    trash.sync({ expunges: true })
    assert.deepEqual(uids(trash), [1, 2])
    assert.match((await bench.octets(anna, trash, 2)).toString(), /Subject: x/)
    assert.equal((await bench.store.accounts.findAccount('anna@example.test'))?.usedBytes, text.length * 3)
  })

  on('a copy counts against the quota, a move does not', async (bench) => {
    const text = mail('x')
    const anna = await bench.account('anna@example.test', text.length * 2)
    const { mailboxes } = bench.store
    await bench.deliver(text, anna)
    await bench.deliver(text, anna)
    const view = await bench.view(anna)
    const copied = await mailboxes.copy(anna, view, [1], 'Trash')
    assert(!copied.ok && copied.error.kind === 'over-quota')
    assert((await mailboxes.move(anna, view, [1, 2], 'Trash')).ok)
  })

  on('EXPUNGE removes what is \\Deleted; with UIDs only those of them', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const { mailboxes } = bench.store
    await bench.deliverMany(5, anna)
    const view = await bench.view(anna)
    await mailboxes.storeFlags(anna, view, {
      uids: [1, 3, 5],
      action: 'add',
      flags: ['\\Deleted'],
      silent: false,
    })
    const some = await mailboxes.expunge(anna, view, [3, 4])
    assert.deepEqual(some, { ok: true, value: [3] })
    const rest = await mailboxes.expunge(anna, view)
    assert.deepEqual(rest, { ok: true, value: [1, 5] })
    view.sync({ expunges: true })
    assert.deepEqual(uids(view), [2, 4])
    const status = await mailboxes.status(anna, 'INBOX')
    assert(status.ok && status.value.messages === 2)
  })

  on('a read-only view changes nothing', async (bench) => {
    const anna = await bench.account('anna@example.test')
    await bench.deliver(mail('x'), anna, { flags: ['\\Deleted'] })
    const view = await bench.view(anna, 'INBOX', true)
    const { mailboxes } = bench.store
    assert(
      !(
        await mailboxes.storeFlags(anna, view, { uids: [1], action: 'add', flags: ['\\Seen'], silent: false })
      ).ok,
    )
    assert(!(await mailboxes.expunge(anna, view)).ok)
    assert(!(await mailboxes.move(anna, view, [1], 'Trash')).ok)
    assert((await mailboxes.copy(anna, view, [1], 'Trash')).ok)
  })
}
