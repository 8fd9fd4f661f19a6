import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { salvage } from '../store/sqlite/salvage/salvage.ts'
import { type Account, type House, startHouse } from './house.test-kit.ts'

/* A server whose data is damaged under it: the message alone is reported, the rest serves. */

const LARGE = 300_000

/** Changes the database as a disk might; the server has it open meanwhile. */
function spoil(house: House, sql: string): void {
  const db = new DatabaseSync(join(house.folder, 'data', 'hikyaku.db'), { timeout: 5000 })
  try {
    db.exec(sql)
  } finally {
    db.close()
  }
}

const bodyFile = (house: House): string => {
  const folder = join(house.folder, 'data', 'bodies')
  const [name] = readdirSync(folder)
  assert(name !== undefined)
  return join(folder, name)
}

function mail(number: number, bytes = 0): string {
  const text = 'some words of it\r\n'.repeat(Math.ceil(bytes / 18))
  return `From: a@remote.test\r\nSubject: number ${number}\r\nMessage-ID: <${number}@remote.test>\r\n\r\nHello ${number}.\r\n${text}`
}

async function withMail(work: (house: House, account: Account) => Promise<void>, large = 0): Promise<void> {
  const house = await startHouse()
  try {
    const account = await house.account()
    for (let number = 1; number <= 5; number++)
      await house.deliver(account.login, mail(number, number === large ? LARGE : 0))
    await work(house, account)
  } finally {
    await house.stop()
  }
}

/** Row of message N of the first account. */
const body = (number: number): string =>
  `(SELECT body FROM messages ORDER BY id LIMIT 1 OFFSET ${number - 1})`

