import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseNetwork } from '../mail/ip.ts'
import { ConnectionCaps, type Door } from './connection-caps.ts'
import { LISTEN_LIMITS } from './limits.ts'

const TOTAL = 100

class Rig {
  readonly caps = new ConnectionCaps({ total: TOTAL, perClient: 50, exempt: [] })
  readonly cut: number[] = []
  #came = 0

  /** A client comes; undefined where it is not let in. */
  come(door: Door): { readonly number: number; known(): void; leave(): void } | undefined {
    const number = ++this.#came
    if (!this.caps.enter(door)) return undefined
    const guest = { cut: () => void this.cut.push(number) }
    if (door === 'own') this.caps.guest(guest)
    return {
      number,
      known: () => this.caps.known(guest),
      leave: () => {
        this.caps.leave(door)
        this.caps.known(guest)
        if (this.cut.includes(number)) this.caps.displacedLeft()
      },
    }
  }

  fill(door: Door, count: number) {
    return Array.from({ length: count }, () => this.come(door) ?? assert.fail('turned away'))
  }
}

test('attack 10c: port 25 never fills the server', () => {
  const rig = new Rig()
  rig.fill('mx', TOTAL * (1 - LISTEN_LIMITS.ownShare))
  assert.equal(rig.come('mx'), undefined)
  rig.fill('own', TOTAL * LISTEN_LIMITS.ownShare)
  assert.equal(rig.caps.total, TOTAL)
  assert.deepEqual(rig.cut, [])
})

test('attack 10c: one account and port 25 together never fill the server', () => {
  const { caps } = new Rig()
  const mx = TOTAL * (1 - LISTEN_LIMITS.ownShare)
  assert.ok(caps.perAccount > 0 && mx + caps.perAccount < TOTAL)
  caps.change({ total: 100_000, perClient: 50, exempt: [] })
  assert.equal(caps.perAccount, LISTEN_LIMITS.connectionsPerAccount)
})

test('attack 10c: on a full server the oldest client that has not logged in makes room for a newer one', () => {
  const rig = new Rig()
  const clients = rig.fill('own', TOTAL)
  clients[0]?.known()
  clients[2]?.known()
  assert.ok(rig.come('own') !== undefined)
  assert.ok(rig.come('own') !== undefined)
  assert.deepEqual(rig.cut, [2, 4], 'those who logged in stay')
  assert.equal(rig.come('mx'), undefined, 'nobody makes room for strangers on port 25')
  clients[1]?.leave()
  clients[3]?.leave()
  assert.equal(rig.caps.total, TOTAL)
})

test('where everyone has logged in the next one is turned away, and let in when one leaves', () => {
  const rig = new Rig()
  const clients = rig.fill('own', TOTAL)
  for (const client of clients) client.known()
  assert.equal(rig.come('own'), undefined)
  assert.deepEqual(rig.cut, [])
  clients[5]?.leave()
  assert.ok(rig.come('own') !== undefined)
})

test('no more are displaced than may be on their way out: a flood never holds twice the connections', () => {
  const rig = new Rig()
  const clients = rig.fill('own', TOTAL)
  let within = 0
  while (rig.come('own') !== undefined) within++
  assert.equal(within, LISTEN_LIMITS.displacedAtOnce)
  assert.equal(rig.caps.total, TOTAL + within)
  assert.deepEqual(
    rig.cut,
    clients.slice(0, within).map(({ number }) => number),
  )
  for (const client of clients.slice(0, within)) client.leave()
  assert.equal(rig.caps.total, TOTAL)
  assert.ok(rig.come('own') !== undefined)
})

test('one address has its share, an exempt network has none', () => {
  const exempt = [parseNetwork('192.0.2.0/24') ?? assert.fail('no network')]
  const caps = new ConnectionCaps({ total: TOTAL, perClient: 2, exempt })
  const keys = ['2001:db8::1', '2001:db8::2'].map((address) => caps.enterClient(address))
  assert.equal(caps.enterClient('2001:db8::3'), undefined, 'a /64 is one client')
  assert.ok(caps.enterClient('2001:db8:0:1::1') !== undefined)
  for (const key of keys) caps.leaveClient(key ?? assert.fail('turned away'))
  assert.ok(caps.enterClient('2001:db8::3') !== undefined)
  for (let i = 0; i < 10; i++) assert.equal(caps.enterClient('192.0.2.7'), '')
})
