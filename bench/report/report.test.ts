import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { goals } from '../goals.ts'
import { cpu, delivered, reportOf, result } from '../report.test-kit.ts'
import { chartsOf } from './charts.ts'
import { pageText, writePage } from './page.ts'
import { barChart } from './plot.ts'
import { reasons, reasonsFor, speaksOf } from './reasons.ts'
import { workloadTables } from './rows.ts'
import { tableText, terminalText } from './terminal.ts'

const report = reportOf(
  result('smtp-10', [delivered, cpu], {
    hikyaku: [
      { delivered: 4000, cpuMs: 0.2 },
      { delivered: 6000, cpuMs: 0.2 },
    ],
    'dovecot-sdbox': [
      { delivered: 400, cpuMs: 4 },
      { delivered: 300, cpuMs: 4 },
    ],
    cyrus: [undefined, undefined],
  }),
)

test('a table has a column for each system and one for each comparison', () => {
  report.workloads[0]?.systems.cyrus?.problems.push('it did not start')
  const [table] = workloadTables(report)
  assert.ok(table)
  assert.deepEqual(table.rows, [
    ['delivered, /s', '5,000 ±20 %', '350 ±14 %', '', '15 × (10 to 20)', ''],
    ['CPU, ms', '0.2', '4', '', '20 × (20 to 20)', ''],
  ])
  assert.deepEqual(table.notes, ['Postfix + Cyrus: it did not start'])
  assert.match(tableText(table), /^The workload smtp-10\n {11,}Hikyaku {2}Postfix \+ Dovecot sdbox/)
})

test('the terminal and the page say the same of the goals', () => {
  for (const text of [terminalText(report), pageText(report)]) {
    assert.match(text, /Goals: 2 of 2 met/)
    assert.match(text, /15 × Postfix \+ Dovecot sdbox/)
  }
})

test('of each goal something can be said where it is missed, and of one that is met nothing is', () => {
  for (const goal of goals)
    if (goal.kind !== 'at-most-everywhere' && !['fsyncs', 'rest'].includes(goal.workload))
      assert.equal(reasons.filter((reason) => speaksOf(reason, goal)).length, 1, goal.text)
  assert.deepEqual(reasonsFor(report), [])
  assert.doesNotMatch(pageText(report), /What stands in the way/)
  const slow = reportOf(result('smtp-10', [cpu], { hikyaku: [{ cpuMs: 0.4 }] }))
  assert.match(pageText(slow), /## What stands in the way of the others\n\n- \*\*Rate and CPU/)
})

test('a chart draws each bar in the scale of its group', () => {
  const chart = chartsOf(report).get('mail-in.svg')
  assert.ok(chart)
  const svg = barChart(chart)
  const widths = [...svg.matchAll(/<rect class="([\w-]+)" x="236" y="[\d.]+" width="([\d.]+)"/g)]
  assert.deepEqual(
    widths.map(([, system]) => system),
    ['hikyaku', 'dovecot-sdbox'],
  )
  assert.equal(
    Math.round((Number(widths[0]?.[2]) / Number(widths[1]?.[2])) * 10),
    Math.round((5000 / 350) * 10),
  )
  assert.match(svg, />5,000\/s</)
})

test('names cannot break out of a chart', () => {
  const svg = barChart({ title: 'a < b & "c"', hint: '', groups: [], legend: [] })
  assert.match(svg, />a &lt; b &amp; &quot;c&quot;</)
})

test('the page is written with its plots, and what an earlier run left beside it goes', (t) => {
  const docs = mkdtempSync(join(tmpdir(), 'hikyaku-bench-page-'))
  t.after(() => rmSync(docs, { recursive: true }))
  writePage(
    { ...report, workloads: [result('rest', [{ ...cpu, key: 'pssMiB' }], { hikyaku: [{ pssMiB: 1 }] })] },
    docs,
  )
  assert.deepEqual(readdirSync(join(docs, 'performance')).toSorted(), ['clients.svg', 'results.json'])
  const files = writePage(report, docs)
  assert.deepEqual(files, [
    'performance.md',
    'performance/mail-in.svg',
    'performance/mail-in-cpu.svg',
    'performance/results.json',
  ])
  for (const [, file] of pageText(report).matchAll(/\]\((performance\/[^)]+)\)/g))
    assert.ok(files.includes(file as string))
  const results = JSON.parse(readFileSync(join(docs, 'performance/results.json'), 'utf8'))
  assert.equal(results.workloads[0].systems.hikyaku.rounds[1].delivered, 6000)
})
