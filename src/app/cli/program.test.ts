import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { configText, startHouse } from '../house.test-kit.ts'
import { serveOperations } from '../server/control.ts'
import { asProgram, noRoot, noTerminal, onTerminal } from './terminal.test-kit.ts'

const NOBODY = 65_534
const folder = mkdtempSync(join(tmpdir(), 'hikyaku-program-'))
after(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
/** A configuration of its own; @returns its path. */
function configure(tables: Parameters<typeof configText>[0] = {}): string {
  const home = join(folder, String(++files))
  mkdirSync(home)
  writeFileSync(join(home, 'hikyaku.toml'), configText(tables))
  return join(home, 'hikyaku.toml')
}

const STACK = /\n\s+at |Error:/

test('no backup is made of a data folder that is not there, and none is removed for it', async () => {
  const config = configure()
  const into = join(folder, 'backups')
  const backup = ['backup', into, '--keep', '1', '--quiet', '--config', config]
  assert.equal((await asProgram(['account', 'add', 'me@example.test', '--config', config])).code, 0)
  assert.equal((await asProgram(backup)).code, 0)
  const data = join(config, '..', 'data')
  renameSync(data, `${data}-away`)
  const kept = readdirSync(into)
  const ran = await asProgram(backup)
  assert.equal(ran.code, 1)
  assert.match(ran.err, /^There is no mail store in .*\/data: is its disk there\? Nothing was done\.$/m)
  assert.deepEqual(readdirSync(into), kept)
  assert.ok(!existsSync(data), 'and no store was made')
})

test('--ask sets the password on a real terminal and shows none of it', { skip: noTerminal }, async () => {
  const config = configure()
  const add = await asProgram(['account', 'add', 'me@example.test', '--config', config])
  assert.equal(add.code, 0, add.err)
  const args = ['account', 'password', 'me@example.test', '--ask', '--config', config]
  const secret = 'seven lamps over Kyoto bay'
  const set = await onTerminal(args, [
    ['New password: ', `${secret}\r`],
    ['Once more: ', `${secret}\r`],
  ])
  assert.deepEqual(set, {
    code: 0,
    out: 'New password: \r\nOnce more: \r\nThe password of me@example.test was changed.\r\n',
  })
  const differs = await onTerminal(args, [
    ['New password: ', `${secret}\r`],
    ['Once more: ', 'another\r'],
  ])
  assert.equal(differs.code, 2)
  assert.match(differs.out, /The two passwords are not the same; nothing was changed/)
  const stopped = await onTerminal(args, [
    ['New password: ', `${secret}\r`],
    ['Once more: ', '\u0003'],
  ])
  assert.deepEqual(stopped, { code: 130, out: 'New password: \r\nOnce more: \r\nNothing was changed.\r\n' })
})

test('Ctrl-C tells what is waited for and that it is over', { skip: noTerminal }, async () => {
  const config = configure({ log: { to: 'log' } })
  const started = await onTerminal(['start', '--config', config], [['To try, send', '\u0003']])
  assert.equal(started.code, 0, started.out)
  assert.match(started.out, /\r\n(\^C)?Stopping\.\r\nStopped\.\r\n$/)
})

test('what another user may not read or make is one sentence, without a stack', {
  skip: noRoot,
}, async () => {
  chmodSync(folder, 0o755)
  const config = configure()
  chmodSync(join(config, '..'), 0o700)
  for (const line of [
    ['start', '--config', config],
    ['account', 'list', '--config', config],
    ['serve', '--config', config],
    ['start', '--config', join(folder, 'new', 'hikyaku.toml')],
  ]) {
    const ran = await asProgram(line, NOBODY)
    assert.equal(ran.code, 1, line.join(' '))
    assert.match(ran.err, /belongs to root \(mode 07[05][05]\) and this is user \w+/)
    assert.doesNotMatch(ran.err, STACK)
    assert.equal(ran.err.trim().split('\n').length, 1, ran.err)
  }
  chmodSync(folder, 0o700)
})

test('a data folder that this user may not open names the configuration that named it', {
  skip: noRoot,
}, async () => {
  chmodSync(folder, 0o755)
  const config = configure()
  mkdirSync(join(config, '..', 'data'), { mode: 0o700 })
  const ran = await asProgram(['account', 'list', '--config', config], NOBODY)
  assert.equal(ran.code, 1)
  assert.match(
    ran.err,
    new RegExp(
      `data belongs to root .mode 0700. and this is user \\w+: run the command as[^\\n]*\\nConfiguration: ${config}\\n$`,
    ),
  )
  assert.doesNotMatch(ran.err, STACK)
  chmodSync(folder, 0o700)
})

test('a second start on the same data folder is one sentence, before any port is tried', async () => {
  const house = await startHouse()
  const control = await serveOperations(house.server.config.server.data, house.server)
  assert.ok(control.ok)
  try {
    for (const verb of ['serve', 'start']) {
      const ran = await asProgram([verb, '--config', house.configFile])
      assert.equal(ran.code, 1)
      assert.equal(
        ran.err,
        `Hikyaku already runs on ${house.server.config.server.data} (process ${process.pid}): \`hikyaku reload\` makes it read its configuration again; or stop it first.\nConfiguration: ${house.configFile}\n`,
      )
    }
  } finally {
    await control.close()
    await house.stop()
  }
})

test('ports that others have are one sentence, told once', async () => {
  const taken = [createServer(), createServer()]
  const ports = await Promise.all(
    taken.map(
      (server) =>
        new Promise<number>((resolve) =>
          server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
        ),
    ),
  )
  const config = configure({ listen: { mx: [`127.0.0.1:${ports[0]}`], imap: [`127.0.0.1:${ports[1]}`] } })
  const ran = await asProgram(['serve', '--config', config])
  for (const server of taken) server.close()
  assert.equal(ran.code, 1)
  assert.equal(ran.err.match(/can't be opened/g)?.length, 1, ran.err)
  assert.match(
    ran.err,
    new RegExp(`127.0.0.1:${ports[0]}, 127.0.0.1:${ports[1]}: .*listen\\.mx, listen\\.imap`),
  )
})

test('a missing data folder is made for the user that the server becomes', { skip: noRoot }, async () => {
  chmodSync(folder, 0o755)
  const data = join(folder, 'srv', 'mail')
  const config = configure({
    server: { hostname: 'mail.example.test', data, user: 'nobody' },
    log: { to: 'log' },
  })
  const child = onTerminal(['start', '--config', config], [['To try, send', '\u0003']])
  assert.equal((await child).code, 0, (await child).out)
  const { uid, mode } = statSync(data)
  assert.deepEqual([uid, mode & 0o777], [NOBODY, 0o700])
  assert.ok(existsSync(join(data, 'hikyaku.db')))
  chmodSync(folder, 0o700)
})

test('accounts outside the domains that are named are noted at start and reload', async () => {
  const house = await startHouse({ domains: { names: ['example.test', 'old.test'] } })
  try {
    await house.account('me@example.test')
    await house.account('you@old.test')
    const text = readFileSync(house.configFile, 'utf8')
    writeFileSync(house.configFile, text.replace(',"old.test"', ''))
    const lines = await house.run('reload')
    const note = '1 account is in no domain of domains.names and can get no mail from outside: you@old.test'
    assert.ok(lines.includes(note), lines.join('\n'))
    assert.deepEqual(
      house.logged('server.note').map(({ fields }) => fields.note),
      [note],
    )
    writeFileSync(house.configFile, text.replace(/names = \["example.*/, 'names = []'))
    assert.match(
      (await house.run('reload')).join('\n'),
      /no domain is named[\s\S]*2 accounts are in no domain/,
    )
  } finally {
    await house.stop()
  }
})
