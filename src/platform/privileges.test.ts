import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { findSystemAccount, findSystemGroup, parsePasswd } from './account.ts'
import { descriptorLimit, dropPrivileges } from './privileges.ts'

const run = promisify(execFile)
const script = fileURLToPath(new URL('./privileges.testing.ts', import.meta.url))
const isRoot = process.getuid?.() === 0

async function asRoot(...args: readonly string[]) {
  const { stdout } = await run(process.execPath, ['--no-warnings', script, ...args])
  return JSON.parse(stdout)
}

test('root is given up for good', { skip: isRoot ? false : 'only root can' }, async () => {
  const nobody = findSystemAccount('nobody')
  assert.ok(nobody)
  const after = await asRoot('nobody')
  assert.deepEqual(after.result, { ok: true, how: 'dropped', uid: nobody.uid, gid: nobody.gid })
  assert.equal(after.uid, nobody.uid)
  assert.equal(after.groups.includes(0), false)
  assert.equal(after.stillListening, true)
  const start = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'))
  assert.equal(after.refused, start > 1 ? 'EACCES' : 'bound')
  assert.equal(after.low, start <= 25)
})

test('users that are not there, or are root, are sentences', {
  skip: isRoot ? false : 'only root can',
}, async () => {
  const sentence = async (...args: readonly string[]) => (await asRoot(...args)).result.sentence
  assert.match(await sentence('no-such-user'), /no user "no-such-user".*useradd/)
  assert.match(await sentence('root'), /must not stay root/)
  assert.match(await sentence('nobody', 'no-such-group'), /no group "no-such-group"/)
  assert.match(await sentence('nobody', 'root'), /root's group/)
})

test('who is not root has nothing to give up', { skip: isRoot ? 'this is root' : false }, () => {
  assert.deepEqual(dropPrivileges({ user: 'nobody' }), { ok: true, how: 'not-root' })
})

test('passwd lines and odd names', () => {
  const text = '# c\nroot:x:0:0:root:/root:/bin/sh\nbroken:x:a:b\nmail:x:8:12:mail:/var/mail:/bin/false\n'
  assert.deepEqual(parsePasswd(text, 'mail'), { name: 'mail', uid: 8, gid: 12 })
  assert.equal(parsePasswd(text, 'broken'), undefined)
  assert.equal(findSystemAccount('--help'), undefined)
  assert.equal(findSystemGroup('a b'), undefined)
  assert.ok((descriptorLimit() ?? 1) > 0)
})

test('passwd cut at every byte, and a round trip of lines', () => {
  const text = 'root:x:0:0:root:/root:/bin/sh\nmail:x:8:12:mail:/var/mail:/bin/false\n'
  for (let cut = 0; cut < text.length; cut++) {
    const found = parsePasswd(text.slice(0, cut), 'mail')
    if (found !== undefined) assert.ok(found.uid === 8 && [1, 12].includes(found.gid))
  }
  const ids = fc.nat(4_000_000_000)
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z_][a-z0-9_-]{0,30}$/), ids, ids, (name, uid, gid) => {
      assert.deepEqual(parsePasswd(`A:x:1:1\n${name}:x:${uid}:${gid}::/:/bin/sh\n`, name), { name, uid, gid })
    }),
  )
})

test('signals: stop, stop again, reload, reopen; and the debugger stays shut', async () => {
  const url = pathToFileURL(fileURLToPath(new URL('./signals.ts', import.meta.url))).href
  const program = `
    import { onSignals } from ${JSON.stringify(url)}
    const say = (text) => process.stdout.write(text + '\\n')
    const keep = setInterval(() => {}, 1000)
    onSignals({ stop: (s) => say('stop ' + s), stopNow: (s) => { say('now ' + s); clearInterval(keep); process.exit(0) }, reload: () => say('reload'), reopenLogs: () => say('reopen') })
    say('ready')`
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', program])
  let out = ''
  let err = ''
  child.stderr.on('data', (chunk: Buffer) => (err += chunk))
  const said = async (text: string) => {
    while (!out.includes(text))
      out += (await new Promise((resolve) => child.stdout.once('data', resolve))) as string
  }
  await said('ready')
  for (const [signal, text] of [
    ['SIGHUP', 'reload'],
    ['SIGUSR1', 'reopen'],
    ['SIGTERM', 'stop SIGTERM'],
  ] as const) {
    child.kill(signal)
    await said(text)
  }
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGINT')
  await said('now SIGINT')
  assert.equal(await exited, 0)
  assert.doesNotMatch(err, /Debugger/)
})
