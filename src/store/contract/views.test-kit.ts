import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MailboxView, ViewChange } from '../../ports/mailboxes.ts'
import type { Access } from '../../ports/store.ts'
import { Bench, eventually, type Implementation, mail, uids } from './bench.test-kit.ts'

/** What a session sees and when: rfc3501 §7.4.1 and the lags between sessions. */
export function viewsContract(implementation: Implementation): void {
  const on = (title: string, body: (bench: Bench) => Promise<void>): void =>
    void test(`views: ${title}`, () => Bench.run(implementation, body))
  const expunge = async (bench: Bench, access: Access, view: MailboxView, which: number[]): Promise<void> => {
    const { mailboxes } = bench.store
    await mailboxes.storeFlags(access, view, {
      uids: which,
      action: 'add',
      flags: ['\\Deleted'],
      silent: true,
    })
    await mailboxes.expunge(access, view, which)
  }

  on('an expunged message keeps its number and its octets until the view has moved on', async (bench) => {
    const anna = await bench.account('anna@example.test')
    await bench.deliverMany(4, anna)
    const [slow, quick] = [await bench.view(anna), await bench.view(anna)]
    await expunge(bench, anna, quick, [2, 3])
    quick.sync({ expunges: true })
    await bench.deliver(mail('number 5'), anna)
    assert.deepEqual(
      slow.sync({ expunges: false }).map(({ kind }) => kind),
      ['exists', 'recent', 'flags', 'flags'],
    )
    assert.deepEqual(uids(slow), [1, 2, 3, 4, 5])
    assert.match((await bench.octets(anna, slow, 3)).toString(), /number/)
    assert.equal(slow.seqOfUid(3), 3)
    assert.deepEqual(slow.sync({ expunges: true }), [
      { kind: 'expunge', seq: 3, uid: 3 },
      { kind: 'expunge', seq: 2, uid: 2 },
    ])
    assert.deepEqual(uids(slow), [1, 4, 5])
    assert.equal(slow.seqOfUid(3), 0)
    quick.sync({ expunges: true })
    assert.deepEqual(uids(quick), [1, 4, 5])
  })

  on('sessions at several old states each see their own', async (bench) => {
    const anna = await bench.account('anna@example.test')
    await bench.deliverMany(6, anna)
    const worker = await bench.view(anna)
    const first = await bench.view(anna)
    await expunge(bench, anna, worker, [1])
    const second = await bench.view(anna)
    await expunge(bench, anna, worker, [4])
    await bench.deliver(mail('number 7'), anna)
    worker.sync({ expunges: false })
    await expunge(bench, anna, worker, [6, 7])
    await bench.deliver(mail('number 8'), anna)
    assert.deepEqual(
      [uids(first), uids(second)],
      [
        [1, 2, 3, 4, 5, 6],
        [2, 3, 4, 5, 6],
      ],
    )
    second.sync({ expunges: false })
    assert.deepEqual(uids(second), [2, 3, 4, 5, 6, 7, 8])
    const seen = (changes: readonly ViewChange[]): unknown[] =>
      changes.flatMap<unknown>((one) =>
        one.kind === 'expunge' ? [one.seq] : one.kind === 'exists' ? [`${one.count}`] : [],
      )
    assert.deepEqual(seen(first.sync({ expunges: true })), [1, 5, 3, '4'])
    assert.deepEqual(uids(first), [2, 3, 5, 8])
    assert.deepEqual(seen(second.sync({ expunges: true })), [6, 5, 3])
    assert.deepEqual(uids(second), [2, 3, 5, 8])
    first.close()
    worker.close()
    assert.deepEqual(uids(await bench.view(anna)), [2, 3, 5, 8])
  })

  on('arrivals and flags of others are told once, silent changes of one’s own not at all', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const { mailboxes } = bench.store
    await bench.deliverMany(3, anna)
    const [mine, other] = [await bench.view(anna), await bench.view(anna)]
    let told = 0
    other.onChange(() => told++)
    await mailboxes.storeFlags(anna, mine, { uids: [2], action: 'add', flags: ['\\Seen'], silent: true })
    assert.deepEqual(mine.sync({ expunges: true }), [])
    await mailboxes.storeFlags(anna, mine, { uids: [3], action: 'add', flags: ['\\Seen'], silent: false })
    assert.deepEqual(mine.sync({ expunges: true }), [{ kind: 'flags', seq: 3, uid: 3 }])
    await mailboxes.storeFlags(anna, mine, { uids: [1], action: 'add', flags: ['New'], silent: true })
    await eventually('the other session is told', () => told > 0)
    assert.deepEqual(other.sync({ expunges: true }), [
      { kind: 'keywords' },
      { kind: 'flags', seq: 1, uid: 1 },
      { kind: 'flags', seq: 2, uid: 2 },
      { kind: 'flags', seq: 3, uid: 3 },
    ])
    assert.deepEqual(other.sync({ expunges: true }), [])
    assert.deepEqual(mine.sync({ expunges: true }), [{ kind: 'keywords' }])
  })

  on('a session that was away for thousands of changes hears of all', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const { mailboxes } = bench.store
    await bench.deliverMany(5, anna)
    const [away, busy] = [await bench.view(anna), await bench.view(anna)]
    for (let i = 0; i < 600; i++) {
      const action = Math.floor(i / 4) % 2 === 0 ? 'add' : 'remove'
      const change = { uids: [(i % 4) + 1], action, flags: ['\\Flagged'], silent: false } as const
      await mailboxes.storeFlags(anna, busy, change)
    }
    assert.deepEqual(
      away.sync({ expunges: false }).map((change) => (change.kind === 'flags' ? change.uid : change.kind)),
      [1, 2, 3, 4],
    )
    assert.deepEqual(away.sync({ expunges: false }), [])
  })

  on('\\Recent goes to one read-write session only', async (bench) => {
    const anna = await bench.account('anna@example.test')
    await bench.deliverMany(2, anna)
    const looking = await bench.view(anna, 'INBOX', true)
    assert.equal(looking.recent, 2)
    const first = await bench.view(anna)
    const second = await bench.view(anna)
    assert.deepEqual([first.recent, second.recent], [2, 0])
    await bench.deliver(mail('third'), anna)
    assert.deepEqual(second.sync({ expunges: true }), [
      { kind: 'exists', count: 3 },
      { kind: 'recent', count: 1 },
    ])
    assert.deepEqual(first.sync({ expunges: true }), [{ kind: 'exists', count: 3 }])
    assert.deepEqual(
      [first.isRecent(1), first.isRecent(3), second.isRecent(3), second.isRecent(1)],
      [true, false, true, false],
    )
    await expunge(bench, anna, first, [1])
    first.sync({ expunges: true })
    assert.equal(first.recent, 1)
  })

  on('a view opened while mail comes in misses nothing and has nothing twice', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const views: Promise<MailboxView>[] = []
    const mails: Promise<number>[] = []
    for (let i = 0; i < 60; i++) {
      mails.push(bench.deliver(mail(`number ${i}`), anna))
      if (i % 7 === 0) views.push(bench.view(anna))
      if (i % 13 === 0) await Promise.all(mails)
    }
    await Promise.all(mails)
    const all = Array.from({ length: 60 }, (_, i) => i + 1)
    for (const opened of views) {
      const view = await opened
      view.sync({ expunges: true })
      assert.deepEqual(uids(view), all)
      view.close()
    }
  })

  on('thousands of idle sessions are all told', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const told = new Set<number>()
    const views = await Promise.all(Array.from({ length: 2000 }, () => bench.view(anna)))
    for (const [i, view] of views.entries())
      view.onChange(() => {
        assert.deepEqual(view.sync({ expunges: true })[0], { kind: 'exists', count: 1 })
        told.add(i)
      })
    await bench.deliver(mail('news'), anna)
    await eventually('all are told', () => told.size === 2000)
  })

  on('numbers: first unseen, sequence numbers at and after a UID', async (bench) => {
    const anna = await bench.account('anna@example.test')
    await bench.deliver(mail('a'), anna, { flags: ['\\Seen'] })
    await bench.deliverMany(3, anna)
    const view = await bench.view(anna)
    assert.equal(view.firstUnseen(), 2)
    await expunge(bench, anna, view, [2])
    view.sync({ expunges: true })
    assert.deepEqual([view.seqAtOrAfterUid(2), view.seqAtOrAfterUid(4), view.seqAtOrAfterUid(5)], [2, 3, 4])
    assert.equal(view.exists, 3)
    assert.throws(() => view.uid(4))
    assert.equal(view.message(1) > 0, true)
  })

  on('FETCH gives rows in the order asked, in batches, of any size', async (bench) => {
    const anna = await bench.account('anna@example.test')
    await bench.deliverMany(150, anna)
    const view = await bench.view(anna)
    const seqs = Array.from({ length: 150 }, (_, i) => 150 - i)
    const rows = await bench.rows(anna, view, seqs, { size: true, envelope: true })
    assert.deepEqual(
      rows.map(({ seq }) => seq),
      seqs,
    )
    for (const row of rows) assert.match(Buffer.from(row.envelope ?? []).toString(), /number/)
    assert.deepEqual(await bench.rows(anna, view, [], { size: true }), [])
    assert.deepEqual(await bench.rows(anna, view, [7], {}), [{ seq: 7, uid: 7 }])
  })

  on(
    'FETCH of sections: parts, headers, fields, partials, and none where there is no part',
    async (bench) => {
      const anna = await bench.account('anna@example.test')
      const body =
        '--b\r\nContent-Type: text/plain\r\n\r\nfirst\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nwithin\r\n--b--\r\n'
      const text = mail('outer', body, 'Content-Type: multipart/mixed; boundary=b\r\n')
      await bench.deliver(text, anna, { prefix: 'Received: y\r\n' })
      const view = await bench.view(anna)
      const [row] = await bench.rows(anna, view, [1], {
        sections: [
          { path: [1], what: 'all' },
          { path: [2], what: 'header' },
          { path: [2], what: { fields: ['subject'], not: false } },
          { path: [1], what: 'mime' },
          { path: [], what: { fields: ['from', 'content-type'], not: true } },
          { path: [], what: 'all', partial: { offset: 10, length: 5 } },
          { path: [], what: 'all', partial: { offset: 99_999, length: 5 } },
          { path: [7], what: 'all' },
        ],
      })
      const texts = row?.sections?.map((one) =>
        one instanceof Uint8Array ? Buffer.from(one).toString() : one,
      )
      assert.deepEqual(texts, [
        'first',
        'Subject: inner\r\n\r\n',
        'Subject: inner\r\n\r\n',
        'Content-Type: text/plain\r\n\r\n',
        'Received: y\r\nSubject: outer\r\n\r\n',
        'y\r\nFr'.slice(0, 5).replace('y', 'y'),
        '',
        null,
      ])
    },
  )
}
