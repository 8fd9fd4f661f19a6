// The package that is installed: built, put elsewhere, started; mail comes in, and it is as small as it is meant to be.
import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { converse } from '../harness/converse.ts'
import { until } from '../harness/until.ts'

const root = path.resolve(import.meta.dirname, '../..')
/** At rest, of RSS, which is more than the PSS that docs/performance.md gives: other programs may share Node's text. */
const RESTING_KIB = 150 * 1024
let scratch: string

before(() => {
  scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'hikyaku-built-'))
  execFileSync(process.execPath, ['launch.mjs', 'build'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  fs.cpSync(path.join(root, 'dist'), scratch, { recursive: true })
})

after(() => fs.rmSync(scratch, { recursive: true, force: true }))

test('the built package runs by itself: it takes mail, answers commands, and rests in little memory', async () => {
  const hikyaku = path.join(scratch, 'hikyaku')
  const child = spawn(hikyaku, ['start'], { cwd: scratch, stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.on('data', (piece: Buffer) => {
    said += piece
  })
  try {
    await until('the first account', () => Promise.resolve(/^ *Password: /m.test(said)), 60_000)
    const account = /^ *Account: *(\S+)$/m.exec(said)?.[1] ?? assert.fail(said)
    await converse(
      { port: 2525 },
      `S: 220\nC: EHLO client.test\nS: 250\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:<${account}>
      S: 250\nC: DATA\nS: 354\nC: Subject: built\nC:\nC: text\nC: .\nS: 250\nC: QUIT\nS: 221\nEND`,
    )
    const list = execFileSync(hikyaku, ['account', 'list'], { cwd: scratch, encoding: 'utf8' })
    assert.match(list, /[1-9]\d* (octets|B|KiB)/)
    assert.ok(restingKib(child.pid) < RESTING_KIB, `it rests in ${restingKib(child.pid)} KiB`)
    // Threads that the build left out would show here: mail is judged and signed by one of them.
    const selftest = execFileSync(hikyaku, ['selftest'], { cwd: scratch, encoding: 'utf8' })
    assert.match(selftest, /Everything is OK/)
  } finally {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
  }
  assert.equal(child.exitCode, 0)
})

test('the built package names nothing that it has not', () => {
  const usage = spawnSync(process.execPath, ['launch.mjs', 'bench'], { cwd: scratch, encoding: 'utf8' })
  assert.equal(usage.status, 1)
  assert.match(usage.stderr, /usage: node launch\.mjs start\|run \[arguments\]/)
  for (const name of ['README.md', 'README.ja.md']) {
    const page = fs.readFileSync(path.join(scratch, name), 'utf8')
    assert.doesNotMatch(page, /npm test|npm run build/)
    for (const [, target = ''] of page.matchAll(/\]\(([^)]+)\)/g))
      assert.ok(fs.existsSync(path.join(scratch, target.replace(/#.*/, ''))), `${name}: ${target}`)
  }
})

function restingKib(pid: number | undefined): number {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? assert.fail(status))
}
