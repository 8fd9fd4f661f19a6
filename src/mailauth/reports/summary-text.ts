import { adviceFor, counted, type ReportSummary, type Source } from './summary.ts'

/** Lines of the table and of the plot that are shown; the busiest sources, the newest days. */
const SHOWN_SOURCES = 25
const SHOWN_ADVICE = 25
const SHOWN_DAYS = 60
const BAR = 40

const share = (part: number, whole: number): string =>
  whole === 0 ? '–' : `${Math.floor((part * 100) / whole)} %`

/** The summary as lines for a terminal: sentences, a table, a plot, what to do. */
export function summaryLines(summary: ReportSummary): readonly string[] {
  const { messages, organizations, passed, reports, sources } = summary
  const failing = summary.busiest().filter(({ failures }) => failures.size > 0)
  const advice = failing.flatMap(adviceFor)
  return [
    `${counted(reports, 'report')} of ${counted(organizations.size, 'receiver')} ${reports === 1 ? 'tells' : 'tell'} of ${counted(messages, 'message')} in your name, from ${counted(sources.size, 'address', 'addresses')}.`,
    `${passed} of them passed DMARC (${share(passed, messages)}), ${messages - passed - summary.others} did not.`,
    ...(summary.others === 0 ? [] : [`${summary.others} more were counted but not described.`]),
    '',
    ...table(summary.busiest()),
    '',
    ...plot(summary),
    '',
    ...(advice.length === 0 ? ['Nothing failed: there is nothing to do.'] : ['What to do:']),
    ...advice.slice(0, SHOWN_ADVICE).map((line) => `- ${line}`),
    ...(advice.length > SHOWN_ADVICE ? [`… and ${advice.length - SHOWN_ADVICE} more.`] : []),
  ]
}

function table(sources: readonly Source[]): readonly string[] {
  const head = ['Address', 'Messages', 'Passed', 'by DKIM', 'by SPF', 'Held or refused']
  const rows = sources
    .slice(0, SHOWN_SOURCES)
    .map(({ byDkim, bySpf, ip, messages, passed, refused }) => [
      ip,
      ...[messages, passed, byDkim, bySpf, refused].map(String),
    ])
  const widths = head.map((text, i) => Math.max(text.length, ...rows.map((row) => (row[i] ?? '').length)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd()
  const more = sources.length - SHOWN_SOURCES
  return [line(head), ...rows.map(line), ...(more > 0 ? [`… and ${more} more addresses.`] : [])]
}

/** One bar a day: `#` passed, `.` did not. */
function plot({ days }: ReportSummary): readonly string[] {
  const shown = [...days].sort(([one], [other]) => (one < other ? -1 : 1)).slice(-SHOWN_DAYS)
  const most = Math.max(1, ...shown.map(([, { failed, passed }]) => failed + passed))
  const bars = shown.map(([day, { failed, passed }]) => {
    const [good, bad] = [passed, failed].map((count) => Math.ceil((count * BAR) / most))
    return `${day}  ${'#'.repeat(good ?? 0)}${'.'.repeat(bad ?? 0)} ${passed} passed, ${failed} failed`
  })
  return ['Messages by day (# passed, . failed):', ...bars]
}
