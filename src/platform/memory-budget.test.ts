import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MEMORY_LIMITS } from './limits.ts'
import { type Holding, MemoryBudget, type MemoryOwner } from './memory-budget.ts'

const KIB = 1024
const LIMIT = 1024 * KIB

class Rig {
  nowMs = 0
  readonly shed: string[] = []
  readonly told: MemoryOwner[] = []
  readonly budget = new MemoryBudget({
    limits: { strangers: LIMIT, members: LIMIT, operators: LIMIT },
    nowMs: () => this.nowMs,
    onShed: (owner) => void this.told.push(owner),
  })

  /** @param keeps what it can't let go: on its way to the disk. */
  hold(name: string, owner: MemoryOwner, keeps: () => boolean = () => false): Holding {
    const holding: Holding = this.budget.hold(owner, () => {
      this.shed.push(name)
      if (!keeps()) holding.set(0)
    })
    return holding
  }
}

const stranger = (key: string): MemoryOwner => ({ class: 'strangers', key })
const member = (key: string): MemoryOwner => ({ class: 'members', key })

test('attack 10c: one address can have a share of the strangers, and no more', () => {
  const rig = new Rig()
  const [slow, quick] = [rig.hold('slow', stranger('a')), rig.hold('quick', stranger('a'))]
  slow.set(130 * KIB)
  rig.nowMs = 1000
  quick.set(120 * KIB)
  assert.deepEqual(rig.shed, [])
  assert.equal(rig.hold('x', stranger('b')).isTight, false)
  assert.equal(slow.isTight, true, 'half of its share is used')
  quick.set(130 * KIB)
  assert.deepEqual(rig.shed, ['slow'], 'the one that has not moved for longest')
  assert.deepEqual(rig.told, [stranger('a')])
})

test('over all the biggest owner loses first, strangers never cost members anything', () => {
  const rig = new Rig()
  const mine = rig.hold('mine', member('me@example.test'))
  mine.set(200 * KIB)
  const many = Array.from({ length: 9 }, (_, i) => rig.hold(`n${i}`, stranger(`n${i}`)))
  for (const one of many) one.set(100 * KIB)
  const big = rig.hold('big', stranger('big'))
  big.set(120 * KIB)
  assert.deepEqual(rig.shed, [])
  assert.equal(mine.isTight, true, 'by its own share')
  assert.equal(rig.hold('other', member('other@example.test')).isTight, false)
  const last = rig.hold('last', stranger('last'))
  last.set(10 * KIB)
  assert.deepEqual(rig.shed, ['big'])
  assert.equal(rig.budget.used.strangers, 910 * KIB)
  assert.equal(rig.budget.used.members, 200 * KIB)
})

test('what is on its way to the disk is not asked for twice, the next in line is', () => {
  const rig = new Rig()
  const stuck = rig.hold('stuck', stranger('a'), () => true)
  stuck.set(200 * KIB)
  const other = rig.hold('other', stranger('a'))
  other.set(150 * KIB)
  assert.deepEqual(rig.shed, ['stuck', 'other'])
  assert.equal(rig.budget.used.strangers, 200 * KIB)
})

test('attack 5a: messages that never end make room for those who begin, and cannot keep all mail out', () => {
  const rig = new Rig()
  const still = Array.from({ length: 8 }, (_, i) => rig.hold(`n${i}`, stranger(`n${i}`)))
  for (const one of still) one.set(100 * KIB)
  const mine = rig.hold('mine', member('me@example.test'))
  mine.set(200 * KIB)
  const late = rig.hold('late', stranger('late'))
  assert.equal(late.admits(), false, 'all of them move')
  rig.nowMs += MEMORY_LIMITS.stillMs
  // An octet now and then is no move, more is.
  still[0]?.set(100 * KIB + 1)
  still[1]?.set(110 * KIB)
  assert.equal(late.admits(), true)
  assert.deepEqual(rig.shed, ['n0'])
  assert.equal(late.isTight, false)
  assert.equal(mine.admits(), false, 'by its own share; logged-in clients make no room for others')
  assert.deepEqual(rig.shed, ['n0'])
})

test("an address that is over half of its share makes room for itself, at nobody else's cost", () => {
  const rig = new Rig()
  const other = rig.hold('other', stranger('other'))
  other.set(100 * KIB)
  const stuck = rig.hold('stuck', stranger('a'), () => true)
  stuck.set(130 * KIB)
  const fresh = rig.hold('fresh', stranger('a'))
  rig.nowMs += MEMORY_LIMITS.stillMs
  assert.equal(fresh.admits(), false)
  assert.deepEqual(rig.shed, ['stuck'])
  stuck.set(0)
  assert.equal(fresh.admits(), true)
})

test('many behind one address have no share of their own, a login takes its octets along', () => {
  const rig = new Rig()
  const one = rig.hold('one', stranger(''))
  one.set(900 * KIB)
  assert.deepEqual(rig.shed, [])
  one.set(100 * KIB)
  one.moveTo(member('me@example.test'))
  assert.deepEqual({ ...rig.budget.used }, { strangers: 0, members: 100 * KIB, operators: 0 })
  one.close()
  one.close()
  one.set(5)
  assert.deepEqual({ ...rig.budget.used }, { strangers: 0, members: 0, operators: 0 })
})

test('attack 10c: whatever happens the bounds hold, and the counts come back to nothing', () => {
  const step = fc.record({
    who: fc.nat(7),
    bytes: fc.nat(400 * KIB),
    login: fc.boolean(),
    close: fc.boolean(),
    passMs: fc.nat(MEMORY_LIMITS.stillMs),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const rig = new Rig()
      const open = new Map<number, Holding>()
      for (const { who, bytes, login, close, passMs } of steps) {
        rig.nowMs += passMs
        const holding = open.get(who) ?? rig.hold(`${who}`, stranger(`${who % 3}`))
        open.set(who, holding)
        holding.set(bytes)
        assert.equal(holding.admits(), !holding.isTight)
        if (login) holding.moveTo(member(`${who % 2}`))
        if (close) {
          holding.close()
          open.delete(who)
        }
        assert.ok(rig.budget.used.strangers <= LIMIT && rig.budget.used.members <= LIMIT)
      }
      for (const holding of open.values()) holding.close()
      assert.deepEqual({ ...rig.budget.used }, { strangers: 0, members: 0, operators: 0 })
    }),
  )
})
