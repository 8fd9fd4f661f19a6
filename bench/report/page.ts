// docs/performance.md and what lies beside it: written by the tool alone, never by hand.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Report } from '../results.ts'
import { chartsOf } from './charts.ts'
import { barChart } from './plot.ts'
import { reasonsFor } from './reasons.ts'
import { floorTable, goalTable, type Table, workloadTables } from './rows.ts'

const folder = 'performance'

/** Writes the page, its plots and its numbers below `docs`. @returns the files, relative to it. */
export function writePage(report: Report, docs: string): string[] {
  const beside = join(docs, folder)
  rmSync(beside, { recursive: true, force: true })
  mkdirSync(beside, { recursive: true })
  const charts = [...chartsOf(report)].map(([file, chart]) => [`${folder}/${file}`, barChart(chart)] as const)
  const files = new Map<string, string>([
    ['performance.md', pageText(report)],
    ...charts,
    [`${folder}/results.json`, resultsText(report)],
  ])
  for (const [file, text] of files) writeFileSync(join(docs, file), text)
  return [...files.keys()]
}

/** All numbers as JSON. Four figures are more than a run is worth, and keep the file small. */
export function resultsText(report: Report): string {
  const plain = JSON.stringify(report, (_, value) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value,
  )
  return `${plain}\n`
}

export function pageText(report: Report): string {
  const { machine, systems, missing, takenAt, command, runs, seconds } = report
  const plots = [...chartsOf(report)].map(([file, { title }]) => `![${title}](${folder}/${file})`)
  const parts = [
    '# Performance',
    `This page, its plots and \`${folder}/results.json\` are written by \`${command}\`; do not edit them by hand. Taken on ${takenAt.slice(0, 10)}.`,
    `Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB of memory; ${machine.system}, Linux ${machine.kernel}; ${machine.disk}; Node ${machine.node}.`,
    '## What is compared',
    [
      ...systems.map(({ title, about }) => `- **${title}**: ${about}.`),
      ...missing.map((line) => `- ${line}`),
    ].join('\n'),
    tableText(goalTable(report), 2),
    ...standsInTheWay(report),
    ...plots,
    '## All numbers',
    `Medians of ${runs} ${runs === 1 ? 'run' : 'runs'}; one load lasts ${seconds} s. "±" is half the distance between the best and the worst run, where that is a tenth of the median or more. Ratios are taken pair by pair, from runs that stood side by side, and say how many times better ours is; in brackets the least and the most of them.`,
    ...workloadTables(report).map((table) => tableText(table, 3)),
    tableText(floorTable(report), 2),
    method,
  ]
  return `${parts.join('\n\n')}\n`
}

function standsInTheWay(report: Report): string[] {
  const found = reasonsFor(report)
  if (found.length === 0) return []
  const lines = found.map(({ title, text }) => `- **${title}.** ${text.replaceAll('\n', ' ')}`)
  return ['## What stands in the way of the others', lines.join('\n')]
}

function tableText({ title, head, rows, notes, isText }: Table, level: number): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  const rule = head.map((_, column) => (column === 0 || isText ? '---' : '---:'))
  const parts = [`${'#'.repeat(level)} ${title}`, [line(head), line(rule), ...rows.map(line)].join('\n')]
  if (notes.length > 0) parts.push(notes.map((note) => `- ${note}`).join('\n'))
  return parts.join('\n\n')
}

const method = `## How it is measured, and what is not fair

- Every load comes from a process of its own over loopback and takes part of the same processors; it writes and reads raw sockets, so that most of them is left to the server. A client elsewhere would leave all of it.
- A load lasts a fixed time. "Accepted" are replies a second, "delivered" the messages that stand in the mailboxes, counted there by IMAP, over the time until the last of them does: what waits in a queue is not delivered. For ours the two are one commit.
- Mail goes to ten mailboxes in turn. SMTP is spoken without pipelining but where it says so; a connection carries 900 messages at most.
- CPU is that of all processes of a system, with those that have ended, from \`/proc\`. Memory is the proportional set size (PSS) of all of them; ours runs on a copy of Node, so that nothing is shared with the processes that measure.
- All systems keep their mail on one disk and call fsync as they do by default. Runs alternate, and before each run what was written is flushed.
- The mailbox of 10,000 is filled by APPEND and copied for each run, so the first FETCH is one. "Cold" is after a new start, some reading of another mailbox, and with the page cache dropped. "Again" SELECTs come on new connections.
- The peers' figures include what they do and we do not, such as Postfix's queue between two programs, and the other way round: ours writes a trace of each message. Neither scans for spam or viruses here.
- Peers keep passwords in clear text, ours argon2id: a log-in that was seen a short time ago costs no second hash. Login processes of Dovecot serve many clients, which is its faster mode.
- One mailbox is read by 2,000 clients: an exaggeration that shows what a client costs. The message comes by LMTP, and time counts from its reply.
- fsyncs are counted by strace in a run of their own, which slows the peers' and our threads alike; under a full load more messages share one.
- Postfix, Dovecot and Cyrus could be tuned further for each of these loads; so could ours.`
