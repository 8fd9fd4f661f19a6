import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultConfig } from '../../config/load.ts'
import { backup } from './backup.ts'
import { type OperationPorts, unwatched } from './operation.ts'

test('a file that belongs to the backup and cannot be read is told, and nothing is half backed up', async () => {
  const events: unknown[] = []
  const ports = {
    config: defaultConfig,
    configFile: '/nonexistent/hikyaku.toml',
    backups: { make: () => assert.fail('made without it') },
    clock: { now: () => 0 },
    log: { event: (name: string, fields: unknown) => void events.push([name, fields]) },
  } as unknown as OperationPorts
  const result = await backup(ports, { folder: '/backups' }, unwatched())
  assert.ok(!result.ok)
  assert.match(
    result.error,
    /^\/nonexistent\/hikyaku\.toml belongs to the backup and cannot be read \(ENOENT\)/,
  )
  assert.deepEqual(events, [['backup.failed', { cause: result.error }]])
})

test('--quiet tells what was not done, and nothing else', async () => {
  const made = {
    folder: '/backups/one',
    messages: 1,
    sizeBytes: 1,
    linkedFiles: 0,
    linkedBytes: 0,
    damaged: [],
  }
  const quiet = async (notes: readonly string[]) => {
    const ports = {
      config: defaultConfig,
      backups: { make: async () => ({ ok: true, made: { ...made, removed: ['/backups/none'], notes } }) },
      clock: { now: () => 0 },
      log: { event: () => undefined },
    } as unknown as OperationPorts
    return backup(ports, { folder: '/backups', quiet: true }, unwatched())
  }
  assert.deepEqual(await quiet([]), { ok: true, lines: [] })
  const notes = ['Older backups could not be removed: no right to.']
  assert.deepEqual(await quiet(notes), { ok: true, lines: notes })
})
