import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { MailboxId } from '../../mail/ids.ts'
import type { MailboxInfo } from '../../ports/mailboxes.ts'
import type { FlagAction } from '../flag-bits.ts'
import { OLD_GENERATIONS } from '../limits.ts'
import { Columns } from './columns.ts'
import { type HubOptions, ViewHub } from './hub.ts'
import type { View } from './view.ts'

const INFO: MailboxInfo = {
  id: 1 as MailboxId,
  name: 'INBOX',
  subscribed: true,
  selectable: true,
  hasChildren: false,
  mailboxId: 'F1',
}

/** What a client believes, from what it was told alone. */
class Client {
  readonly view: View
  uids: number[]
  flags: Map<number, number>

  constructor(view: View) {
    this.view = view
    this.uids = Array.from({ length: view.exists }, (_, i) => view.uid(i + 1))
    this.flags = new Map(this.uids.map((uid, i) => [uid, view.flagBits(i + 1)]))
  }

  sync(expunges: boolean): void {
    for (const change of this.view.sync({ expunges }))
      if (change.kind === 'expunge') assert.deepEqual(this.uids.splice(change.seq - 1, 1), [change.uid])
      else if (change.kind === 'exists') {
        while (this.uids.length < change.count) {
          const seq = this.uids.length + 1
          this.uids.push(this.view.uid(seq))
          this.flags.set(this.view.uid(seq), this.view.flagBits(seq))
        }
      } else if (change.kind === 'flags') {
        assert.equal(this.uids[change.seq - 1], change.uid)
        this.flags.set(change.uid, this.view.flagBits(change.seq))
      }
    assert.equal(this.view.exists, this.uids.length)
    assert.deepEqual(
      this.uids.map((_, i) => this.view.uid(i + 1)),
      this.uids,
    )
    for (const [i, uid] of this.uids.entries()) assert.equal(this.view.seqOfUid(uid), i + 1)
  }
}

/** The mailbox as it is in the store, and the events of its commits. */
class Truth {
  readonly hub: ViewHub
  readonly released: (number | null)[] = []
  /** MODSEQ of the expunge of each UID that is gone. */
  readonly expungedAt = new Map<number, number>()
  rows: { uid: number; flags: number; modseq: number }[] = []
  modseq = 1
  nowMs = 0
  uidNext = 1
  #later: (() => void)[] = []

  constructor(options: Partial<HubOptions> = {}) {
    this.hub = new ViewHub({
      load: () => Promise.resolve(this.snapshot()),
      release: (_, upTo) => this.released.push(upTo),
      nowMs: () => this.nowMs,
      later: (callback) => this.#later.push(callback),
      ...options,
    })
  }

  snapshot() {
    return {
      name: 'INBOX',
      uidValidity: 7,
      uidNext: this.uidNext,
      highestModseq: this.modseq,
      keywords: [],
      columns: new Columns({
        uids: Uint32Array.from(this.rows.map(({ uid }) => uid)),
        messages: Float64Array.from(this.rows.map(({ uid }) => uid + 1000)),
        flags: Float64Array.from(this.rows.map(({ flags }) => flags)),
        modseqs: Float64Array.from(this.rows.map(({ modseq }) => modseq)),
      }),
    }
  }

  async open(): Promise<View> {
    const view = await this.hub.open(9, INFO, { readOnly: false })
    assert(view !== undefined)
    return view
  }

  add(count: number): void {
    const modseq = ++this.modseq
    const rows: number[] = []
    for (let i = 0; i < count; i++) {
      const uid = this.uidNext++
      this.rows.push({ uid, flags: 0, modseq })
      rows.push(uid, uid + 1000, 0)
    }
    this.hub.apply({ e: 'added', mailbox: 1, modseq, rows })
  }

  expunge(places: readonly number[]): void {
    const gone = new Set(places.map((place) => this.rows[place % Math.max(this.rows.length, 1)]?.uid))
    const uids = this.rows.filter(({ uid }) => gone.has(uid)).map(({ uid }) => uid)
    if (uids.length === 0) return
    const modseq = ++this.modseq
    this.rows = this.rows.filter(({ uid }) => !gone.has(uid))
    for (const uid of uids) this.expungedAt.set(uid, modseq)
    this.hub.apply({ e: 'expunged', mailbox: 1, modseq, uids })
  }

