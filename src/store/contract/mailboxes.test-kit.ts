import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MailboxInfo, MailboxResult } from '../../ports/mailboxes.ts'
import type { Access } from '../../ports/store.ts'
import { accessOf, Bench, eventually, type Implementation, mail, uids } from './bench.test-kit.ts'

const kindOf = (result: MailboxResult<unknown>): string => (result.ok ? 'ok' : result.error.kind)

export function mailboxesContract(implementation: Implementation): void {
  const on = (title: string, body: (bench: Bench) => Promise<void>): void =>
    void test(`mailboxes: ${title}`, () => Bench.run(implementation, body))
  const names = async (bench: Bench, access: Access): Promise<string[]> =>
    (await bench.store.mailboxes.list(access)).map(({ name }) => name)

  on(
    'a RENAME that makes a name below too deep or too long is refused, and changes nothing',
    async (bench) => {
      const anna = await bench.account('anna@example.test')
      const { mailboxes } = bench.store
      assert((await mailboxes.create(anna, 'a/b')).ok)
      const long = Array.from({ length: 4 }, () => 'n'.repeat(249)).join('/')
      for (const to of [Array.from({ length: 20 }, () => 'x').join('/'), long]) {
        const renamed = await mailboxes.rename(anna, 'a', to)
        assert(!renamed.ok && renamed.error.kind === 'invalid-name')
      }
      for (const name of ['a', 'a/b']) assert((await mailboxes.status(anna, name)).ok, name)
      assert(!(await mailboxes.status(anna, 'x')).ok)
    },
  )

  on('a new account has its mailboxes with their special uses, subscribed', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const list = await bench.store.mailboxes.list(anna)
    assert.deepEqual(
      list.map(({ name, specialUse, subscribed }) => [name, specialUse, subscribed]),
      [
        ['Archive', '\\Archive', true],
        ['Drafts', '\\Drafts', true],
        ['INBOX', undefined, true],
        ['Junk', '\\Junk', true],
        ['Sent', '\\Sent', true],
        ['Trash', '\\Trash', true],
      ],
    )
    assert.equal(new Set(list.map(({ mailboxId }) => mailboxId)).size, 6)
  })

  on('CREATE makes parents, refuses what exists and what is no name', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const { mailboxes } = bench.store
    const made = await mailboxes.create(anna, '仕事/客先/', '\\All')
    assert(made.ok)
    assert.deepEqual(
      [made.value.name, made.value.specialUse, made.value.hasChildren],
      ['仕事/客先', '\\All', false],
    )
    const parent = (await mailboxes.list(anna)).find(({ name }) => name === '仕事')
    assert.deepEqual([parent?.hasChildren, parent?.selectable], [true, true])
    assert.equal(kindOf(await mailboxes.create(anna, '仕事')), 'exists')
    assert.equal(kindOf(await mailboxes.create(anna, 'inbox')), 'exists')
    assert.equal(kindOf(await mailboxes.create(anna, 'a//b')), 'invalid-name')
    assert.equal(kindOf(await mailboxes.create(anna, 'a%b')), 'invalid-name')
  })

  on('a name made again has a larger UIDVALIDITY, and so has every other one', async (bench) => {
    const anna = await bench.account('anna@example.test')
    let last = 0
    for (let i = 0; i < 3; i++) {
      const { mailboxes } = bench.store
      await mailboxes.create(anna, 'again')
      const status = await mailboxes.status(anna, 'again')
      assert(status.ok && status.value.uidValidity > last)
      last = status.value.uidValidity
      assert.equal(kindOf(await mailboxes.delete(anna, 'again')), 'ok')
      await bench.reopen()
    }
    assert.equal(kindOf(await bench.store.mailboxes.status(anna, 'again')), 'no-such-mailbox')
  })

  on(
    'DELETE of a parent leaves its name without messages; the last child takes that along',
    async (bench) => {
      const anna = await bench.account('anna@example.test')
      const { mailboxes } = bench.store
      await mailboxes.create(anna, 'a/b')
      await bench.accept(mail('x'), [anna], { mailbox: 'a' })
      assert.equal(kindOf(await mailboxes.delete(anna, 'a')), 'ok')
      const left = (await mailboxes.list(anna)).find(({ name }) => name === 'a') as MailboxInfo
      assert.equal(left.selectable, false)
      assert.equal(kindOf(await mailboxes.open(anna, 'a', { readOnly: false })), 'not-selectable')
      assert.equal(kindOf(await mailboxes.status(anna, 'a')), 'not-selectable')
      assert.equal(kindOf(await mailboxes.delete(anna, 'a')), 'has-children')
      assert.equal((await bench.store.accounts.findAccount('anna@example.test'))?.usedBytes, 0)
      assert.equal(kindOf(await mailboxes.create(anna, 'a')), 'ok', 'it can be made anew')
      await mailboxes.delete(anna, 'a')
      assert.equal(kindOf(await mailboxes.delete(anna, 'a/b')), 'ok')
      assert(!(await names(bench, anna)).includes('a'))
      assert.equal(kindOf(await mailboxes.delete(anna, 'INBOX')), 'is-inbox')
      assert.equal(kindOf(await mailboxes.delete(anna, 'none')), 'no-such-mailbox')
    },
  )

  on('RENAME takes children along and keeps messages, UIDs and id', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const { mailboxes } = bench.store
    await mailboxes.create(anna, 'old/deep/er')
    await bench.accept(mail('x'), [anna], { mailbox: 'old/deep' })
    const before = (await mailboxes.list(anna)).find(({ name }) => name === 'old/deep')
    assert.equal(kindOf(await mailboxes.rename(anna, 'old', 'new/place')), 'ok')
    const all = await names(bench, anna)
    assert.deepEqual(all.filter((name) => /^(old|new)/.test(name)).sort(), [
      'new',
      'new/place',
      'new/place/deep',
      'new/place/deep/er',
    ])
    const after = (await mailboxes.list(anna)).find(({ name }) => name === 'new/place/deep')
    assert.equal(after?.mailboxId, before?.mailboxId)
    assert.deepEqual(uids(await bench.view(anna, 'new/place/deep')), [1])
    assert.equal(kindOf(await mailboxes.rename(anna, 'new', 'new/inside')), 'invalid-name')
    assert.equal(kindOf(await mailboxes.rename(anna, 'new', 'Sent')), 'exists')
    assert.equal(kindOf(await mailboxes.rename(anna, 'old', 'x')), 'no-such-mailbox')
  })

  on('RENAME of INBOX moves its messages and leaves it empty, with its children', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const { mailboxes } = bench.store
    await mailboxes.create(anna, 'INBOX/child')
    await bench.deliverMany(3, anna)
    const idle = await bench.view(anna)
    assert.equal(kindOf(await mailboxes.rename(anna, 'inbox', 'moved')), 'ok')
    assert.deepEqual(
      idle.sync({ expunges: true }).map((change) => (change.kind === 'expunge' ? change.seq : change.kind)),
      [3, 2, 1],
    )
    assert.equal((await bench.view(anna, 'moved')).exists, 3)
    assert.equal((await bench.view(anna)).exists, 0)
    assert((await names(bench, anna)).includes('INBOX/child'))
    assert.equal(await bench.deliver(mail('later'), anna), 4)
  })

  on('subscriptions may name what does not exist, and outlive it', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const { mailboxes } = bench.store
    await mailboxes.subscribe(anna, 'not/there', true)
    await mailboxes.subscribe(anna, 'not/there', true)
    await mailboxes.subscribe(anna, 'Junk', false)
    const subscribed = await mailboxes.subscriptions(anna)
    assert(subscribed.includes('not/there') && !subscribed.includes('Junk'))
    const junk = (await mailboxes.list(anna)).find(({ name }) => name === 'Junk')
    assert.equal(junk?.subscribed, false)
    await mailboxes.create(anna, 'kept')
    await mailboxes.subscribe(anna, 'kept', true)
    await mailboxes.delete(anna, 'kept')
    assert((await mailboxes.subscriptions(anna)).includes('kept'))
  })

  on('STATUS counts messages, unseen, octets and recent ones', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const { mailboxes } = bench.store
    const text = mail('x')
    await bench.deliver(text, anna, { flags: ['\\Seen'] })
    await bench.deliver(text, anna)
    const status = await mailboxes.status(anna, 'INBOX')
    assert(status.ok)
    const { messages, recent, sizeBytes, uidNext, unseen } = status.value
    assert.deepEqual([messages, unseen, uidNext, sizeBytes, recent], [2, 1, 3, text.length * 2, 2])
    await bench.view(anna, 'INBOX', true)
    const looked = await mailboxes.status(anna, 'INBOX')
    assert(looked.ok && looked.value.recent === 2, 'EXAMINE takes nothing away')
    await bench.view(anna)
    const taken = await mailboxes.status(anna, 'INBOX')
    assert(taken.ok && taken.value.recent === 0)
  })

  on('APPEND: several at once or none, dates as given, UIDs in order', async (bench) => {
    const anna = await bench.account('anna@example.test', 1000)
    const { mailboxes } = bench.store
    const one = async (subject: string, flags: readonly string[] = []) => ({
      body: await bench.stage(mail(subject)),
      flags,
      internalDateMs: 951_782_400_000,
      internalDateZoneMinutes: -210,
    })
    const done = await mailboxes.append(anna, 'Sent', [await one('a', ['\\Seen', 'Work']), await one('b')])
    assert(done.ok)
    assert.deepEqual(done.value.uids, [1, 2])
    const view = await bench.view(anna, 'Sent')
    assert.equal(done.value.uidValidity, view.uidValidity)
    assert.deepEqual([view.flags(1), view.flags(2)], [['\\Seen', 'Work'], []])
    const [row] = await bench.rows(anna, view, [1], { internalDate: true })
    assert.deepEqual([row?.internalDateMs, row?.internalDateZoneMinutes], [951_782_400_000, -210])
    const large = { ...(await one('c')), body: await bench.stage(mail('c', 'x'.repeat(2000))) }
    assert.equal(kindOf(await mailboxes.append(anna, 'Sent', [await one('d'), large])), 'over-quota')
    assert.equal(kindOf(await mailboxes.append(anna, 'None', [await one('e')])), 'no-such-mailbox')
    assert.equal((await bench.view(anna, 'Sent')).exists, 2)
  })

  on('one account never reaches what is another’s, by name or by view', async (bench) => {
    const [anna, ben] = [await bench.account('anna@example.test'), await bench.account('ben@example.test')]
    const { mailboxes } = bench.store
    await bench.deliver(mail('private'), anna)
    const asBen: Access = { actor: { kind: 'account', account: ben.owner }, owner: anna.owner }
    assert.deepEqual(await mailboxes.list(asBen), [])
    assert.equal(kindOf(await mailboxes.open(asBen, 'INBOX', { readOnly: true })), 'no-such-mailbox')
    assert.equal(kindOf(await mailboxes.status(asBen, 'INBOX')), 'no-such-mailbox')
    assert.equal(kindOf(await mailboxes.create(asBen, 'x')), 'no-such-mailbox')
    assert.equal(kindOf(await mailboxes.delete(asBen, 'Sent')), 'no-such-mailbox')
    const view = await bench.view(anna)
    assert.equal(kindOf(await mailboxes.copy(ben, view, [1], 'INBOX')), 'no-such-mailbox')
    assert.equal(
      kindOf(
        await mailboxes.storeFlags(ben, view, {
          uids: [1],
          action: 'add',
          flags: ['\\Deleted'],
          silent: false,
        }),
      ),
      'no-such-mailbox',
    )
    assert.equal(kindOf(await mailboxes.search(ben, view, { kind: 'all' })), 'no-such-mailbox')
    assert.throws(() => mailboxes.fetch(ben, view, [1], { size: true }))
    const asServer: Access = { actor: { kind: 'system', what: 'test' }, owner: anna.owner }
    assert.equal((await bench.view(asServer)).exists, 1)
    assert.equal(kindOf(await mailboxes.open(accessOf(ben.owner), 'INBOX', { readOnly: true })), 'ok')
  })

  on('sessions of a deleted mailbox are told, and its octets are given back', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const { mailboxes } = bench.store
    await mailboxes.create(anna, 'doomed')
    await bench.accept(mail('x'), [anna], { mailbox: 'doomed' })
    const view = await bench.view(anna, 'doomed')
    let told = 0
    view.onChange(() => told++)
    await mailboxes.delete(anna, 'doomed')
    await eventually('the session is told', () => told > 0)
    assert.deepEqual(view.sync({ expunges: false })[0]?.kind, 'gone')
    assert.match((await bench.octets(anna, view, 1)).toString(), /Subject: x/, 'still there for who shows it')
    view.close()
    assert.equal((await bench.store.accounts.findAccount('anna@example.test'))?.usedBytes, 0)
  })
}
