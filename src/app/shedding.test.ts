import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { LISTEN_LIMITS } from '../platform/limits.ts'
import type { MemoryOwner } from '../platform/memory-budget.ts'
import { type Account, type House, startHouse } from './house.test-kit.ts'
import type { Wire } from './wire.test-kit.ts'

/* Memory and connections run short on a whole server: who loses, what they are told, and that the owner goes on. */

let house: House
before(async () => {
  house = await startHouse({
    listen: { max_connections: 20 },
    smtp: { greeting_delay: '0 s' },
    policy: { exempt_networks: ['0.0.0.0/0', '::/0'] },
  })
})
after(() => house.stop())

const KIB = 1024
/** So much is left to a class while others hold the rest. */
const LEFT_BYTES = 100 * KIB
/** Below what goes into a file, so that it is held in memory. */
const CONTENT = `Subject: much\r\n\r\n${`${'x'.repeat(76)}\r\n`.repeat(2_600)}`

/** Others hold nearly all memory of a class and let go of nothing, as messages on their way to the disk. */
async function whileTaken(owner: MemoryOwner, body: () => Promise<void>): Promise<void> {
  const { memory } = house.server
  const others = memory.hold(owner, () => {})
  others.set(memory.limits[owner.class] - LEFT_BYTES)
  try {
    await body()
  } finally {
    others.close()
  }
}

async function held(of: MemoryOwner['class'], bytes: number): Promise<void> {
  for (let i = 0; i < 1_000 && house.server.memory.used[of] < bytes; i++) await sleep(10)
  assert.ok(house.server.memory.used[of] >= bytes, `${house.server.memory.used[of]} octets are held`)
}

async function say(wire: Wire, text: string, expected: RegExp): Promise<string> {
  wire.send(`${text}\r\n`)
  for (;;) {
    const line = await wire.line()
    if (/^(\d{3}-|\* )/.test(line)) continue
    assert.match(line, expected, text)
    return line
  }
}

async function startMessage(stranger: Wire, to: string): Promise<void> {
  await say(stranger, 'MAIL FROM:<a@far.test>', /^250 /)
  await say(stranger, `RCPT TO:<${to}>`, /^250 /)
  await say(stranger, 'DATA', /^354 /)
}

/** A client in the midst of a message, whose content so far is held. */
async function strangerWith(content: string, { from, to }: { from: string; to: string }): Promise<Wire> {
  const stranger = await house.open({ port: 'mx', proxied: from })
  await stranger.line()
  await say(stranger, 'EHLO far.test', /^250 /)
  await startMessage(stranger, to)
  stranger.send(content)
  await held('strangers', content.length - 2 * KIB)
  return stranger
}

/** An APPEND by IMAP, and a message to oneself by submission. */
async function ownerWorks({ login, password }: Account): Promise<void> {
  const imap = await house.open('imaps')
  await say(imap, `a LOGIN ${login} ${password}`, /^a OK/)
  await say(imap, 'b APPEND INBOX {16+}\r\nSubject: mine\r\n', /^b OK/)
  const smtp = await house.open('submissions')
  await smtp.line()
  await say(smtp, 'EHLO owner.test', /^250 /)
  await say(smtp, `AUTH PLAIN ${Buffer.from(`\0${login}\0${password}`).toString('base64')}`, /^235 /)
  await say(smtp, `MAIL FROM:<${login}>`, /^250 /)
  await say(smtp, `RCPT TO:<${login}>`, /^250 /)
  await say(smtp, 'DATA', /^354 /)
  await say(smtp, `From: <${login}>\r\n\r\nMine\r\n.`, /^250 /)
  imap.socket.destroy()
  smtp.socket.destroy()
}

