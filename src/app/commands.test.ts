import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { forTerminal } from './cli/io.ts'
import { runCommand, VERBS } from './commands.ts'
import { configText, startHouse } from './house.test-kit.ts'
import { serveOperations } from './server/control.ts'

const house = await startHouse()
const control = await serveOperations(house.server.config.server.data, house.server)
assert.ok(control.ok, JSON.stringify(control))
/** A data folder that no server has. */
const alone = mkdtempSync(join(tmpdir(), 'hikyaku-commands-'))
const aloneConfig = join(alone, 'hikyaku.toml')
writeFileSync(aloneConfig, configText({}))
after(async () => {
  await control.close()
  await house.stop()
  rmSync(alone, { recursive: true, force: true })
})

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

interface Given {
  readonly config?: string
  readonly stdin?: string
  readonly secrets?: readonly string[]
}

/** Runs a command as the program would; @returns what it printed. */
async function run(args: readonly string[], given: Given = {}): Promise<Ran> {
  const out: string[] = []
  const err: string[] = []
  const io = {
    out: (line: string) => void out.push(forTerminal(line)),
    err: (line: string) => void err.push(forTerminal(line)),
    readLine: async () => given.stdin?.split('\n')[0],
    readAll: async () => Buffer.from(given.stdin ?? ''),
    askSecrets: async () => given.secrets,
  }
  const code = await runCommand(['--config', given.config ?? house.configFile, ...args], io)
  return { code, out: out.join('\n'), err: err.join('\n') }
}

const words = (text: string): readonly string[] => text.split(' ')