  flag(places: readonly number[], { action, bits }: FlagAction): void {
    const chosen = new Set(places.map((place) => place % Math.max(this.rows.length, 1)))
    const rows = this.rows.filter((_, place) => chosen.has(place))
    if (rows.length === 0) return
    const modseq = ++this.modseq
    for (const row of rows) {
      const flags = action === 'add' ? row.flags | bits : action === 'remove' ? row.flags & ~bits : bits
      if (flags !== row.flags) Object.assign(row, { flags, modseq })
    }
    const ranges = rows.flatMap(({ uid }) => [uid, uid])
    const change = { mailbox: 1, modseq, ranges, action, bits, unchangedSince: null } as const
    this.hub.apply({ e: 'flags', ...change, view: 0, silent: false })
  }

  runTurn(): void {
    const turn = this.#later
    this.#later = []
    for (const callback of turn) callback()
  }

  runLater(): void {
    for (let turn = this.#later; turn.length > 0; turn = this.#later) {
      this.#later = []
      for (const callback of turn) callback()
    }
  }
}

const places = fc.array(fc.nat(30), { minLength: 1, maxLength: 5 })
const flagAction = fc.record({
  action: fc.constantFrom('add' as const, 'remove' as const, 'replace' as const),
  bits: fc.nat(31),
})
const step = fc.oneof(
  fc.record({ do: fc.constant('add' as const), count: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ do: fc.constant('expunge' as const), places }),
  fc.record({ do: fc.constant('flag' as const), places, flags: flagAction }),
  fc.record({ do: fc.constant('sync' as const), client: fc.nat(3), expunges: fc.boolean() }),
  fc.record({ do: fc.constant('reconnect' as const), client: fc.nat(3) }),
)

test('whatever happens in whatever order, each client ends up with the truth, by what it was told alone', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const truth = new Truth()
      truth.add(5)
      const clients = await Promise.all([1, 2, 3, 4].map(async () => new Client(await truth.open())))
      for (const one of steps) {
        if (one.do === 'add') truth.add(one.count)
        else if (one.do === 'expunge') truth.expunge(one.places)
        else if (one.do === 'flag') truth.flag(one.places, one.flags)
        else if (one.do === 'sync') clients[one.client]?.sync(one.expunges)
        else {
          clients[one.client]?.view.close()
          clients[one.client] = new Client(await truth.open())
        }
        // What any session still shows must not have been released.
        const released = truth.released.reduce<number>((most, upTo) => Math.max(most, upTo ?? 0), 0)
        for (const { uids } of clients)
          for (const uid of uids) assert((truth.expungedAt.get(uid) ?? Number.MAX_SAFE_INTEGER) > released)
      }
      for (const client of clients) {
        client.sync(true)
        assert(!client.view.behind)
        assert.deepEqual(
          client.uids.map((uid) => [uid, client.flags.get(uid)]),
          truth.rows.map(({ uid, flags }) => [uid, flags]),
        )
      }
      if (truth.expungedAt.size > 0)
        assert.equal(
          Math.max(...truth.released.map((upTo) => upTo ?? 0)),
          Math.max(...truth.expungedAt.values()),
        )
    }),
    { numRuns: 300 },
  )
})

test('events that come while a mailbox is being read are not lost, those already read not applied twice', async () => {
  let finish: (() => void) | undefined
  const truth = new Truth({
    load: () => {
      const early = truth.snapshot()
      return new Promise((resolve) => {
        finish = () => resolve(early)
      })
    },
  })
  truth.add(3)
  const opening = truth.open()
  truth.expunge([1])
  truth.add(1)
  const second = truth.open()
  truth.flag([0], { action: 'add', bits: 1 })
  assert.deepEqual(truth.released, [], 'whoever is being told of the old state may still ask for it')
  finish?.()
  for (const view of [await opening, await second]) {
    view.sync({ expunges: true })
    assert.deepEqual(
      Array.from({ length: view.exists }, (_, i) => view.uid(i + 1)),
      [1, 3, 4],
    )
    assert.equal(view.flagBits(1), 1)
  }
  assert.deepEqual(truth.released, [truth.expungedAt.get(2)])
})

