import type { Report } from '../results.ts'
import { floorTable, goalTable, type Table, workloadTables } from './rows.ts'

/** The whole report for a terminal. */
export function terminalText(report: Report): string {
  const { machine, systems, missing } = report
  const about = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB; ${machine.system}, Linux ${machine.kernel}; ${machine.disk}; Node ${machine.node}`,
    ...systems.map((system) => `${system.title}: ${system.about}`),
    ...missing,
  ]
  const tables = [...workloadTables(report), floorTable(report), goalTable(report)]
  return `${[...tables.map(tableText), about.join('\n')].join('\n\n')}\n`
}

export function tableText({ title, head, rows, notes, isText }: Table): string {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)))
  // Words to the left, numbers to the right.
  const place = (text: string, column: number): string => {
    const width = widths[column] ?? 0
    return column === 0 || isText ? text.padEnd(width) : text.padStart(width)
  }
  const lines = all.map((row) => row.map(place).join('  ').trimEnd())
  return [title, ...lines.map((line) => `  ${line}`), ...notes.map((note) => `  ! ${note}`)].join('\n')
}
