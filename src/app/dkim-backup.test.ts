import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCommand } from './commands.ts'
import { configText, startHouse } from './house.test-kit.ts'

test('a restore on another machine brings the DKIM keys back: the published records stay right', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hikyaku-dkim-backup-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const machine = (name: string): string => {
    mkdirSync(join(folder, name))
    const file = join(folder, name, 'hikyaku.toml')
    writeFileSync(file, configText({}))
    return file
  }
  const run = async (config: string, ...args: readonly string[]): Promise<string> => {
    const lines: string[] = []
    const take = (line: string): void => void lines.push(line)
    const nobody = async () => undefined
    const io = { out: take, err: take, readLine: nobody, readAll: nobody, askSecrets: nobody }
    assert.equal(await runCommand(['--config', config, ...args], io), 0, lines.join('\n'))
    return lines.join('\n')
  }
  const records = (text: string) => [...text.matchAll(/^ {4}value {2}(.*)$/gm)].map((match) => match[1])
  const [old, fresh] = [machine('old'), machine('fresh')]
  await run(old, 'dkim', 'rotate', 'example.test', '--now')
  const before = records(await run(old, 'dkim', 'show'))
  assert.equal(before.length, 2)
  await run(old, 'backup', join(folder, 'backups'))
  await run(fresh, 'restore', join(folder, 'backups'))
  const name = 'data/tls/dkim-example.test.pem'
  assert.equal(statSync(join(folder, 'fresh', name)).mode & 0o777, 0o600)
  assert.equal(
    readFileSync(join(folder, 'fresh', name), 'utf8'),
    readFileSync(join(folder, 'old', name), 'utf8'),
  )
  assert.deepEqual(records(await run(fresh, 'dkim', 'show')), before)
  // What is newer than the backup stays where the restore is on the machine itself.
  await run(old, 'dkim', 'rotate', 'example.test', '--now')
  const newer = records(await run(old, 'dkim', 'show'))
  assert.notDeepEqual(newer, before)
  await run(old, 'restore', join(folder, 'backups'))
  assert.deepEqual(records(await run(old, 'dkim', 'show')), newer)
})

test('a reload tells of a file of keys that is broken, and the keys in memory stay', async (t) => {
  const house = await startHouse()
  t.after(() => house.stop())
  const shown = (await house.run('dkim.show')).join('\n')
  const file = join(house.server.config.server.data, 'tls/dkim-example.test.pem')
  const good = readFileSync(file)
  writeFileSync(file, good.subarray(0, 500))
  const told = (await house.run('reload')).join('\n')
  assert.match(told, /dkim-example\.test\.pem is cut off\. It holds the DKIM keys of example\.test/)
  assert.equal(house.logged('dkim.problem').length, 1)
  assert.equal((await house.run('dkim.show')).join('\n'), shown)
  writeFileSync(file, good)
  assert.doesNotMatch((await house.run('reload')).join('\n'), /dkim/)
})