test('attack 5a: a stranger who holds much loses it when memory is short, with 452, and may go on', async () => {
  const account = await house.account()
  const stranger = await strangerWith(CONTENT, { from: '203.0.113.5', to: account.login })
  await whileTaken({ class: 'strangers', key: '198.51.100.1' }, async () => {
    assert.ok(house.server.memory.used.strangers <= house.server.memory.limits.strangers)
    await ownerWorks(account)
    // What it still sends is read and forgotten.
    stranger.send(CONTENT)
    await say(stranger, '.', /^452 4\.3\.1 /)
    await say(stranger, 'MAIL FROM:<a@far.test>', /^452 4\.3\.1 /)
    await say(stranger, 'NOOP', /^250 /)
  })
  await startMessage(stranger, account.login)
  await say(stranger, `${CONTENT}.`, /^250 /)
  stranger.socket.destroy()
  assert.ok(house.logged('load.shed').some(({ fields }) => fields.class === 'strangers'))
})

test('attack 5a: nothing is held for a message that was refused for its NUL octets', async () => {
  const account = await house.account()
  const stranger = await strangerWith(CONTENT, { from: '203.0.113.6', to: account.login })
  await say(stranger, '\0\r\n.', /^554 5\.6\.0 /)
  await say(stranger, 'NOOP', /^250 /)
  assert.ok(
    house.server.memory.used.strangers < LEFT_BYTES,
    `${house.server.memory.used.strangers} octets are held`,
  )
  stranger.socket.destroy()
})

test('attack 5a: an APPEND that is let go is answered with NO, and its connection goes on', async () => {
  const [uploader, other] = [await house.account(), await house.account()]
  const wire = await house.open('imaps')
  await say(wire, `a LOGIN ${uploader.login} ${uploader.password}`, /^a OK/)
  wire.send(`b APPEND INBOX {${2 * CONTENT.length}+}\r\n${CONTENT}`)
  await held('members', CONTENT.length - 2 * KIB)
  await whileTaken({ class: 'members', key: '' }, async () => {
    await say(wire, CONTENT, /^b NO \[UNAVAILABLE\] /)
    await say(wire, 'c NOOP', /^c OK/)
    await ownerWorks(other)
  })
  await say(wire, `d APPEND INBOX {${CONTENT.length}+}\r\n${CONTENT}`, /^d OK/)
  wire.socket.destroy()
})

test('attack 10c: on a full server the oldest guest makes room, who has logged in stays', async () => {
  const account = await house.account()
  const mine = await house.open('imap')
  await mine.line()
  const secured = await house.open('imaps')
  await say(secured, `a LOGIN ${account.login} ${account.password}`, /^a OK/)
  const guests: Wire[] = []
  for (let i = 0; i < 18; i++) {
    const guest = await house.open('imap')
    assert.match(await guest.line(), /^\* OK/)
    guests.push(guest)
  }
  assert.equal(mine.closed, false)
  const late = await house.open('imap')
  assert.match(await late.line(), /^\* OK/)
  await mine.ended()
  await ownerWorks(account)
  await say(secured, 'b NOOP', /^b OK/)
  for (const { socket } of [...guests, late, secured]) socket.destroy()
  assert.ok(house.logged('connection.refused').length > 0)
})

test('attack 10c: one account has so many connections, and the next is told so', async () => {
  const { login, password } = await house.account()
  const { memory } = house.server
  const standing = Array.from({ length: LISTEN_LIMITS.connectionsPerAccount }, () =>
    memory.hold({ class: 'members', key: login }, () => {}),
  )
  const imap = await house.open('imaps')
  await say(imap, `a LOGIN ${login} ${password}`, /^a NO \[LIMIT\] /)
  const smtp = await house.open('submissions')
  await smtp.line()
  await say(smtp, 'EHLO x', /^250 /)
  const plain = Buffer.from(`\0${login}\0${password}`).toString('base64')
  await say(smtp, `AUTH PLAIN ${plain}`, /^454 4\.7\.0 /)
  const told = house.logged('connection.refused').filter(({ fields }) => fields.login === login)
  assert.deepEqual(
    told.map(({ fields }) => fields.listener),
    ['imaps', 'submissions'],
  )
  for (const one of standing) one.close()
  await say(imap, `b LOGIN ${login} ${password}`, /^b OK/)
  await say(smtp, `AUTH PLAIN ${plain}`, /^235 /)
  for (const { socket } of [imap, smtp]) socket.destroy()
})
