import type { Report } from '../results.ts'
import { floorTable, goalTable, type Table, workloadTables } from './rows.ts'

/** The whole report for a terminal. */
export function terminalText(report: Report): string {
  const { machine, systems } = report
  const about = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB; ${machine.system}, Linux ${machine.kernel}; ${machine.disk}; Node ${machine.node}`,
    ...systems.map((system) => `${system.title}: ${system.about}`),
  ]
  const tables = [...workloadTables(report), floorTable(report), goalTable(report)]
  return `${[...tables.map(tableText), about.join('\n')].join('\n\n')}\n`
}

export function tableText({ title, head, rows, notes, isText }: Table): string {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)))
  const lines = all.map((row) =>
    row
      // Names to the left, numbers to the right.
      .map((text, column) =>
        column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
  return [title, ...lines.map((line) => `  ${line}`), ...notes.map((note) => `  ! ${note}`)].join('\n')
}
