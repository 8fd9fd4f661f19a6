// The benchmark beside real peers: that it sets them up, measures them and gives every number; what the numbers are is
// no matter of a test.

import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Report } from '../../bench/results.ts'
import { everyWorkload } from '../../bench/workloads/every.ts'
import { needPrograms, projectRoot } from '../harness/programs.ts'
import { describe, run } from '../harness/run.ts'

const workloads = ['rest', 'smtp-10', 'lmtp-10', 'append-1', 'fsyncs', 'logins']
let folder: string

before(() => {
  needPrograms('strace', 'postfix', 'dovecot', 'cyrmaster', 'saslpasswd2')
  folder = mkdtempSync(join(tmpdir(), 'hikyaku-bench-test-'))
  // The peers' users must get through to what is theirs below.
  chmodSync(folder, 0o755)
})

after(() => rmSync(folder, { recursive: true }))

test('every system gives its numbers, nothing is refused, lost or left behind', {
  timeout: 600_000,
}, async () => {
  const results = join(folder, 'results.json')
  const only = workloads.flatMap((name) => ['--only', name])
  const args = [
    'launch.mjs',
    'bench',
    '--peers',
    '--quick',
    '--seconds',
    '0.5',
    ...only,
    '--results',
    results,
  ]
  const ran = await run(process.execPath, args, {
    cwd: projectRoot,
    timeoutMs: 590_000,
    env: { TMPDIR: folder },
  })
  assert.equal(ran.code, 0, describe(ran))
  const report = JSON.parse(readFileSync(results, 'utf8')) as Report
  assert.deepEqual(report.missing, [])
  assert.deepEqual(
    report.systems.map(({ name }) => name),
    ['hikyaku', 'dovecot-sdbox', 'dovecot-maildir', 'cyrus'],
  )
  for (const name of workloads) {
    const workload = everyWorkload.find((each) => each.name === name)
    const result = report.workloads.find((each) => each.name === name)
    for (const system of report.systems) {
      if (workload?.without?.includes(system.name)) continue
      const runs = result?.systems[system.name]
      assert.deepEqual(runs?.problems, [], `${name} ${system.name}`)
      const [numbers] = runs?.rounds ?? []
      for (const value of Object.values(numbers ?? {})) assert.ok(value >= 0, `${name} ${system.name}`)
      assert.ok(Object.keys(numbers ?? {}).length >= 2, `${name} ${system.name}`)
    }
  }
  assert.match(ran.stdout.toString(), /SMTP, 10 connections: 10 times the best peer {2,}[\d,.]+ × Postfix/)
})
