import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { AccountId } from '../mail/ids.ts'
import { type Account, type House, startHouse } from './house.test-kit.ts'
import type { Wire } from './wire.test-kit.ts'

/* Clients that read slowly or ask for very much, on a whole server. */

let house: House
before(async () => {
  house = await startHouse()
})
after(() => house.stop())

const COUNT = 3000

/** An account with very many small messages in its INBOX. */
async function full(count: number): Promise<Account> {
  const account = await house.account()
  const { store, ports } = house.server.house
  const found = await ports.accounts.findAccount(account.login)
  assert.ok(found)
  const access = { actor: { kind: 'system', what: 'test' }, owner: found.id as AccountId } as const
  for (let made = 0; made < count; made += 500) {
    const messages = await Promise.all(
      Array.from({ length: Math.min(500, count - made) }, async () => {
        const writer = store.intake.body(1000)
        await writer.write(Buffer.from('Subject: one of many\r\n\r\nText\r\n'))
        const body = await writer.finish()
        assert.ok(body.ok)
        return { body: body.value, flags: [], internalDateMs: 0, internalDateZoneMinutes: 0 }
      }),
    )
    assert.ok((await store.mailboxes.append(access, 'INBOX', messages)).ok)
  }
  return account
}

async function selected(account: Account): Promise<Wire> {
  const wire = await house.open('imaps')
  await wire.line()
  await command(wire, `a LOGIN ${account.login} ${account.password}`)
  await command(wire, 'b SELECT INBOX')
  return wire
}

/** Sends a command and gives its untagged answers. */
async function command(wire: Wire, text: string): Promise<readonly string[]> {
  wire.send(`${text}\r\n`)
  return answers(wire, text.split(' ')[0] as string)
}

async function answers(wire: Wire, tag: string): Promise<readonly string[]> {
  const lines: string[] = []
  for (;;) {
    const line = await wire.line()
    if (line.startsWith(`${tag} `)) {
      assert.match(line, / OK /, line)
      return lines
    }
    if (line.startsWith('* ') || !/^\w+ OK /.test(line)) lines.push(line)
  }
}

/** What a client believes after these lines, of a mailbox that it knew. */
class Believed {
  readonly flags: string[]

  constructor(flags: readonly string[]) {
    this.flags = [...flags]
  }

  hear(lines: readonly string[]): this {
    for (const line of lines) {
      const [, number, what] = /^\* (\d+) (EXPUNGE|EXISTS|FETCH)/.exec(line) ?? []
      const n = Number(number)
      if (what === 'EXPUNGE') {
        assert.ok(n >= 1 && n <= this.flags.length, line)
        this.flags.splice(n - 1, 1)
      } else if (what === 'FETCH') this.flags[n - 1] = flagsOf(line)
      else if (what === 'EXISTS') while (this.flags.length < n) this.flags.push('')
    }
    return this
  }
}

function flagsOf(line: string): string {
  const names = /FLAGS \(([^)]*)\)/.exec(line)?.[1] ?? assert.fail(line)
  return names
    .split(' ')
    .filter((name) => name !== '\\Recent')
    .sort()
    .join(' ')
}

test('attack 10d: a client in IDLE that does not read costs a few buffers, and hears the truth when it does', async () => {
  const account = await full(COUNT)
  const [idle, busy] = [await selected(account), await selected(account)]
  const known = await command(idle, 'c FETCH 1:* FLAGS')
  const believed = new Believed(known.map(flagsOf))
  idle.send('d IDLE\r\n')
  assert.match(await idle.line(), /^\+ /)
  idle.socket.pause()
  const { memory } = house.server
  let most = 0
  // 90,000 changes: some MiB of lines, more than any buffer between the two takes.
  for (let round = 0; round < 30; round++) {
    const sign = round % 2 === 0 ? '+' : '-'
    await command(busy, `s${round} STORE 1:* ${sign}FLAGS.SILENT (\\Flagged $Round${round % 5})`)
    most = Math.max(most, memory.used.members)
  }
  await command(busy, 'e STORE 2:2999 +FLAGS.SILENT (\\Deleted)')
  await command(busy, 'f EXPUNGE')
  await command(busy, 'g STORE 1:2 +FLAGS.SILENT (\\Answered)')
  assert.ok(most < 2 * 1024 * 1024, `${most} octets are held`)
  idle.socket.resume()
  idle.send('DONE\r\n')
  believed.hear(await answers(idle, 'd')).hear(await command(idle, 'h NOOP'))
  const truth = (await command(busy, 'i FETCH 1:* FLAGS')).map(flagsOf)
  assert.equal(truth.length, 2)
  assert.deepEqual(believed.flags, truth)
  for (const { socket } of [idle, busy]) socket.destroy()
})

