// Starting, starting again, and stopping: what a person sees, and what happens to a message that is on its way.

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { imaplibRead } from '../harness/clients/imaplib.ts'
import { swaks } from '../harness/clients/swaks.ts'
import { converse } from '../harness/converse.ts'
import { below, domain, localName, loginAt, ports, type Server, startServer } from '../harness/hikyaku.ts'
import { needPrograms, needSlowNamespace } from '../harness/programs.ts'
import { runWell, describe as told } from '../harness/run.ts'
import { makeScratch, type Scratch } from '../harness/scratch.ts'
import { accepts, until, within } from '../harness/until.ts'

describe('starting and stopping', { timeout: 600_000 }, () => {
  let scratch: Scratch
  let folder: string
  let account: { user: string; password: string }
  let server: Server | undefined

  before(async () => {
    needSlowNamespace()
    needPrograms('python3', 'swaks', 'ip')
    scratch = makeScratch('running')
    folder = below(scratch.folder, 'server')
  })

  after(async () => {
    if (server && server.process.exitCode === null) await server.stop()
    scratch?.remove()
  })

  test('a first start without configuration tells how to connect', async () => {
    server = await startServer({ folder })
    account = server.firstAccount()
    assert.match(account.user, /@example\.test$/)
    // At least 96 bits: SCRAM keys are kept for it.
    assert.ok(account.password.replace(/\W/g, '').length >= 16, 'the password is short')
    const screen = server.stdout()
    for (const port of Object.values(ports))
      assert.ok(screen.includes(String(port)), `port ${port} is not told`)
    assert.match(screen, /ca\.pem/)
    assert.match(screen, /swaks|curl/)
    assert.ok(existsSync(server.caFile))
  })

  test('its ports are on loopback alone', async () => {
    for (const port of Object.values(ports)) {
      assert.equal(await accepts(port, '11.22.33.26'), false, `port ${port} is open to the world`)
      assert.equal(await accepts(port, '127.0.0.1'), true)
    }
    const listening = (await runWell('ip', ['-o', 'addr'])).stdout.toString()
    assert.match(listening, /11\.22\.33\.26/)
  })

  test('the command on the screen works as it is written', async () => {
    const screen = server?.stdout() ?? ''
    const command = screen.split('\n').find((line) => /^\s*(\$ )?swaks /.test(line))
    if (command === undefined) {
      assert.match(screen, /^\s*(\$ )?curl /m, 'the screen has no command to try')
      return
    }
    const ran = await runWell('sh', ['-c', command.replace(/^\s*(\$ )?/, '')], { cwd: folder })
    assert.match(ran.stdout.toString(), /250 2\./)
  })

  test('the password is nowhere on disk in clear, keys are for the owner alone', () => {
    const data = join(folder, 'data')
    for (const file of filesBelow(data)) {
      const path = join(data, file)
      const bytes = readFileSync(path)
      assert.ok(!bytes.includes(account.password), `${file} holds the password`)
      if (bytes.includes('PRIVATE KEY'))
        assert.equal(statSync(path).mode & 0o077, 0, `${file} can be read by others`)
    }
    assert.equal(statSync(data).mode & 0o007, 0, 'the data folder is open to others')
  })

  test('SIGTERM lets a message in DATA finish, refuses what is new with 421, and ends with 0', async () => {
    assert.ok(server)
    const idle = connect(ports.mx, '127.0.0.1')
    const heard: Buffer[] = []
    idle.on('data', (piece: Buffer) => heard.push(piece))
    const sending = connect(ports.mx, '127.0.0.1')
    let said = ''
    sending.on('data', (piece: Buffer) => {
      said += piece.toString()
    })
    const step = async (command: string, reply: RegExp) => {
      said = ''
      sending.write(command)
      await until(`the reply to ${command.trim()}`, () => reply.test(said))
    }
    await until('the greetings', () => /^220 /.test(said) && heard.length > 0)
    await step('EHLO client.far.test\r\n', /^250 /m)
    await step(`MAIL FROM:<sender@far.test>\r\n`, /^250 /)
    await step(`RCPT TO:<${account.user}>\r\n`, /^250 /)
    await step('DATA\r\n', /^354 /)
    sending.write('From: sender@far.test\r\nSubject: on its way\r\n\r\nfirst half\r\n')
    server.process.kill('SIGTERM')
    await until('the 421 of an idle connection', () => Buffer.concat(heard).toString().includes('\n421 '))
    assert.equal(await accepts(ports.submission), false)
    await step('second half\r\n.\r\n', /^250 2\./)
    await until('the 421 after it', async () => {
      if (!sending.writableEnded && !sending.destroyed && !/421/.test(said)) sending.write('NOOP\r\n')
      return /421 /.test(said) || sending.destroyed
    })
    assert.equal(await within('the end', 30_000, server.ended), 0, server.log())
    idle.destroy()
    sending.destroy()
  })

  test('started again it keeps the mail, says so, and shows no password', async () => {
    server = await startServer({ folder })
    const screen = server.stdout()
    assert.doesNotMatch(screen, /^\s*Password:/m)
    assert.ok(!screen.includes(account.password))
    assert.match(screen, /account password/)
    const messages = await imaplibRead(loginAt(server, account, 'imaps'), 'INBOX')
    assert.ok(messages.some(({ body }) => /Subject: on its way[\s\S]*second half/.test(body.toString())))
  })

  test('the test domain defers, refuses and accepts as its addresses say', async () => {
    assert.ok(server)
    const send = (to: string) =>
      swaks({
        ...{ host: localName, port: ports.submissions, from: account.user, to: [to], tls: 'implicit' },
        ...{
          message: Buffer.from(`From: ${account.user}\r\nSubject: try\r\n\r\nx\r\n`),
          folder: scratch.folder,
        },
        ...{ login: account, caFile: server?.caFile ?? '' },
      })
    const screen = await server.cli(['config', 'show'])
    const testDomain = /test_domain = "([^"]+)"/.exec(screen.stdout.toString())?.[1]
    assert.ok(testDomain, told(screen))
    for (const local of ['accept', 'refuse', 'defer']) {
      const ran = await send(`${local}@${testDomain}`)
      assert.equal(ran.code, 0, told(ran))
    }
    const login = loginAt(server, account, 'imaps')
    await until('the report about refuse@', async () => {
      const messages = await imaplibRead(login, 'INBOX')
      return messages.some(
        ({ body }) => body.includes(`refuse@${testDomain}`) && body.includes('Action: failed'),
      )
    })
    const queue = await until('defer@ in the queue', async () => {
      const ran = await server?.cli(['queue', 'list'])
      return ran?.stdout.toString().includes(`defer@${testDomain}`) ? ran : undefined
    })
    assert.equal(queue.code, 0, told(queue))
  })

  test('accounts and aliases are managed while it runs and when it does not', async () => {
    assert.ok(server)
    const second = `second@${domain}`
    const input = 'another-Good-one-77\n'
    const running = await server.cli(['account', 'add', second, '--password-stdin'], { input })
    assert.equal(running.code, 0, told(running))
    const weak = await server.cli(['account', 'add', `weak@${domain}`, '--password-stdin'], {
      input: 'abc\n',
    })
    assert.notEqual(weak.code, 0, told(weak))
    assert.equal(await server.stop(), 0)
    const stopped = await server.cli(['alias', 'add', `both@${domain}`, second])
    assert.equal(stopped.code, 0, told(stopped))
    server = await startServer({ folder })
    await converse(
      { port: ports.mx },
      `S: 220
       C: EHLO client.far.test
       S: 250
       C: MAIL FROM:<>
       S: 250
       C: RCPT TO:<both@${domain}>
       S: 250
       C: RCPT TO:<weak@${domain}>
       S: 550 5.1.1
       C: QUIT
       S: 221`,
    )
    const messages = await imaplibRead(
      loginAt(server, { user: second, password: input.trim() }, 'imap'),
      'INBOX',
    )
    assert.equal(messages.length, 0)
  })
})

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
}
