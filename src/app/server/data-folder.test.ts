import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const MAIN = join(import.meta.dirname, '..', 'main.ts')
const NOBODY = 65534
const skip = process.getuid?.() === 0 ? false : 'only root can become another user'

test('a command that root runs before the first start leaves nothing of root in the data folder', {
  skip,
}, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hikyaku-owner-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  chmodSync(folder, 0o755)
  const config = join(folder, 'hikyaku.toml')
  writeFileSync(
    config,
    '[server]\nhostname = "mail.example.test"\ndata = "mail/data"\nuser = "nobody"\n[domains]\nnames = ["example.test"]\n',
  )
  const run = (...args: readonly string[]): string =>
    execFileSync(process.execPath, [MAIN, '--config', config, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  assert.match(run('account', 'add', 'a@example.test'), /^Account: a@example\.test$/m)
  assert.match(run('tls', 'csr'), /BEGIN CERTIFICATE REQUEST/)
  const data = join(folder, 'mail', 'data')
  assert.equal(statSync(data).mode & 0o777, 0o700)
  const names = readdirSync(data, { recursive: true, encoding: 'utf8' })
  assert.ok(names.includes('hikyaku.db') && names.some((name) => name.startsWith('tls')), names.join(' '))
  for (const name of ['.', ...names]) assert.equal(statSync(join(data, name)).uid, NOBODY, name)
})