test('help lists every command and explains one; an unknown one is exit code 2', async () => {
  const help = await run(['help'])
  for (const verb of VERBS) assert.ok(help.out.includes(verb.words), verb.words)
  const one = await run(words('help account add'))
  assert.match(one.out, /^hikyaku account add ADDRESS/)
  assert.deepEqual(await run(words('help account')).then(({ out }) => out.match(/^hikyaku/gm)?.length), 6)
  assert.equal((await run([])).code, 0)
  const unknown = await run(words('acount add x'))
  assert.equal(unknown.code, 2)
  assert.match(unknown.err, /no command "acount/)
})

test('each command refuses what it does not know, with its usage and exit code 2', async () => {
  for (const verb of VERBS) {
    if (verb.words === 'sendmail') continue
    const option = await run([...words(verb.words), '--no-such-option'])
    assert.equal(option.code, 2, verb.words)
    assert.ok(option.err.includes(`Usage: hikyaku ${verb.words}`), option.err)
    if (verb.usage.includes('…')) continue
    const many = await run([...words(verb.words), ...Array.from({ length: 9 }, () => 'a@b.test')])
    assert.equal(many.code, 2, verb.words)
  }
  for (const line of [
    'account add',
    'account password',
    'account quota me@example.test',
    'account language me@example.test',
    'alias add x',
    'queue show',
    'mail show me@example.test INBOX',
    'tls install',
  ]) {
    const few = await run(words(line))
    assert.equal(few.code, 2, line)
    assert.match(few.err, /missing/)
  }
})

/** The same lines for a running server and for none. */
const LINES: readonly (readonly [string, number, RegExp])[] = [
  ['account list', 0, /^There are no accounts yet/],
  ['alias list', 0, /^There are no aliases\./],
  ['queue list', 0, /^The queue is empty\./],
  ['account add me@example.test --quota 10MiB', 0, /^Account: me@example\.test\nPassword: (\w{4}-){4}\w{4}$/],
  ['account add me@example.test', 1, /me@example\.test is there already/],
  ['account add me@elsewhere.test', 1, /elsewhere\.test is not one of your domains/],
  ['account add nonsense', 1, /An account is named by its address/],
  ['account add x@example.test --quota much', 1, /Write .*, or none\.$/],
  ['account list', 0, /^me@example\.test {2}0 B of 10\.0 MiB$/],
  ['account quota me@example.test none', 0, /The quota of me@example\.test is none/],
  ['account language me@example.test ja', 0, /is written to in Japanese/],
  ['account language me@example.test xx', 1, /en \(English\) or ja/],
  ['account language no@example.test en', 1, /There is no account no@example\.test|no@example\.test/],
  ['account quota no@example.test 1MiB', 1, /There is no account no@example\.test/],
  ['account password no@example.test', 1, /There is no account no@example\.test/],
  ['account remove no@example.test --with-mail', 1, /There is no account/],
  [
    'alias add sales@example.test me@example.test x@remote.test',
    0,
    /^sales@example\.test leads to me@example\.test, x@remote\.test\.$/,
  ],
  [
    'alias add sales@example.test y@remote.test x@remote.test',
    0,
    /^sales@example\.test leads to me@example\.test, x@remote\.test, y@remote\.test\.$/,
  ],
  ['alias add sales@example.test x@remote.test', 0, /already; nothing was changed/],
  ['alias remove sales@example.test z@remote.test', 1, /does not lead to z@remote\.test, but to me@/],
  ['alias remove sales@example.test x@remote.test', 0, /leads to me@example\.test, y@remote\.test\.$/],
  [
    'alias set sales@example.test me@example.test x@remote.test',
    0,
    /leads to me@example\.test, x@remote\.test, no longer to y@remote\.test\.$/,
  ],
  ['alias add sales@example.test sales@example.test', 1, /cannot lead to itself/],
  ['alias add sales@example.test not-an-address', 1, /"not-an-address" is no address that mail can go to/],
  ['alias add sales@elsewhere.test me@example.test', 1, /is not one of your domains/],
  ['alias add sales@example.test no@example.test', 1, /There is no mailbox no@example\.test here/],
  ['alias add @example.test me@example.test', 0, /^@example\.test leads to me@example\.test\.$/],
  [
    'alias list',
    0,
    /^@example\.test {2}me@example\.test\nsales@example\.test {2}me@example\.test, x@remote\.test$/,
  ],
  ['alias remove @example.test', 0, /was removed/],
  ['alias remove @example.test', 1, /There is no alias @example\.test/],
  ['queue show 99', 1, /There is no message 99 in the queue/],
  ['queue retry all', 0, /^The queue is empty\./],
  ['queue cancel nosuch', 1, /There is no message nosuch/],
  ['trace', 1, /Say which message/],
  ['trace nosuch', 1, /trace/i],
  [
    'dkim list',
    0,
    /^example\.test {2}hk\d{6}r {2}rsa-2048 {2}since .* {2}signing; .*\nexample\.test {2}hk\d{6}e {2}ed25519 /,
  ],
  ['dkim show other.test', 1, /"other\.test" is not one of your domains/],
  ['dkim show', 0, /^example\.test signs with hk\d{6} since .*\nPublish these two TXT records/],
  ['dkim show EXAMPLE.test.', 0, /\n {4}hk\d{6}r\._domainkey\.example\.test\. IN TXT "v=DKIM1; k=rsa; p=\w/],
  [
    'dkim rotate example.test',
    0,
    /will sign with hk\d{6}x02\. It waits(.|\n)*\n1\. Publish the two records above\. Leave those of hk/,
  ],
  ['dkim rotate example.test', 0, /^New keys are there already; no others were made\.\n/],
  ['dkim list', 0, /x02r .*not signing yet\n/],
  [
    'dkim rotate example.test --now',
    0,
    /signs with the new keys from now on\.\nTheir records were not seen in the DNS: publish them at once/,
  ],
  [
    'dkim list',
    0,
    /^example\.test {2}hk\d{6}r {2}rsa-2048 .* retired; its record must stay in the DNS until \d/,
  ],
  ['trust list', 0, /^There are no exceptions\./],
  [
    'trust add --list talk.lists.test',
    1,
    /^`--list` only narrows an exception: .* Say what a forger can't write/,
  ],
  ['trust add --host 192.0.2.25', 1, /^`--host` only narrows an exception/],
  ['trust add', 1, /^Say what a forger can't write: `--dkim DOMAIN`/],
  [
    'trust add --dkim a.test --spf b.test',
    1,
    /One exception has one key: give `--dkim` or `--spf`, not both/,
  ],
  [
    'trust add --dkim me@lists.test',
    1,
    /"me@lists\.test" is an address; give the domain alone: lists\.test\./,
  ],
  [
    'trust add --spf 192.0.2.25',
    1,
    /192\.0\.2\.25 is an address of a host, which is no key; `--host 192\.0\.2\.25` narrows one/,
  ],
  ['trust add --dkim test', 1, /test is no domain of anybody's/],
  ['trust add --dkim a..test', 1, /"a\.\.test" is no domain/],
  ['trust add --dkim lists.test --list talk', 1, /"talk" is no List-Id; give what stands between < and >/],
  ['trust add --dkim lists.test --list talk@lists.test', 1, /"talk@lists\.test" is an address/],
  ['trust add --dkim lists.test --host relay.test', 1, /"relay\.test" is no address or network/],
  ['trust add --dkim lists.test --until 2020-01-01', 1, /2020-01-01 is over/],
  [
    'trust add --dkim lists.test --until 2027-02-30',
    1,
    /"2027-02-30" is no time; `--until` takes a day such as/,
  ],
  ['trust add --dkim lists.test --until 0d', 1, /0d is over/],
  ['trust add --dkim lists.test --until 99999d', 1, /more than ten years/],
  [
    'trust add --dkim Lists.TEST. --list <Talk.lists.test> --why ours --until 90d',
    0,
    /^Exception 1: --dkim lists\.test --list talk\.lists\.test, until 20.*\nMail with a valid DKIM signature of lists\.test over the List-Id talk\.lists\.test, is delivered/,
  ],
  [
    'trust add --spf fwd.test --host 2001:db8:1:2::5/48',
    0,
    /^Exception 2: --spf fwd\.test --host 2001:db8:1::\/48, until/,
  ],
  [
    'trust add --spf fwd.test --host 2001:db8:1::/48 --why again',
    0,
    /^Exception 3: .*(.|\n)*It takes the place of 2\./,
  ],
  [
    'trust list',
    0,
    /^1 {2}--dkim lists\.test --list talk\.lists\.test {2}until .* {2}ours\n3 {2}--spf fwd\.test --host 2001:db8:1::\/48 {2}until .* {2}again$/,
  ],
  ['trust remove 2', 1, /There is no exception 2, `hikyaku trust list`/],
  ['trust remove one', 1, /"one" is no number/],
  ['trust remove 3', 0, /^Exception 3 \(--spf fwd\.test .*\) was removed\./],
  ['trust remove 1', 0, /was removed/],
  ['trust import /nonexistent/list', 1, /\/nonexistent\/list cannot be used \(ENOENT\): it does not exist/],
  ['mail show me@example.test INBOX 1', 1, /There is no message 1 in INBOX/],
  ['mail show no@example.test INBOX 1', 1, /There is no account/],
  ['mail show me@example.test INBOX one', 1, /Say which message|UID is a number/],
  ['config check', 0, /is right\.$/],
  ['config show', 0, /hostname = "mail\.example\.test"/],
  ['account remove me@example.test', 1, /deletes its mail .* Say `--with-mail`/],
  ['account remove me@example.test --with-mail', 1, /Aliases lead to me@example\.test: sales@example\.test/],
  ['alias add only@example.test me@example.test', 0, /leads to/],
  [
    'account remove me@example.test --with-mail --with-aliases',
    0,
    /^me@example\.test and its mail were removed\.\nThe alias only@example\.test led nowhere else and was removed\.\nsales@example\.test leads to x@remote\.test now\.$/,
  ],
  ['alias remove sales@example.test', 0, /was removed/],
]

for (const [where, config] of [
  ['a running server', house.configFile],
  ['the data folder alone', aloneConfig],
] as const)
  test(`the commands, asked of ${where}`, async () => {
    // Alone each opens and closes the store: what succeeds is enough.
    const lines = config === aloneConfig ? LINES.filter(([, code]) => code === 0) : LINES
    for (const [line, code, said] of lines) {
      const ran = await run(words(line), { config })
      const text = ran.code === 0 ? ran.out : ran.err
      assert.match(text, said, `${line}: ${JSON.stringify(ran)}`)
      assert.equal(ran.code, code, `${line}: ${JSON.stringify(ran)}`)
      assert.equal(ran.code === 0 ? ran.err : ran.out, '', line)
    }
  })

test('passwords come from standard input or the terminal, weak ones are refused, none is in the log', async () => {
  const good = 'seven lamps over Kyoto bay'
  const add = await run(words('account add in@example.test --password-stdin'), { stdin: `${good}\n` })
  assert.deepEqual(add, { code: 0, out: 'Account: in@example.test', err: '' })
  await house.imap({ login: 'in@example.test', password: `"${good}"` }, 'C: a NOOP\nS: a OK <*>')
  for (const weak of ['1234567890', 'a', 'in@example.test', 'passwordpassword'])
    assert.match(
      (await run(words('account password in@example.test --password-stdin'), { stdin: `${weak}\n` })).err,
      /^The password is refused: /,
      weak,
    )
  assert.equal((await run(words('account password in@example.test --password-stdin'), { stdin: '' })).code, 2)
  const asked = await run(words('account password in@example.test --ask'), {
    secrets: [`${good} 2`, `${good} 2`],
  })
  assert.equal(asked.code, 0)
  assert.ok(!asked.out.includes(good))
  const differs = await run(words('account password in@example.test --ask'), { secrets: ['one', 'two'] })
  assert.match(differs.err, /not the same/)
  assert.match((await run(words('account password in@example.test --ask'))).err, /no terminal to ask on/)
  const argv = await run(['account', 'password', 'in@example.test', 'a-password-in-argv'])
  assert.equal(argv.code, 2, 'a password is not taken from the command line')
  const log = JSON.stringify(house.events)
  assert.ok(!log.includes(good) && !log.includes('1234567890'))
})

test('queue, trace and mail of a message that waits', async () => {
  const me = await house.account()
  const sent = await run(['sendmail', '-i', '-f', me.login, me.login, 'friend@remote.test'], {
    stdin: `From: ${me.login}\nSubject: =?UTF-8?B?${Buffer.from('件名 \u001b[31m').toString('base64')}?=\n\nbody \u001b]0;title\u0007 \u202e\n.\nlast\n`,
  })
  assert.deepEqual(sent, { code: 0, out: '', err: '' })
  const list = await run(words('queue list'))
  const id = /^(\w{20}) /.exec(list.out)?.[1] ?? ''
  assert.match(list.out, /to friend@remote\.test: waiting/)
  assert.match((await run(['queue', 'show', id])).out, /friend@remote\.test/)
  assert.match((await run(['queue', 'retry', id])).out, /is tried again now|is due/)
  assert.match((await run(words('sendmail -bp'))).out, /friend@remote\.test/)
  assert.equal((await run(words('sendmail -q'))).code, 0)
  for (const query of [[id], ['--from', me.login], ['--to', 'friend@remote.test']]) {
    const told = await run(['trace', ...query])
    assert.match(told.out, /It waits in the queue for friend@remote\.test/)
    assert.match(told.out, /It is in INBOX of .* as UID 1/)
    assert.match(told.out, /件名/)
    assert.ok(!/[\u0000-\u0009\u000b-\u001f\u007f\u202e]/.test(told.out), 'no control characters')
  }
  const shown = await run(['mail', 'show', me.login, 'INBOX', '1'])
  assert.match(shown.out, /Subject: 件名/)
  assert.match(shown.out, /\nbody .*\n\.\nlast/)
  assert.ok(!/[\u0000-\u0009\u000b-\u001f\u007f\u202e]/.test(shown.out), 'no control characters')
  assert.match((await run(['queue', 'cancel', id])).out, /was taken out of the queue/)
  assert.equal((await run(words('queue list'))).out, 'The queue is empty.')
  assert.match((await run(['trace', id])).out, /the operator took it out of the queue/i)
})

test('sendmail: -t, Bcc, dots, -F, wrong options, wrong recipients, exit codes', async () => {
  const [me, you, hidden] = [await house.account(), await house.account(), await house.account()]
  const message = `From: ${me.login}\nTo: ${you.login}\nBcc: ${hidden.login}\nSubject: t\n\none\n.\ntwo\n`
  assert.equal((await run(words('sendmail -t -oi'), { stdin: message })).code, 0)
  const seen = await run(['mail', 'show', hidden.login, 'INBOX', '1'])
  assert.match(seen.out, /one\n\.\ntwo/)
  assert.ok(!seen.out.includes('Bcc'))
  assert.equal(
    (
      await run(['sendmail', '-oem', '-B8BITMIME', '-F', 'The Cron', you.login], {
        stdin: 'only text\n.\nnot this\n',
      })
    ).code,
    0,
  )
  const cron = await run(['mail', 'show', you.login, 'INBOX', '2'])
  assert.match(cron.out, /^From: .*The Cron/)
  assert.match(cron.out, /only text/)
  assert.ok(!cron.out.includes('not this'))
  assert.equal((await run(words('sendmail'), { stdin: 'x\n' })).code, 64)
  assert.equal((await run(words('sendmail --nosuch x@y.test'), { stdin: 'x\n' })).code, 64)
  assert.equal((await run(words('sendmail -f'), { stdin: 'x\n' })).code, 64)
  const unknown = await run(words('sendmail nobody@example.test'), { stdin: 'Subject: x\n\nx\n' })
  assert.equal(unknown.code, 69)
  assert.match(unknown.err, /550 5\.1\.1/)
  const deferred = await run(['sendmail', '-f', 'x@elsewhere.test', you.login], {
    stdin: 'From: x@elsewhere.test\n\nx\n',
  })
  assert.match(deferred.err, /553 5\.7\.1/)
})

test('reload: a good file is in force at once, a bad one leaves the old; both are said', async () => {
  const before = readFileSync(house.configFile, 'utf8')
  const good = await run(words('reload'))
  assert.deepEqual(good, { code: 0, out: 'The configuration is in force.', err: '' })
  writeFileSync(house.configFile, before.replace('["example.test"]', '["example.test", "second.test"]'))
  assert.equal((await run(words('reload'))).code, 0)
  assert.equal((await run(words('account add me@second.test'))).code, 0)
  await house.deliver('me@second.test', 'Subject: x\r\n\r\nx\r\n')
  appendFileSync(house.configFile, '\n[smtp]\nmax_mesage = "1 MiB"\n')
  const bad = await run(words('reload'))
  assert.equal(bad.code, 1)
  assert.match(bad.err, /max_mesage[\s\S]*The old configuration stays in force/)
  assert.equal(house.logged('server.reload-refused').length, 1, 'the server itself heard of it')
  await house.deliver('me@second.test', 'Subject: still\r\n\r\nx\r\n')
  writeFileSync(house.configFile, before.replace('"mail.example.test"', '"other.example.test"'))
  assert.match((await run(words('reload'))).out, /Only after a new start: server\.hostname/)
  writeFileSync(house.configFile, before)
  assert.equal((await run(words('reload'))).code, 0)
  assert.match((await run(words('reload'), { config: aloneConfig })).err, /no server|not running|runs/i)
})

test('config sample is a file that config check finds right; a mistake names file, line and what to write', async () => {
  const sample = await run(words('config sample'))
  const file = join(alone, 'sample.toml')
  writeFileSync(file, sample.out)
  assert.match((await run(['config', 'check', file])).out, /is right/)
  writeFileSync(file, '[smtp]\nmax_message = "lots"\n')
  const wrong = await run(['config', 'check', file])
  assert.equal(wrong.code, 1)
  assert.match(wrong.err, /sample\.toml:2: smtp\.max_message/)
  for (const line of ['config show', 'account list', 'tls csr', 'serve'])
    assert.match((await run(words(line), { config: file })).err, /sample\.toml:2: smtp\.max_message/, line)
  assert.match(
    (await run(words('config check'), { config: join(alone, 'no.toml') })).err,
    /cannot be read \(ENOENT\)/,
  )
})

test('attack 31d: the program itself: escapes do not reach the terminal, passwords come by its standard input', async () => {
  await house.account('escape@example.test')
  await house.deliver('escape@example.test', 'Subject: \u001b[2Jgone\r\n\r\n\u001b[31mred\u009b1m\r\n')
  const shown = await program(['mail', 'show', 'escape@example.test', 'INBOX', '1'])
  assert.equal(shown.code, 0, shown.err)
  assert.match(shown.out, /red/)
  assert.ok(!/[\u001b\u009b]/.test(shown.out))
  const set = await program(
    words('account password escape@example.test --password-stdin'),
    'a long chosen pass phrase\nnever read\n',
  )
  assert.deepEqual(set, { code: 0, out: 'The password of escape@example.test was changed.\n', err: '' })
})

function program(args: readonly string[], stdin = ''): Promise<Ran> {
  const child = spawn(process.execPath, [
    join(import.meta.dirname, 'main.ts'),
    '--config',
    house.configFile,
    ...args,
  ])
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')))
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString('utf8')))
  child.stdin.end(stdin)
  return new Promise((resolve) => child.on('close', (code) => resolve({ code: code ?? -1, out, err })))
}
