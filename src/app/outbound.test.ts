import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { type Account, type House, startHouse } from './house.test-kit.ts'

/* Mail on its way out of the real server: submitted, queued in the real store, sent to a scripted smarthost. */

/** A host that answers RCPT by the recipient's name and keeps what it takes. */
class Smarthost {
  readonly taken: string[] = []
  readonly envelopes: string[] = []
  /** Answers to RCPT of `flaky@…`, in order; after them it is taken. */
  readonly flaky = ['451 4.7.1 greylisted', '421 4.3.2 busy']
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  constructor() {
    this.#server = createServer((socket) => this.#talk(socket))
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #talk(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    const say = (line: string): void => void socket.write(`${line}\r\n`)
    let content: string[] | undefined
    let rest = ''
    say('220 smart.test')
    socket.on('data', (chunk) => {
      const lines = (rest + chunk.toString('latin1')).split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        if (content === undefined) {
          if (/^(MAIL|RCPT)/.test(line)) this.envelopes.push(line)
          const answer = this.#answer(line)
          say(answer)
          if (answer.startsWith('354')) content = []
        } else if (line === '.') {
          this.taken.push(content.join('\r\n'))
          content = undefined
          say('250 2.0.0 kept')
        } else content.push(line)
      }
    })
  }

  #answer(line: string): string {
    if (line.startsWith('EHLO')) return '250-smart.test\r\n250 8BITMIME'
    if (line.startsWith('RCPT TO:<nobody@')) return '550 5.1.1 no such user'
    if (line.startsWith('RCPT TO:<flaky@')) return this.flaky.shift() ?? '250 2.1.5 ok'
    if (line === 'DATA') return '354 go'
    return line === 'QUIT' ? '221 bye' : '250 ok'
  }
}

const smarthost = new Smarthost()
const house = await startHouse({
  outbound: {
    smarthost: await smarthost.listen(),
    smarthost_tls: 'opportunistic',
    retry_after: ['100 ms'],
  },
})
after(async () => {
  await house.stop()
  smarthost.close()
})

async function submit(from: Account, to: readonly string[], subject: string): Promise<string> {
  const content = `From: ${from.login}\r\nTo: ${to.join(', ')}\r\nSubject: ${subject}\r\n\r\nbody of ${subject}\r\n`
  const [traceId] = await house.run('submit', {
    from: from.login,
    recipients: to,
    contentBase64: Buffer.from(content).toString('base64'),
    user: 'test',
  })
  return traceId ?? ''
}

async function eventually(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 1_000; i++) {
    if (await isSo()) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.fail(`not within 20 s: ${what}`)
}

const isQueueEmpty = async (at: House): Promise<boolean> =>
  (await at.run('queue.list')).join() === 'The queue is empty.'

test('submitted, queued, sent: one recipient gets it, the report about the other is in the INBOX', async () => {
  const me = await house.account()
  const id = await submit(me, ['friend@far.test', 'nobody@far.test'], 'first')
  await eventually('the queue is empty', () => isQueueEmpty(house))
  const [sent] = smarthost.taken.filter((text) => text.includes('body of first'))
  assert.match(sent ?? '', /^Received: by mail\.example\.test with local id /)
  assert.ok(!sent?.includes('Return-Path'))
  assert.deepEqual(smarthost.envelopes.slice(0, 3), [
    `MAIL FROM:<${me.login}> BODY=8BITMIME`,
    'RCPT TO:<friend@far.test>',
    'RCPT TO:<nobody@far.test>',
  ])
  const dsn = (await house.run('mail.show', { account: me.login, mailbox: 'INBOX', uid: '1' })).join('\n')
  assert.match(dsn, /Your message could not be delivered/)
  assert.match(dsn, /nobody@far\.test/)
  assert.match(dsn, /宛先のメールアドレスが存在しません/)
  assert.ok(!dsn.includes('friend@far.test:'))
  const trace = (await house.run('trace', { id })).join('\n')
  assert.match(trace, /friend@far\.test/)
  assert.match(trace, /5\.1\.1 no such user/)
})

test('deferred by 451 and 421, then taken; the trace tells of each attempt', async () => {
  const me = await house.account()
  const id = await submit(me, ['flaky@far.test'], 'second')
  await eventually('the queue is empty', () => isQueueEmpty(house))
  assert.ok(smarthost.taken.some((text) => text.includes('body of second')))
  const trace = (await house.run('trace', { id })).join('\n')
  assert.match(trace, /greylisted/)
  assert.match(trace, /busy/)
})

test('the test domain takes the way out and in again, through our own SMTP, over STARTTLS', async () => {
  const me = await house.account()
  await submit(me, ['accept@try.test', 'refuse@try.test'], 'third')
  await eventually('the queue is empty', () => isQueueEmpty(house))
  const attempts = house
    .logged('queue.attempt')
    .filter(({ fields }) => String(fields.to).endsWith('@try.test'))
  assert.deepEqual(
    attempts.map(({ fields }) => [fields.to, fields.state]),
    [
      ['accept@try.test', 'delivered'],
      ['refuse@try.test', 'failed'],
    ],
  )
  assert.match(String(attempts[0]?.fields.tls), /^TLSv1\.3/)
  const dsn = (await house.run('mail.show', { account: me.login, mailbox: 'INBOX', uid: '1' })).join('\n')
  assert.match(dsn, /This address of the test domain always refuses/)
})

test('NOTIFY=SUCCESS of a local delivery: the report is in the sender’s INBOX', async () => {
  const [me, other] = [await house.account(), await house.account()]
  const wire = await house.open('mx')
  const say = async (line: string, code: string): Promise<void> => {
    wire.send(`${line}\r\n`)
    let answer = await wire.line()
    while (answer[3] === '-') answer = await wire.line()
    assert.ok(answer.startsWith(code), answer)
  }
  await wire.line()
  await say('EHLO there.test', '250')
  await say(`MAIL FROM:<${me.login}> ENVID=q1`, '250')
  await say(`RCPT TO:<${other.login}> NOTIFY=SUCCESS`, '250')
  await say('DATA', '354')
  await say('Subject: fourth\r\n\r\nx\r\n.', '250')
  wire.socket.destroy()
  const dsn = (await house.run('mail.show', { account: me.login, mailbox: 'INBOX', uid: '1' })).join('\n')
  assert.match(dsn, /Your message was delivered/)
  assert.ok(dsn.includes(other.login))
})

test('queue list, show, retry and cancel', async () => {
  const me = await house.account()
  const id = await submit(me, ['defer@try.test'], 'fifth')
  await eventually('the first attempt is over', async () =>
    (await house.run('queue.show', { id })).join().includes('last answer'),
  )
  assert.match((await house.run('queue.list')).join('\n'), /defer@try\.test: waiting, \d+ attempts?/)
  assert.deepEqual(await house.run('queue.retry', { id }), [`${id} is tried again now.`])
  assert.deepEqual(await house.run('queue.retry', { id: 'all' }), ['1 message is tried again now.'])
  assert.deepEqual(await house.run('queue.cancel', { id }), [`${id} was taken out of the queue.`])
  await eventually('the queue is empty', () => isQueueEmpty(house))
  const gone = await house.server.run('queue.show', { id })
  assert.ok(!gone.ok)
})
