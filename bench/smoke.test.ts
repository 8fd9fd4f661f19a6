import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { measureFloors } from './floors.ts'
import { startNames } from './names.ts'
import { middleOf, ours } from './results.ts'
import { runAll } from './run.ts'
import { sourceProgram, startHikyaku } from './systems/hikyaku.ts'
import { everyWorkload } from './workloads/every.ts'
import { countCalls } from './workloads/fsyncs.ts'
import type { Lengths, Workload } from './workloads/workload.ts'

const isJudged = ({ name }: Workload) => name.startsWith('checked-')

const lengths: Lengths = {
  // Enough for a machine that is busy with other tests; the number of messages ends a load.
  seconds: 60,
  most: 20,
  warmSeconds: 0.05,
  messages: 40,
  manyMessages: 1_000,
  idleClients: 10,
  deliveries: 1,
  settleMs: 0,
  ownsMachine: false,
}

test('every workload gives all its numbers of our server', { timeout: 120_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hikyaku-bench-smoke-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const host = await startHikyaku({
    folder,
    program: sourceProgram,
    watchesLoop: true,
    copiesNode: false,
    mailboxes: 2,
  })
  const said: string[] = []
  try {
    // strace is no part of the quick suite.
    const workloads = everyWorkload.filter((each) => each.name !== 'fsyncs' && !isJudged(each))
    const signal = new AbortController().signal
    const tell = (line: string) => said.push(line)
    const results = await runAll({ hosts: [host], workloads, lengths, runs: 1, tell, signal })
    for (const result of results) {
      assert.deepEqual(result.systems[ours]?.problems, [], result.name)
      for (const { key } of result.metrics) {
        if (key === 'diskMiB' && result.name !== 'smtp-10') continue
        const value = middleOf(result, ours, key)
        assert.ok(value !== undefined && Number.isFinite(value), `${result.name} ${key}`)
      }
    }
  } finally {
    await host.stop()
  }
})

test('judged mail gives all its numbers of our server', { timeout: 120_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hikyaku-bench-judged-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const names = await startNames({ takes53: false })
  t.after(() => names.stop())
  const { author } = names
  const how = { watchesLoop: true, copiesNode: false, mailboxes: 2, author }
  const host = await startHikyaku({ folder, program: sourceProgram, ...how })
  try {
    const workloads = everyWorkload.filter(isJudged)
    const { signal } = new AbortController()
    const results = await runAll({ hosts: [host], workloads, lengths, runs: 1, tell: () => {}, signal })
    for (const result of results) {
      assert.deepEqual(result.systems[ours]?.problems, [], result.name)
      for (const { key } of result.metrics) {
        if (key === 'diskMiB') continue
        const value = middleOf(result, ours, key)
        assert.ok(value !== undefined && Number.isFinite(value), `${result.name} ${key}`)
      }
    }
  } finally {
    await host.stop()
  }
})

test('the floors are measured', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hikyaku-bench-floor-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const value of Object.values(await measureFloors(folder, 0.05))) assert.ok(value > 0)
})

test('calls are summed from the table of strace', () => {
  const summary = `strace: Process 12 attached
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 98.00    0.102011         110       920           fdatasync
  2.00    0.002011          10        20         2 fsync
------ ----------- ----------- --------- --------- ----------------
100.00    0.104022         110       940         2 total
`
  assert.equal(countCalls(summary), 940)
  assert.equal(countCalls('strace: Process 12 attached\n'), 0)
})
