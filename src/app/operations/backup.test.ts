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
