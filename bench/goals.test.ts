import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Goal, goals, judge, short } from './goals.ts'
import { cpu, delivered, loop, reportOf, result } from './report.test-kit.ts'
import { compare, compareToBest } from './results.ts'
import { everyWorkload } from './workloads/every.ts'

const tenTimes: Goal = {
  kind: 'times-the-best',
  text: 't',
  workload: 'smtp-10',
  metric: 'delivered',
  times: 10,
}

test('every goal is about a number that some workload gives', () => {
  for (const goal of goals) {
    const workloads = everyWorkload.filter(({ name }) => goal.workload === '' || name === goal.workload)
    const keys = workloads.flatMap(({ metrics }) => metrics.map(({ key }) => key))
    assert.ok(keys.includes(goal.metric), goal.text)
    if (goal.kind === 'at-least-own') assert.ok(keys.includes(goal.other), goal.text)
  }
})

test('ours is held against the peer with the best median, pair by pair', () => {
  const both = result('smtp-10', [delivered], {
    hikyaku: [{ delivered: 3000 }, { delivered: 4000 }, { delivered: 2000 }],
    'dovecot-sdbox': [{ delivered: 300 }, { delivered: 500 }, { delivered: 100 }],
    cyrus: [{ delivered: 250 }, { delivered: 250 }, { delivered: 250 }],
  })
  assert.deepEqual(compareToBest(both, delivered), { peer: 'dovecot-sdbox', ratios: [10, 8, 20], middle: 10 })
  assert.equal(judge(tenTimes, reportOf(both)).state, 'met')
  const short = judge({ ...tenTimes, times: 20 }, reportOf(both))
  assert.equal(short.state, 'not met')
  assert.equal(short.remark, '50 % short')
})

test('where less is better the ratio is turned round, and the best peer has the least', () => {
  const both = result('smtp-10', [cpu], {
    hikyaku: [{ cpuMs: 0.5 }],
    'dovecot-sdbox': [{ cpuMs: 4 }],
    cyrus: [{ cpuMs: 5 }],
  })
  assert.deepEqual(compareToBest(both, cpu), { peer: 'dovecot-sdbox', ratios: [8], middle: 8 })
})

test('a run that failed leaves no pair, and the others stay side by side', () => {
  const both = result('smtp-10', [delivered], {
    hikyaku: [undefined, { delivered: 100 }, { delivered: 300 }],
    cyrus: [{ delivered: 1 }, { delivered: 50 }, undefined],
  })
  assert.deepEqual(compare(both, delivered, 'cyrus')?.ratios, [2])
  assert.equal(compare(both, delivered, 'dovecot-sdbox'), undefined)
})

test('goals with a number of their own', () => {
  const report = reportOf(result('smtp-10', [cpu, delivered], { hikyaku: [{ cpuMs: 0.4, delivered: 900 }] }))
  const most: Goal = { kind: 'at-most', text: 't', workload: 'smtp-10', metric: 'cpuMs', value: 0.3 }
  const least: Goal = { kind: 'at-least', text: 't', workload: 'smtp-10', metric: 'delivered', value: 1000 }
  assert.equal(judge(most, report).remark, '33 % above')
  assert.equal(judge({ ...most, value: 0.4 }, report).state, 'met')
  assert.equal(judge(least, report).remark, '10 % short')
  assert.equal(judge({ ...least, value: 900 }, report).state, 'met')
})

test('the event loop is judged by its worst workload, and those above are named', () => {
  const goal: Goal = { kind: 'at-most-everywhere', text: 't', workload: '', metric: 'loopP99Ms', value: 20 }
  const report = reportOf(
    result('a', [loop], { hikyaku: [{ loopP99Ms: 3 }] }),
    result('b', [loop], { hikyaku: [{ loopP99Ms: 21 }, { loopP99Ms: 25 }, { loopP99Ms: 90 }] }),
  )
  assert.equal(judge(goal, report).measured, '25 at most (b)')
  assert.equal(judge(goal, report).remark, 'above: b 25')
  assert.equal(judge({ ...goal, value: 30 }, report).state, 'met')
})

test('what was not measured is neither met nor missed', () => {
  const alone = reportOf(result('smtp-10', [delivered], { hikyaku: [{ delivered: 900 }] }))
  assert.equal(judge(tenTimes, alone).remark, 'no peer in this run')
  for (const goal of goals) assert.equal(judge(goal, reportOf()).state, 'not measured')
})

test('three figures of a number', () => {
  assert.deepEqual([4711.4, 47.11, 10, 4.711, 0.30049, 0].map(short), [
    '4,711',
    '47.1',
    '10',
    '4.71',
    '0.3',
    '0',
  ])
})
