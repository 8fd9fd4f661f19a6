import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { ServerCertificate } from '../pki/certificate.ts'
import { serveControl } from '../platform/control-server.ts'
import { makeDialer } from '../platform/dialer.ts'
import { exchangeTcp, exchangeUdp } from '../platform/dns-transport.ts'
import { type Account, type House, startHouse } from './house.test-kit.ts'
import { caFilePath, certificateOptions } from './server/certificates.ts'
import type { Wire } from './wire.test-kit.ts'

/*
 * No descriptor is left: connections that stand go on, and what needs a file or a socket is refused for now, with the
 * cause. This process gets few of them, and the test takes those that are left.
 */

/** Above INLINE_BODY_BYTES: its body is a file. */
const LARGE = `Subject: large\r\n\r\n${`${'z'.repeat(76)}\r\n`.repeat(5_000)}`

let house: House
let account: Account
before(async () => {
  house = await startHouse({ smtp: { greeting_delay: '0 s' } })
  account = await house.account()
  await house.deliver(account.login, LARGE)
})
after(() => house.stop())

/** Runs something while this process can open nothing more. */
async function withoutDescriptors(body: () => Promise<void>): Promise<void> {
  const most = Math.max(...readdirSync('/proc/self/fd').map(Number)) + 20
  execFileSync('prlimit', [`--pid=${process.pid}`, `--nofile=${most}:`])
  const taken: number[] = []
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'))
  } catch (error) {
    assert.match(String(error), /EMFILE/)
  }
  try {
    await body()
  } finally {
    for (const one of taken) closeSync(one)
  }
}

async function say(wire: Wire, text: string, expected: RegExp): Promise<string> {
  wire.send(`${text}\r\n`)
  for (;;) {
    const line = await wire.line()
    if (!expected.test(line) && !/^(a|b|c|d|[245]\d\d) /.test(line)) continue
    assert.match(line, expected, text.slice(0, 80))
    return line
  }
}

async function selected(): Promise<Wire> {
  const imap = await house.open('imaps')
  await say(imap, `a LOGIN ${account.login} ${account.password}`, /^a OK/)
  await say(imap, 'b SELECT INBOX', /^b OK/)
  return imap
}

test('attack 10a: a body file that cannot be opened for now is no damage, and is given out afterwards', async () => {
  const imap = await selected()
  await withoutDescriptors(async () => {
    await say(imap, 'c FETCH 1 (BODY.PEEK[])', /^c NO \[(SERVERBUG|UNAVAILABLE)\] /)
    await say(imap, 'c FETCH 1 (BODY.PEEK[]<300000.100>)', /^c NO \[(SERVERBUG|UNAVAILABLE)\] /)
    await say(imap, 'c SEARCH TEXT "zzzz"', /^c NO \[UNAVAILABLE\] /)
    await say(imap, 'c FETCH 1 (FLAGS ENVELOPE)', /^c OK /)
  })
  assert.deepEqual(house.logged('message.damaged'), [])
  await say(imap, 'd FETCH 1 (BODY.PEEK[])', /^d OK /)
  await say(imap, 'd SEARCH TEXT "zzzz"', /^\* SEARCH 1$/)
  await say(imap, 'd NOOP', /^d OK /)
  imap.socket.destroy()
})

test('attack 10a: a large message is put off, a small one taken, and the large one when there are descriptors', async () => {
  const smtp = await house.open('mx')
  await smtp.line()
  await say(smtp, 'EHLO far.test', /^250 /)
  const message = async (content: string, expected: RegExp): Promise<void> => {
    await say(smtp, 'MAIL FROM:<a@far.test>', /^250 /)
    await say(smtp, `RCPT TO:<${account.login}>`, /^250 /)
    await say(smtp, 'DATA', /^354 /)
    await say(smtp, `${content}.`, expected)
  }
  await withoutDescriptors(async () => {
    await message(LARGE, /^4\d\d 4\.3\.\d /)
    await message('Subject: small\r\n\r\nText\r\n', /^250 /)
  })
  await message(LARGE, /^250 /)
  smtp.socket.destroy()
})

