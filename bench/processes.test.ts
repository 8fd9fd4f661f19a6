import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { costOf, memoryOf, processTree, readStat } from './processes.ts'

test('a stat line whose program name holds brackets and blanks', () => {
  const line = '77 (a) b (c)) S 12 77 77 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0 5 6 7'
  assert.deepEqual(readStat(line), { parent: 12, ticks: 127 })
})

test('CPU and memory of a process, its children reaped ones too', async () => {
  const work = 'i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done'
  const child = spawn('sh', ['-c', `(${work}); sleep 100 & echo ready; wait`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  try {
    await once(child.stdout, 'data')
    const pids = processTree(child.pid as number)
    assert.equal(pids.length, 2, 'the shell and its sleep')
    const { cpuSeconds, count } = costOf(pids)
    assert.equal(count, 2)
    assert.ok(cpuSeconds > 0, 'the subshell has ended and was reaped')
    assert.ok(memoryOf(pids) > 100_000)
    assert.equal(memoryOf([2 ** 30]), 0, 'a process that is gone')
  } finally {
    for (const pid of processTree(child.pid as number).reverse()) process.kill(pid, 'SIGKILL')
  }
})
