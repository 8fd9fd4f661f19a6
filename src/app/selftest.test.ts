import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { runCommand } from './commands.ts'
import { startDns } from './dns.test-kit.ts'
import { type ConfigTables, type House, startHouse } from './house.test-kit.ts'
import { type OperationPorts, type OperationResult, unwatched } from './operations/operation.ts'
import { selftest } from './operations/selftest.ts'

/* The DNS servers of these houses do not answer: the test has to do without. */

const house = await startHouse()
after(() => house.stop())

interface Line {
  readonly verdict: string
  readonly id: string
  readonly line: string
}

function rowsOf(result: OperationResult): readonly Line[] {
  assert.ok(result.ok, JSON.stringify(result))
  return result.lines.flatMap((line) => {
    const [, says, verdict, id] = /^((?:genuine|forged).*?) {2}(NOT OK|OK) +(\S+)/.exec(line) ?? []
    return says === undefined ? [] : [{ verdict: verdict ?? '', id: id ?? '', line }]
  })
}

/** The rows, all OK. */
async function allRight(of: House): Promise<readonly Line[]> {
  const result = await of.server.run('selftest', {})
  const rows = rowsOf(result)
  const text = result.ok ? result.lines.join('\n') : ''
  assert.equal(rows.length, 5, text)
  assert.ok(
    rows.every(({ verdict }) => verdict === 'OK'),
    text,
  )
  assert.equal(result.ok && result.exitCode, 0)
  return rows
}

/** The columns EXPECTED and GOT. */
const outcomes = (rows: readonly Line[]): readonly string[] =>
  rows.map(({ line }) => line.split(/ {2,}/).slice(1, 3).join(' '))

