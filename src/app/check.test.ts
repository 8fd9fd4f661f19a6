import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { runCommand } from './commands.ts'
import { configText, startHouse } from './house.test-kit.ts'
import { serveOperations } from './server/control.ts'

const house = await startHouse()
const control = await serveOperations(house.server.config.server.data, house.server)
assert.ok(control.ok, JSON.stringify(control))
const folders: string[] = []
after(async () => {
  await control.close()
  await house.stop()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function run(config: string, ...args: readonly string[]): Promise<Ran> {
  const [out, err]: [string[], string[]] = [[], []]
  const io = {
    out: (line: string) => void out.push(line),
    err: (line: string) => void err.push(line),
    readLine: async () => undefined,
    readAll: async () => Buffer.alloc(0),
    askSecrets: async () => undefined,
  }
  const code = await runCommand(['--config', config, ...args], io)
  return { code, out: out.join('\n'), err: err.join('\n') }
}

/** A data folder with an account, that no server has. */
async function alone(): Promise<{
  readonly config: string
  readonly database: string
  readonly data: string
}> {
  const folder = mkdtempSync(join(tmpdir(), 'hikyaku-check-'))
  folders.push(folder)
  const config = join(folder, 'hikyaku.toml')
  writeFileSync(config, configText({}))
  assert.equal((await run(config, 'account', 'add', 'anna@example.test')).code, 0)
  const data = ['.', 'data']
    .map((name) => join(folder, name))
    .find((at) => readdirSync(at).includes('hikyaku.db'))
  assert.ok(data !== undefined)
  return { config, data, database: join(data, 'hikyaku.db') }
}

function execute(database: string, sql: string): void {
  const db = new DatabaseSync(database)
  try {
    db.exec(sql)
  } finally {
    db.close()
  }
}

test('a running server checks itself, shows how far it is, and goes on with mail meanwhile', async () => {
  const { login } = await house.account()
  await house.deliver(login, 'Subject: one\r\n\r\nHello\r\n')
  const [checked] = await Promise.all([
    run(house.configFile, 'check'),
    house.deliver(login, 'Subject: two\r\n\r\nHello\r\n'),
  ])
  assert.equal(checked.code, 0, checked.out)
  assert.match(
    checked.out,
    /^Checked \d+ rows, the contents of \d+ messages? \(.*\) and \d+ files?: nothing is wrong\.$/,
  )
  assert.match(
    checked.err,
    /^Pages of the database looked through: 0 of 1 parts\nRows looked at: \d+ of \d+/m,
  )
  assert.match(checked.err, /^Contents of messages read: \d+ of \d+$/m)
  const quick = await run(house.configFile, 'check', '--quick')
  assert.match(quick.out, /no contents of messages \(--quick\)/)
})

test('what is wrong with the data of a running server is told, and it is not repaired under its feet', async () => {
  const { login } = await house.account()
  await house.deliver(login, 'Subject: one\r\n\r\nHello\r\n')
  const database = join(house.server.config.server.data, 'hikyaku.db')
  execute(database, `UPDATE texts SET bytes = x'00' WHERE body = (SELECT max(body) FROM texts)`)
  const { code, out } = await run(house.configFile, 'check')
  assert.equal(code, 1)
  assert.match(
    out,
    new RegExp(`^message UID 1 in INBOX of ${login} .*: its octets are not those that came in`, 'm'),
  )
  assert.match(out, /1 thing is wrong\.$/)
  const repair = await run(house.configFile, 'check', '--repair')
  assert.equal(repair.code, 2)
  assert.match(repair.err, /^Nothing was repaired: .* in use by process \d+ .*Stop the server, then repair;/)
})

test('without a server the command checks and repairs by itself, and tells each repair', async () => {
  const { config, database, data } = await alone()
  assert.equal((await run(config, 'check')).code, 0)
  execute(database, `UPDATE mailboxes SET messages = 7 WHERE name = 'INBOX'`)
  writeFileSync(join(data, 'bodies', 'ab'.repeat(16)), 'mail', { mode: 0o600 })
  const found = await run(config, 'check')
  assert.equal(found.code, 1)
  assert.match(found.out, /mailbox INBOX of anna@example\.test .*: it counts 7 messages, and they are 0\./)
  assert.match(
    found.out,
    /What to do \(mailbox-counts.*\): stop the server and run `hikyaku check --repair`\./,
  )
  const repaired = await run(config, 'check', '--repair')
  assert.equal(repaired.code, 0, repaired.out)
  assert.match(repaired.out, /^Repaired: mailbox INBOX of anna@example\.test .*: counted anew\.$/m)
  assert.match(repaired.out, /^Repaired: bodies\/(ab){16}: moved to stray\/(ab){16}\.$/m)
  assert.deepEqual(readdirSync(join(data, 'stray')), ['ab'.repeat(16)])
  assert.match((await run(config, 'check', '--repair')).out, /^There was nothing to repair\.$/m)
})

test('a damaged page is one line for its table, and says which rules could not look', async () => {
  const { config, database } = await alone()
  const db = new DatabaseSync(database)
  const { rootpage } = db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'mailboxes'").get() ?? {}
  db.close()
  const file = openSync(database, 'r+')
  writeSync(file, Buffer.alloc(100, 0x55), 0, 100, (Number(rootpage) - 1) * 4096)
  closeSync(file)
  const { code, out } = await run(config, 'check')
  assert.equal(code, 1)
  assert.match(out, new RegExp(`the file is damaged: page ${rootpage}, of table mailboxes: `))
  const lines = out.split('\n').filter((line) => line.startsWith('table mailboxes: '))
  assert.equal(lines.length, 1, out)
  assert.match(
    lines[0] ?? '',
    /not all that belongs to it can be read \(.*\); so it is not known .* with: .*mailbox-counts/,
  )
})

test('what cannot be repaired stays, with what to do, and exit code 1', async () => {
  const { config, database } = await alone()
  execute(database, `UPDATE credentials SET argon2id = 'x'`)
  const { code, out } = await run(config, 'check', '--repair')
  assert.equal(code, 1)
  assert.match(out, /nobody can log in with it\.$/m)
  assert.match(out, /What to do \(credential-form\): set a new password with `hikyaku account password`\.$/m)
})

test('what cannot be checked is exit code 2', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hikyaku-check-'))
  folders.push(folder)
  const config = join(folder, 'hikyaku.toml')
  writeFileSync(config, configText({}))
  const none = await run(config, 'check')
  assert.equal(none.code, 2)
  assert.match(none.err, /could not be checked: .*hikyaku\.db/)
  writeFileSync(config, 'nonsense')
  assert.equal((await run(config, 'check')).code, 2)
  const { config: newer, database } = await alone()
  execute(database, 'PRAGMA user_version = 99')
  const unknown = await run(newer, 'check')
  assert.equal(unknown.code, 2)
  assert.match(unknown.err, /schema version 99, and this program knows/)
})