test('attack 32b: others are answered in the midst of a long answer', async () => {
  const account = await full(8_000)
  const [greedy, other] = [await selected(account), await selected(account)]
  const ended: string[] = []
  const fetches = Array.from({ length: 10 }, (_, i) => `f${i} FETCH 1:* (FLAGS UID)\r\n`)
  greedy.send(fetches.join(''))
  const all = (async () => {
    let lines = 0
    for (const [i] of fetches.entries()) lines += (await answers(greedy, `f${i}`)).length
    ended.push('greedy')
    return lines
  })()
  await command(other, 'c NOOP')
  await command(other, 'd NOOP')
  ended.push('other')
  assert.equal(await all, 80_000)
  assert.deepEqual(ended, ['other', 'greedy'])
  for (const { socket } of [greedy, other]) socket.destroy()
})

test('attack 10d: a client that stops in the midst of a FETCH goes on where it was', async () => {
  const account = await full(COUNT)
  const wire = await selected(account)
  wire.send('c FETCH 1:* (UID BODY.PEEK[])\r\nd NOOP\r\n')
  assert.match(await wire.line(), /^\* 1 FETCH/)
  wire.socket.pause()
  await new Promise((resolve) => setTimeout(resolve, 300))
  assert.ok(house.server.memory.used.members < 8 * 1024 * 1024)
  wire.socket.resume()
  const lines = await answers(wire, 'c')
  assert.equal(lines.filter((line) => line === 'Text').length, COUNT)
  await answers(wire, 'd')
  wire.socket.destroy()
})

test('a client that leaves in the midst of a FETCH is fetched for no further', async () => {
  const account = await full(COUNT)
  const wire = await selected(account)
  const { mailboxes } = house.server.house.store
  const fetchAll = mailboxes.fetch.bind(mailboxes)
  const over = Promise.withResolvers<number>()
  mailboxes.fetch = async function* (...asked) {
    let rows = 0
    try {
      for await (const batch of fetchAll(...asked)) {
        rows += batch.length
        yield batch
      }
    } finally {
      over.resolve(rows)
    }
  }
  try {
    const much = Array.from({ length: 60 }, (_, i) => `BODY.PEEK[]<${i % 5}.200>`).join(' ')
    wire.send(`c FETCH 1:* (UID ${much})\r\n`)
    assert.match(await wire.line(), /^\* 1 FETCH/)
    wire.socket.destroy()
    const rows = await over.promise
    assert.ok(rows < COUNT, `${rows} rows were read`)
  } finally {
    mailboxes.fetch = fetchAll
  }
})

test('a client that has said all and closes its half hears the whole answer', async () => {
  const account = await full(COUNT)
  const wire = await selected(account)
  wire.socket.end('c FETCH 1:* (UID FLAGS)\r\n')
  assert.equal((await answers(wire, 'c')).length, COUNT)
  await wire.ended()
})

test('attack 10d: a client that stops in the midst of a LIST goes on where it was', async () => {
  const account = await house.account()
  const wire = await house.open('imaps')
  await wire.line()
  await command(wire, `a LOGIN ${account.login} ${account.password}`)
  for (let i = 0; i < 300; i++)
    wire.send(`b CREATE "a folder with a long name (${'x'.repeat(60)}), number ${i}"\r\n`)
  await command(wire, 'c NOOP')
  const rounds = 80
  for (let i = 0; i < rounds; i++)
    wire.send(`d${i} LIST "" "*" RETURN (STATUS (MESSAGES UIDNEXT UNSEEN))\r\n`)
  assert.match(await wire.line(), /^\* LIST/)
  wire.socket.pause()
  let most = 0
  for (let i = 0; i < 30; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    most = Math.max(most, house.server.memory.used.members)
  }
  assert.ok(most < 2 * 1024 * 1024, `${most} octets are held`)
  wire.socket.resume()
  let lines = 1
  for (let i = 0; i < rounds; i++) lines += (await answers(wire, `d${i}`)).length
  assert.equal(lines, rounds * (300 + 6) * 2)
  wire.socket.destroy()
})

test('nothing is held for clients that are gone', async () => {
  const { memory } = house.server
  for (let i = 0; i < 200; i++) {
    if (memory.used.members === 0 && memory.used.strangers === 0) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert.fail(JSON.stringify(memory.used))
})