/** Of `why`; a trace without a message is written with the next group. */
async function story(of: House, id: string): Promise<string> {
  for (let tries = 0; ; tries++) {
    const result = await of.server.run('why', { id })
    if (result.ok) return result.lines.join('\n')
    assert.ok(tries < 200, result.error)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function nothingKept(of: House): Promise<void> {
  assert.deepEqual(await of.run('quarantine.list'), ['The quarantine is empty.'])
  assert.match((await of.run('queue.list')).join('\n'), /empty/)
  assert.deepEqual(await of.server.house.ports.quarantine.totals(), { count: 0, bytes: 0 })
}

test('forged mail is stopped and genuine mail gets through, with dead DNS; only traces remain', async () => {
  const { login } = await house.account()
  const rows = await allRight(house)
  assert.deepEqual(outcomes(rows), [
    'delivered delivered',
    'refused refused',
    'held held',
    'refused refused',
    'held held',
  ])
  await nothingKept(house)
  const shown = await house.server.run('mail.show', { account: login, mailbox: 'INBOX', uid: '1' })
  assert.ok(!shown.ok)
  const stories = await Promise.all(rows.map(({ id }) => story(house, id)))
  for (const [at, part] of [
    [0, 'It was accepted'],
    [1, '550 5.7.26'],
    [2, 'DKIM fail'],
    [3, '2 From fields'],
    [4, 'a mailing list'],
  ] as const)
    assert.ok(stories[at]?.includes(part), `${part} in:\n${stories[at]}`)
  for (const at of [0, 2, 4]) assert.match(stories[at] ?? '', /thrown away \(a self-test keeps nothing/)
})

test('two at once are apart', async () => {
  const [one, other] = await Promise.all([allRight(house), allRight(house)])
  const ids = [...one, ...other].map(({ id }) => id)
  assert.equal(new Set(ids).size, 10)
})

test('more than a few at once are put off', async () => {
  const { selfTests, ports } = house.server.house
  const runs = Array.from({ length: 4 }, () => selfTests.begin(ports.random))
  const refused = await house.server.run('selftest', {})
  assert.ok(!refused.ok && refused.error.includes('under way already'))
  for (const run of runs) if (run !== undefined) selfTests.end(run)
  await allRight(house)
})

/** Every setting that has to do with who is judged, or how. */
const SETTINGS: readonly {
  readonly name: string
  readonly tables: ConfigTables
  readonly outcomes?: readonly string[]
  readonly says?: RegExp
}[] = [
  {
    name: 'the port expects PROXY headers from this machine, has a slow greeting and takes one connection a client',
    tables: {
      listen: { proxy_from: ['127.0.0.0/8', '::1'], max_connections_per_client: 1 },
      smtp: { greeting_delay: '700 ms' },
      policy: { exempt_networks: ['127.0.0.0/8', '192.0.2.0/24'] },
    },
  },
  {
    name: 'this machine is a backup server too, the header is not looked at, failures are always refused',
    tables: {
      policy: {
        ...{ secondaries: ['127.0.0.0/8'], reject: 'always', required_headers: false },
        ...{ multi_value_from: 'allow', received_spf: true },
      },
    },
    outcomes: ['delivered delivered', 'refused refused', 'held held', 'refused refused', 'refused refused'],
    says: /Expected so by the setting policy\.reject = "always"\./,
  },
  {
    name: 'nothing is refused by policy, and p=quarantine is delivered',
    tables: {
      policy: { reject: 'hold', hold_quarantine: false },
      quarantine: { junk_domains: ['example.test'] },
      domains: { names: ['example.test', 'selftest.hikyaku.test'], test_domain: 'hikyaku.test' },
    },
    outcomes: ['delivered delivered', 'held held', 'delivered delivered', 'refused refused', 'held held'],
    says: /policy\.hold_quarantine = false/,
  },
]

for (const { name, tables, outcomes: expected, says } of SETTINGS) {
  test(`the settings do not make it fail: ${name}`, async () => {
    const own = await startHouse(tables)
    try {
      const rows = await allRight(own)
      if (expected !== undefined) assert.deepEqual(outcomes(rows), expected)
      if (says !== undefined) assert.match((await own.run('selftest')).join('\n'), says)
      await nothingKept(own)
    } finally {
      await own.stop()
    }
  })
}

const noIpv6 = await new Promise<string | false>((resolve) => {
  const probe = createServer()
  probe.once('error', () => resolve('there is no IPv6 here'))
  probe.listen(0, '::1', () => probe.close(() => resolve(false)))
})

test('a server that has IPv6 alone', { skip: noIpv6 }, async () => {
  const own = await startHouse({ listen: { mx: ['[::1]:0'] } })
  try {
    const rows = await allRight(own)
    assert.match(await story(own, rows[0]?.id ?? ''), /::1 may send mail for/)
  } finally {
    await own.stop()
  }
})

test('a stranger gets nothing by writing to a test that is under way', async () => {
  const { selfTests, ports } = house.server.house
  const { login } = await house.account()
  const run = selfTests.begin(ports.random)
  assert.ok(run !== undefined)
  const recipient = run.expects('secret')
  run.publish(run.domain('genuine'), 'v=spf1 -all')
  run.publish(`_dmarc.${run.domain('genuine')}`, 'v=DMARC1; p=quarantine; psd=n')
  const to = `${recipient.local}@${recipient.domain}`
  const hello = `
      S: 220 <*>
      C: EHLO there.example
      S> 250 <*>
  `
  const stranger = { port: 'mx', proxied: '203.0.113.9' } as const
  await house.play(
    stranger,
    `${hello}
      C: MAIL FROM:<x@there.example>
      S: 250 <*>
      C: RCPT TO:<${to}>
      S: 550 5.7.1 <*>
      C: RSET
      S: 250 <*>
      C: MAIL FROM:<>
      S: 250 <*>
      C: RCPT TO:<${to}>
      S: 550 5.7.1 <*>
      C: RSET
      S: 250 <*>
      C: MAIL FROM:<x@genuine.00000000000000000000.selftest.hikyaku.test>
      S: 250 <*>
      C: RCPT TO:<${to}>
      S: 550 5.7.1 <*>
      C: RSET
      S: 250 <*>
      C: MAIL FROM:<x@${run.base}>
      S: 250 <*>
      C: RCPT TO:<guessed@${run.base}>
      S: 550 5.1.1 <*>
      C: RCPT TO:<${login}>
      S: 550 5.7.1 <*>
    `,
  )
  // Whoever knew every name of the run: judged, thrown away, once.
  const message = `
      C: MAIL FROM:<x@genuine.${run.base}> NOTIFY=SUCCESS
      S: 555 <*>
      C: MAIL FROM:<x@genuine.${run.base}>
      S: 250 <*>
      C: RCPT TO:<${to}> NOTIFY=SUCCESS
      S: 250 <*>
      C: DATA
      S: 354 <*>
      C: From: x@genuine.${run.base}
      C: Date: Tue, 24 Nov 2026 20:00:00 +0000
      C: List-Id: <talk.${run.base}>
      C:
      C: hello
      C: .
      S: 250 2.0.0 <*>
      C: MAIL FROM:<x@genuine.${run.base}>
      S: 250 <*>
      C: RCPT TO:<${to}>
      S: 550 5.1.1 <*>
    `
  await house.play(stranger, `${hello}${message}`)
  assert.equal(run.decided(recipient)?.decision.action, 'hold')
  selfTests.end(run)
  await house.play(
    stranger,
    `${hello}
      C: MAIL FROM:<x@genuine.${run.base}>
      S: 250 <*>
      C: RCPT TO:<${to}>
      S: 550 5.7.1 <*>
    `,
  )
  await nothingKept(house)
})

test('our own people do not get at it either', async () => {
  const { selfTests, ports } = house.server.house
  const run = selfTests.begin(ports.random)
  assert.ok(run !== undefined)
  await house.play(
    'lmtp',
    `
      S: 220 <*>
      C: LHLO here.example
      S> 250 <*>
      C: MAIL FROM:<x@${run.base}>
      S: 250 <*>
      C: RCPT TO:<${run.expects('secret').local}@${run.base}>
      S: 550 5.7.1 <*>
    `,
  )
  selfTests.end(run)
})

/** The operation in a server that is not as it should be. */
function runWith(more: Partial<OperationPorts>): Promise<OperationResult> {
  const { ports, selfTests } = house.server.house
  const door = { address: '127.0.0.1', port: house.server.portOf('mx') ?? 0 }
  return selftest({ ...ports, selfTest: { tests: selfTests, door }, ...more }, {}, unwatched())
}

test('what is wrong shows, with the exit code', async () => {
  const { ports, selfTests } = house.server.house
  const unsigned = await runWith({
    mailAuth: { ...ports.mailAuth, evaluate: ports.mailAuth.evaluate, sign: () => Promise.resolve('') },
  })
  const [genuine, ...others] = rowsOf(unsigned)
  assert.match(genuine?.line ?? '', /delivered {2}delivered \(0 of 2 signatures pass\) {2}NOT OK/)
  assert.ok(others.every(({ verdict }) => verdict === 'OK'))
  assert.ok(unsigned.ok && unsigned.exitCode === 1)
  assert.match(
    unsigned.lines.at(-1) ?? '',
    /^1 of 5 NOT OK: forged mail may get in here, or genuine mail be lost/,
  )

  const config = ports.config()
  const lax = { ...config, policy: { ...config.policy, reject: 'always' as const } }
  const differs = await runWith({ config: () => lax })
  assert.match(rowsOf(differs)[4]?.line ?? '', /refused {4}held +NOT OK/)

  const shut = createServer()
  const port = await new Promise<number>((resolve) =>
    shut.listen(0, '127.0.0.1', () => resolve((shut.address() as { readonly port: number }).port)),
  )
  await new Promise((resolve) => shut.close(resolve))
  const closed = await runWith({ selfTest: { tests: selfTests, door: { address: '127.0.0.1', port } } })
  assert.ok(closed.ok && closed.exitCode === 1)
  assert.equal(rowsOf(closed).length, 5)
  for (const { line } of rowsOf(closed))
    assert.match(line, /put off +NOT OK +- .*The host refuses connections/)
})

test('a port that takes the connection and says nothing is given up', async () => {
  const { ports, selfTests } = house.server.house
  const sockets = new Set<Socket>()
  const silent = createServer((socket) => void sockets.add(socket.on('error', () => socket.destroy())))
  const port = await new Promise<number>((resolve) =>
    silent.listen(0, '127.0.0.1', () => resolve((silent.address() as { readonly port: number }).port)),
  )
  // A minute goes by at once.
  const clock = {
    ...ports.clock,
    after: (_: number, callback: () => void) => ports.clock.after(300, callback),
  }
  const result = await runWith({
    clock,
    selfTest: { tests: selfTests, door: { address: '127.0.0.1', port } },
  })
  assert.ok(result.ok && result.exitCode === 1)
  for (const { line } of rowsOf(result)) assert.match(line, /put off +NOT OK +- .*451 4\.4\.\d/)
  for (const socket of sockets)
    if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve).resume())
  await new Promise((resolve) => silent.close(resolve))
})

test('without a server, and without the port, it says so and touches nothing', async () => {
  const lines: string[] = []
  const io = {
    out: (line: string) => void lines.push(line),
    err: (line: string) => void lines.push(line),
    readLine: async () => undefined,
    readAll: async () => Buffer.alloc(0),
    askSecrets: async () => undefined,
  }
  // No control socket is served for this house: for the command nobody is there.
  assert.equal(await runCommand(['--config', house.configFile, 'selftest'], io), 1)
  assert.match(lines.join('\n'), /^No server is running on this data folder/)
  const alone = await runWith({ selfTest: undefined })
  assert.ok(!alone.ok && alone.error.startsWith('No server runs'))
  const closed = await runWith({ selfTest: { tests: house.server.house.selfTests } })
  assert.ok(!closed.ok && closed.error.includes('`listen.mx`'))
})

test('a domain of ours that asks others for too little is told of, one that protects itself is not', async (t) => {
  const dns = await startDns({
    'none.test': 'v=spf1 -all',
    '_dmarc.weak.test': 'v=DMARC1; p=none; rua=mailto:postmaster@weak.test',
    '_dmarc.strong.test': 'v=DMARC1; p=reject',
  })
  const of = await startHouse({
    domains: { names: ['none.test', 'weak.test', 'strong.test'] },
    dns: { servers: [dns.at] },
  })
  t.after(async () => {
    await of.stop()
    await dns.stop()
  })
  const result = await of.server.run('selftest', {})
  const text = result.ok ? result.lines.join('\n') : result.error
  assert.match(text, /none\.test publishes no DMARC policy: .* Publish _dmarc\.none\.test TXT/)
  assert.match(text, /weak\.test publishes p=none/)
  assert.doesNotMatch(text, /strong\.test/)
  assert.equal(result.ok && result.exitCode, 0)
})
