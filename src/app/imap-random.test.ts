import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Account, startHouse } from './house.test-kit.ts'
import type { Wire } from './wire.test-kit.ts'

const house = await startHouse()
after(() => house.stop())

const SESSIONS = 5
const COMMANDS = 120

/** A client that keeps its own picture of the mailbox, as rfc3501 lets it, and is never told anything that does not fit. */
class Client {
  readonly #wire: Wire
  /** By sequence number; undefined where the UID was not told yet. */
  #uids: (number | undefined)[] = []

  constructor(wire: Wire) {
    this.#wire = wire
  }

  static async selected({ login, password }: Account): Promise<Client> {
    const client = new Client(await house.open('imaps'))
    await client.#wire.line()
    await client.says(`LOGIN ${login} ${password}`)
    await client.says('SELECT INBOX')
    return client
  }

  async says(command: string): Promise<{ readonly status: string; readonly search: string }> {
    this.#wire.send(`t ${command}\r\n`)
    let search = ''
    for (;;) {
      const line = await this.#wire.line()
      if (line.startsWith('t ')) return { status: line.slice(2, 5).trim(), search }
      if (line.startsWith('* SEARCH')) search = line
      this.#told(line, command)
    }
  }

  leave(): void {
    this.#wire.socket.destroy()
  }

  /** The mailbox is no longer selected. */
  forget(): void {
    this.#uids = []
  }

  get exists(): number {
    return this.#uids.length
  }

  #told(line: string, command: string): void {
    const [, number, what] = /^\* (\d+) (EXISTS|EXPUNGE|FETCH)\b/.exec(line) ?? []
    const n = Number(number)
    if (what === 'EXISTS') {
      assert.ok(n >= this.exists, `${line} after ${this.exists}`)
      this.#uids.length = n
    } else if (what === 'EXPUNGE') {
      assert.doesNotMatch(command, /^(FETCH|STORE|SEARCH)/, `${line} in ${command}`)
      assert.ok(n >= 1 && n <= this.exists, `${line} of ${this.exists}`)
      this.#uids.splice(n - 1, 1)
    } else if (what === 'FETCH') {
      assert.ok(n >= 1 && n <= this.exists, `${line} of ${this.exists}`)
      const uid = Number(/UID (\d+)/.exec(line)?.[1])
      if (Number.isNaN(uid)) return
      assert.ok([undefined, uid].includes(this.#uids[n - 1]), `${line}, which was ${this.#uids[n - 1]}`)
      this.#uids[n - 1] = uid
    }
  }
}

/** Numbers that are the same in each run. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

test('sessions that change one mailbox at once: each one’s picture fits all that it is told, and all end alike', async () => {
  const me = await house.account()
  const clients = await Promise.all(Array.from({ length: SESSIONS }, () => Client.selected(me)))
  const statuses = new Map<string, number>()
  await Promise.all(
    clients.map(async (client, index) => {
      const random = numbers(index + 1)
      for (let i = 0; i < COMMANDS; i++) {
        const n = 1 + random(Math.max(1, client.exists))
        const commands = [
          'APPEND INBOX {3+}\r\nx\r\n',
          'APPEND INBOX (\\Seen) {3+}\r\nx\r\n',
          'NOOP',
          `FETCH ${n}:* (UID FLAGS)`,
          'UID FETCH 1:* (RFC822.SIZE BODY.PEEK[]<0.1>)',
          `STORE ${n} +FLAGS (\\Deleted)`,
          `UID STORE 1:* -FLAGS ($k${random(3)})`,
          `STORE ${n} +FLAGS.SILENT ($k${random(3)})`,
          'EXPUNGE',
          'SEARCH UNDELETED',
          `COPY ${n} INBOX`,
          `MOVE ${n} Trash`,
          'SELECT INBOX',
        ] as const
        const command = commands[random(commands.length)] as string
        // A new SELECT begins a new picture.
        if (command === 'SELECT INBOX') await client.says('UNSELECT').then(() => client.forget())
        const { status } = await client.says(command)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
    }),
  )
  const ends = []
  for (const client of clients) {
    await client.says('NOOP')
    const { search } = await client.says('UID SEARCH ALL')
    ends.push([client.exists, search])
    client.leave()
  }
  for (const end of ends) assert.deepEqual(end, ends[0])
  assert.deepEqual(house.logged('server.fault'), [])
  assert.ok((statuses.get('OK') ?? 0) > (SESSIONS * COMMANDS) / 2, JSON.stringify([...statuses]))
})
