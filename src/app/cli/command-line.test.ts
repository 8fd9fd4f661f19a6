import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCommand } from '../commands.ts'

async function run(
  line: string,
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const out: string[] = []
  const err: string[] = []
  const code = await runCommand(line.split(' '), {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    readLine: async () => undefined,
    readAll: async () => undefined,
    askSecrets: async () => undefined,
  })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

test('a command that does not exist is said to, by help too', async () => {
  assert.match((await run('acount add x')).err, /^There is no command "acount"; `hikyaku help` lists/)
  for (const line of ['help nope', 'help account nope']) {
    const ran = await run(line)
    assert.deepEqual([ran.code, ran.out], [2, ''], line)
    assert.match(ran.err, /There is no command "(nope|account nope)"/)
  }
})

test('the word of a group lists its verbs', async () => {
  const group = await run('account')
  assert.equal(group.code, 2)
  assert.match(
    group.err,
    /^"account" is one of these:\n {2}account add .*\n {2}account language .*\n {2}account list /,
  )
  assert.match((await run('account nope')).err, /^There is no command "account nope", but these:\n/)
})

test('--help explains the options of a command, --version tells the version', async () => {
  const help = await run('account add --help')
  assert.equal(help.code, 0)
  assert.match(help.out, /--password-stdin` takes the first line[\s\S]*SIZE is a number with its unit/)
  assert.match((await run('--version')).out, /^hikyaku \d+\.\d+\.\d+$/)
})

test('--config without a file behind it is refused', async () => {
  for (const line of ['account list --config', 'account list --config=', '--config --ask account list']) {
    const ran = await run(line)
    assert.equal(ran.code, 2, line)
    assert.match(ran.err, /^--config needs the path/, line)
  }
})

const WRONG: readonly (readonly [string, RegExp])[] = [
  ['account list --port 25', /^There is no option --port\. Usage: hikyaku account list$/],
  ['account add a@example.test --quota', /^--quota needs a value\. Usage: hikyaku account add /],
  ['account add a@example.test --quota --ask', /^--quota needs a value\./],
  ['account password a@example.test --ask=yes', /^--ask takes no value\./],
  ['account quota a@example.test', /^SIZE\|none is missing\. Usage: /],
  ['mail show a@example.test INBOX', /^UID is missing\. /],
  ['alias add x@example.test', /^TARGET is missing\. /],
  ['tls install', /^FILE is missing\. /],
  ['backup /b --keep 0', /^--keep needs a number of backups, 1 or more\. Usage: hikyaku backup DIR /],
  ['backup /b --keep all', /^--keep needs a number of backups, 1 or more\. Usage: /],
  ['account list x', /^"x" is too much\. /],
]
for (const [line, said] of WRONG)
  test(`a wrong command line is answered in our own words: ${line}`, async () => {
    const ran = await run(line)
    assert.equal(ran.code, 2)
    assert.match(ran.err, said)
  })