test('listeners are told once a turn, in slices, and not of what they know', async () => {
  const truth = new Truth()
  const views = await Promise.all(Array.from({ length: 500 }, () => truth.open()))
  const told = new Map<View, number>()
  for (const view of views) view.onChange(() => told.set(view, (told.get(view) ?? 0) + 1))
  truth.add(1)
  truth.add(1)
  truth.runLater()
  assert.deepEqual(new Set(told.values()), new Set([1]))
  assert.equal(told.size, 500)
  views[0]?.sync({ expunges: true })
  truth.add(1)
  views[1]?.sync({ expunges: true })
  truth.runLater()
  assert.equal(told.get(views[0] as View), 2)
  assert.equal(told.get(views[1] as View), 1, 'it has just synced')
})

test('where sessions have much to hear fewer are told in one turn', async () => {
  const truth = new Truth()
  const views = await Promise.all(Array.from({ length: 10 }, () => truth.open()))
  let told = 0
  for (const view of views)
    view.onChange(() => {
      told++
      truth.nowMs += 4
    })
  truth.add(1)
  truth.runTurn()
  assert.equal(told, 2)
  truth.runLater()
  assert.equal(told, 10)
})

test('sessions too far behind are told to go, the others are not', async () => {
  const truth = new Truth()
  truth.add(OLD_GENERATIONS + 10)
  const behind = await truth.open()
  const keeping: View[] = []
  for (let i = 0; i < OLD_GENERATIONS + 2; i++) {
    keeping.push(await truth.open())
    truth.expunge([0])
  }
  assert.equal(behind.sync({ expunges: true })[0]?.kind, 'gone')
  assert.equal(keeping.at(-1)?.sync({ expunges: true })[0]?.kind, 'expunge')
  behind.close()
  for (const view of keeping) view.close()
  assert.equal(Math.max(...truth.released.map((upTo) => upTo ?? 0)), truth.modseq)
})

test('a mailbox that is deleted is released once its last session has gone', async () => {
  const truth = new Truth()
  truth.add(1)
  const [one, two] = [await truth.open(), await truth.open()]
  truth.hub.apply({ e: 'gone', mailbox: 1 })
  assert.equal(one.sync({ expunges: false })[0]?.kind, 'gone')
  one.close()
  assert.deepEqual(truth.released, [])
  two.close()
  assert.deepEqual(truth.released, [null])
  assert.equal(
    await truth.hub.open(9, { ...INFO, id: 1 as MailboxId }, { readOnly: true }).then((view) => view?.exists),
    1,
  )
})

test('attack 27d: a mailbox of another owner is not opened, whatever its number', async () => {
  const truth = new Truth()
  const view = await truth.open()
  assert.equal(await truth.hub.open(8, INFO, { readOnly: true }), undefined)
  view.close()
})

test('one flagged uid in a gap makes ranges that hold nothing else', async () => {
  const truth = new Truth()
  truth.add(6)
  const view = await truth.open()
  truth.expunge([2])
  view.sync({ expunges: true })
  assert.deepEqual(view.rangesOf([1, 2, 4, 6, 99, 1]), [1, 4, 6, 6])
  assert.deepEqual(view.rangesOf([5]), [5, 5])
  assert.deepEqual(view.rangesOf([]), [])
})

test('a mailbox deleted while it was being read is released when nobody can open it any more', async () => {
  const { promise, resolve } = Promise.withResolvers<ReturnType<Truth['snapshot']>>()
  const truth = new Truth({ load: () => promise })
  truth.add(1)
  const early = truth.snapshot()
  const opening = truth.hub.open(9, INFO, { readOnly: false })
  truth.hub.apply({ e: 'gone', mailbox: 1 })
  resolve(early)
  assert.equal(await opening, undefined)
  assert.deepEqual(truth.released, [null], 'else its messages would stay on the disk until the next start')
})

test('what happens in a mailbox that nobody opens does not wait for another that is being read', async () => {
  const truth = new Truth({ load: () => new Promise(() => undefined) })
  void truth.hub.open(9, { ...INFO, id: 2 as MailboxId }, { readOnly: false })
  truth.add(1)
  truth.expunge([0])
  assert.deepEqual(truth.released, [truth.modseq])
})

test('a very large expunge while a session lags behind is only a long list', async () => {
  const truth = new Truth()
  truth.add(1)
  const count = 200_000
  truth.add(count)
  const lagging = await truth.open()
  truth.expunge([0])
  const all = Array.from({ length: count }, (_, place) => place)
  truth.expunge(all)
  assert.equal(lagging.sync({ expunges: true }).length, count + 1)
  assert.equal(lagging.exists, 0)
})