/** All messages but these are given, then the client is told which are not. */
async function assertGiven(house: House, account: Account, items: string, damaged: readonly number[]) {
  const others = [1, 2, 3, 4, 5].filter((uid) => !damaged.includes(uid))
  await house.imap(
    account,
    `
    C: a SELECT INBOX
    S> a OK <*>
    C: b UID FETCH 1:* (${items})
    ${others.map((uid) => `S> * ${uid} FETCH (UID ${uid} <*>`).join('\n')}
    S> b NO [CORRUPTION] Damaged on the server and not given: UID ${damaged.join(' ')}; all others are
    C: c UID STORE ${damaged[0]} FLAGS.SILENT (\\Flagged)
    S> c OK <*>
    C: d UID FETCH ${others.join(',')} (${items})
    S> d OK <*>
    C: e UID FETCH 1:* (UID FLAGS)
    S> * ${damaged[0]} FETCH (UID ${damaged[0]} FLAGS (\\Flagged<*>
    S> e OK <*>
    `,
  )
  await house.deliver(account.login, mail(6))
  for (const uid of damaged) {
    const told = house.logged('message.damaged').filter(({ fields }) => fields.uid === uid)
    assert.equal(told.length, 1, `once for UID ${uid}`)
    const { cause, login, mailbox, todo } = told[0]?.fields ?? {}
    assert.deepEqual([login, mailbox], [account.login, 'INBOX'])
    assert.match(`${cause}`, /./)
    assert.match(`${todo}`, /hikyaku check.*hikyaku salvage/)
  }
}

test('attack 29j: a text whose checksum does not match: that message alone is not given', () =>
  withMail(async (house, account) => {
    spoil(house, `UPDATE texts SET bytes = x'48656c6c6f21' WHERE body = ${body(3)}`)
    await assertGiven(house, account, 'BODY.PEEK[]', [3])
  }))

test('a header or trace field whose bit flipped: the whole message is not given as it were right', () =>
  withMail(async (house, account) => {
    spoil(
      house,
      `UPDATE bodies SET head = CAST(replace(CAST(head AS TEXT), 'number', 'Number') AS BLOB) WHERE id = ${body(2)};
       UPDATE bodies SET prefix = CAST(replace(CAST(prefix AS TEXT), 'Return', 'return') AS BLOB) WHERE id = ${body(4)}`,
    )
    await assertGiven(house, account, 'BODY.PEEK[]', [2, 4])
  }))

test('a text, a body or a message whose row is gone: that message alone is not given', () =>
  withMail(async (house, account) => {
    spoil(
      house,
      `DELETE FROM texts WHERE body = ${body(1)};
       DELETE FROM bodies WHERE id = ${body(3)};
       DELETE FROM messages WHERE id = (SELECT max(id) FROM messages)`,
    )
    await assertGiven(house, account, 'RFC822.SIZE BODY.PEEK[]', [1, 3, 5])
  }))

test('an envelope, a structure, a part tree that is none: what needs it is not given', () =>
  withMail(async (house, account) => {
    spoil(
      house,
      `UPDATE bodies SET envelope = CAST(replace(CAST(envelope AS TEXT), '"number 2"', '"number 2') AS BLOB)
         WHERE id = ${body(2)};
       UPDATE bodies SET structure = substr(structure, 1, length(structure) - 3) WHERE id = ${body(3)};
       UPDATE bodies SET parts = x'5b' WHERE id = ${body(4)}`,
    )
    await assertGiven(house, account, 'ENVELOPE BODYSTRUCTURE BODY.PEEK[1]', [2, 3, 4])
    await house.imap(account, 'C: a EXAMINE INBOX\nS> a OK <*>\nC: b FETCH 2 BODY.PEEK[]\nS> b OK <*>')
  }))

for (const [what, damage] of [
  ['missing', (path: string) => rmSync(path)],
  ['cut', (path: string) => truncateSync(path, LARGE / 2)],
  [
    'with a flipped bit',
    (path: string) => {
      const octets = readFileSync(path)
      octets[LARGE / 2] = (octets[LARGE / 2] as number) ^ 1
      writeFileSync(path, octets)
    },
  ],
] as const)
  test(`a body file ${what}: its message is not begun, whole or in pieces, and the connection stays`, () =>
    withMail(async (house, account) => {
      damage(bodyFile(house))
      await assertGiven(house, account, 'BODY.PEEK[]', [3])
      await house.imap(
        account,
        `
        C: a EXAMINE INBOX
        S> a OK <*>
        C: b FETCH 3 BODY.PEEK[]<1000.100>
        S: b NO [CORRUPTION] <*>
        C: c FETCH 3 (ENVELOPE BODY.PEEK[HEADER])
        S> c OK <*>
        C: d SEARCH TEXT "Hello 4"
        S: * SEARCH 4
        S: d OK <*>
        `,
      )
    }, 3))

test('damage is told of a few times a minute, however many messages it made unreadable', async () => {
  const house = await startHouse()
  try {
    const account = await house.account()
    for (let number = 1; number <= 25; number++) await house.deliver(account.login, mail(number))
    spoil(house, 'DELETE FROM texts')
    for (const tag of ['a', 'b'])
      await house.imap(
        account,
        `
        C: ${tag}1 EXAMINE INBOX
        S> ${tag}1 OK <*>
        C: ${tag}2 FETCH 1:* BODY.PEEK[]
        S: ${tag}2 NO [CORRUPTION] <*>: UID 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 and 5 more; <*>
        `,
      )
    const told = house.logged('message.damaged').length
    assert(told >= 20 && told <= 25, `${told} of 25, of no more than 20 in a minute`)
  } finally {
    await house.stop()
  }
})

test('salvage is refused while the server runs; when it is stopped everything comes out', async () => {
  const house = await startHouse()
  const out = `${house.folder}-salvaged`
  try {
    const account = await house.account()
    for (let number = 1; number <= 3; number++) await house.deliver(account.login, mail(number))
    const folder = join(house.folder, 'data')
    const progress = { line: async () => true, signal: new AbortController().signal }
    const refused = await salvage({ folder, out }, progress)
    assert(!refused.ok)
    assert.match(refused.sentence, /is in use by process \d+: stop the server first/)
    const inside = await salvage({ folder, out: join(folder, 'out') }, progress)
    assert(!inside.ok && !existsSync(join(folder, 'out')))
    await house.server.stop()
    const done = await salvage({ folder, out }, progress)
    assert(done.ok, done.ok ? '' : done.sentence)
    assert.equal(done.counts.sure, 3)
    const files = readdirSync(join(out, 'accounts', account.login, 'Maildir', 'cur'))
    assert.equal(files.length, 3)
    const again = await salvage({ folder, out }, progress)
    assert(!again.ok)
    assert.match(again.sentence, /is there already/)
    const abort = AbortSignal.abort()
    const stopped = await salvage({ folder, out: `${out}2` }, { ...progress, signal: abort })
    assert(!stopped.ok && !existsSync(`${out}2`) && !existsSync(`${out}2.partial`), 'nothing is left of it')
  } finally {
    await house.stop()
    rmSync(out, { recursive: true, force: true })
  }
})