test('attack 10a: an APPEND of a large message is refused, and the session goes on', async () => {
  const imap = await selected()
  await withoutDescriptors(async () => {
    await say(imap, `c APPEND INBOX {${LARGE.length}+}\r\n${LARGE}`, /^c NO \[UNAVAILABLE\] /)
    await say(imap, 'c NOOP', /^c OK /)
  })
  await say(imap, `d APPEND INBOX {${LARGE.length}+}\r\n${LARGE}`, /^d OK /)
  imap.socket.destroy()
})

test('attack 10a: a reload that can read nothing changes nothing, and says why', async () => {
  const imap = await selected()
  await withoutDescriptors(async () => {
    const result = await house.server.run('reload', {})
    assert.equal(result.ok, false)
    assert.match(JSON.stringify(result), /too many open files|EMFILE/i)
    await say(imap, 'c NOOP', /^c OK /)
  })
  assert.match((await house.run('reload')).join('\n'), /in force/)
  const again = await selected()
  for (const { socket } of [imap, again]) socket.destroy()
})

test('attack 10a: calls to other hosts and to resolvers fail with the cause, and work afterwards', async () => {
  const port = house.server.portOf('mx') ?? assert.fail('no port')
  const dial = () => makeDialer().dial({ address: '127.0.0.1', port, timeoutMs: 5_000 })
  const server = { address: '127.0.0.1', port: 1, validates: false }
  const question = { server, query: Buffer.alloc(12), timeoutMs: 5_000, read: () => undefined }
  await withoutDescriptors(async () => {
    const dialed = await dial()
    assert.ok(!dialed.ok)
    assert.match(dialed.cause, /EMFILE/)
    for (const exchange of [exchangeUdp, exchangeTcp]) {
      const result = await exchange(question)
      assert.ok(result.kind === 'none')
      assert.match(result.cause, /EMFILE/)
    }
  })
  const dialed = await dial()
  assert.ok(dialed.ok)
  dialed.connection.close()
})

test('attack 10a: the control socket answers no command for now, says so, and answers the next one', async (t) => {
  const { memory } = house.server
  const path = join(house.folder, 'control.sock')
  const ping = { ping: async () => 'pong' }
  const log = { event: () => undefined }
  const served = await serveControl(path, ping, log, { requestBytes: 1024, memory })
  assert.ok(served.ok)
  // Another process: this one could not open its end.
  const client = new URL('../platform/control-client.ts', import.meta.url).href
  const script = `import { callControl } from ${JSON.stringify(client)}
    for await (const _ of process.stdin)
      console.log(JSON.stringify(await callControl(${JSON.stringify(path)}, { verb: 'ping', args: null })))`
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script])
  t.after(() => child.kill())
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]()
  const ask = async (): Promise<unknown> => {
    child.stdin.write('ask\n')
    return JSON.parse((await answers.next()).value ?? 'null')
  }
  assert.deepEqual(await ask(), { kind: 'result', result: 'pong' })
  await withoutDescriptors(async () => {
    const answer = (await ask()) as { kind: string; sentence: string }
    assert.equal(answer.kind, 'error')
    assert.match(answer.sentence, /^The server (ended before it had answered|can't be asked)/)
  })
  assert.deepEqual(await ask(), { kind: 'result', result: 'pong' })
  await served.server.close()
})

test('attack 10a: a certificate that cannot be read for now is kept as it is', async () => {
  const { config } = house.server
  const opened = ServerCertificate.open(certificateOptions(config), Date.now())
  assert.ok(opened.ok)
  await withoutDescriptors(async () => {
    const renewed = opened.server.renewIfDue(Date.now())
    assert.ok(renewed.kind === 'failed')
    assert.match(renewed.sentence, /EMFILE/)
  })
  assert.notEqual(opened.server.renewIfDue(Date.now()).kind, 'failed')
  assert.equal(readFileSync(caFilePath(config), 'utf8'), house.ca)
})
