import type { ReportSummary } from './summary.ts'
import { xmlText } from './xml-text.ts'

const WIDTH = 960
const HEIGHT = 420
const LEFT = 70
const RIGHT = 20
const TOP = 70
const BOTTOM = 60
const DAYS = 400
/** Told apart also by those who see few colours, and on paper. */
const PASSED = '#2b6cb0'
const FAILED = '#dd6b20'

/** The days as stacked columns: a whole SVG document. */
export function summarySvg(summary: ReportSummary, title: string): string {
  const days = [...summary.days].sort(([one], [other]) => (one < other ? -1 : 1)).slice(-DAYS)
  const top = niceCeiling(Math.max(1, ...days.map(([, { failed, passed }]) => failed + passed)))
  const [plotWidth, plotHeight] = [WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM]
  const step = plotWidth / Math.max(1, days.length)
  const high = (count: number): number => (count * plotHeight) / top
  const columns = days.flatMap(([day, { failed, passed }], i) => {
    const x = LEFT + i * step + step * 0.1
    const base = TOP + plotHeight
    const says = `${day}: ${passed} passed, ${failed} failed`
    return [
      rect({ x, y: base - high(passed), width: step * 0.8, height: high(passed), fill: PASSED }, says),
      rect(
        { x, y: base - high(passed + failed), width: step * 0.8, height: high(failed), fill: FAILED },
        says,
      ),
    ]
  })
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" font-family="sans-serif" font-size="13">`,
    `<title>${xmlText(title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    label(LEFT, 28, title, 'font-size="18"'),
    ...legend(summary),
    ...grid(top, plotHeight),
    ...columns,
    ...dates(
      days.map(([day]) => day),
      { step, y: TOP + plotHeight + 22 },
    ),
    '</svg>',
    '',
  ].join('\n')
}

function legend({ messages, others, passed }: ReportSummary): readonly string[] {
  const failed = messages - passed - others
  return [
    `<rect x="${LEFT}" y="42" width="12" height="12" fill="${PASSED}"/>`,
    label(LEFT + 18, 53, `passed DMARC (${passed})`),
    `<rect x="${LEFT + 220}" y="42" width="12" height="12" fill="${FAILED}"/>`,
    label(LEFT + 238, 53, `did not (${failed})`),
  ]
}

function grid(top: number, plotHeight: number): readonly string[] {
  const lines = Math.min(top, 4)
  return Array.from({ length: lines + 1 }, (_, i) => {
    const y = TOP + plotHeight - (i * plotHeight) / lines
    const value = Math.round((i * top) / lines)
    return [
      `<line x1="${LEFT}" y1="${round(y)}" x2="${WIDTH - RIGHT}" y2="${round(y)}" stroke="#d0d4da" stroke-width="1"/>`,
      label(LEFT - 8, y + 4, String(value), 'text-anchor="end"'),
    ].join('\n')
  })
}

/** Some of the days, so that they can be read. */
function dates(
  days: readonly string[],
  at: { readonly step: number; readonly y: number },
): readonly string[] {
  const every = Math.max(1, Math.ceil(days.length / 8))
  return days.flatMap((day, i) =>
    i % every === 0 ? [label(LEFT + (i + 0.5) * at.step, at.y, day, 'text-anchor="middle"')] : [],
  )
}

function rect(
  at: {
    readonly x: number
    readonly y: number
    readonly width: number
    readonly height: number
    fill: string
  },
  says: string,
): string {
  const { fill, height, width, x, y } = at
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${fill}"><title>${xmlText(says)}</title></rect>`
}

const label = (x: number, y: number, text: string, more = ''): string =>
  `<text x="${round(x)}" y="${round(y)}" fill="#1a202c"${more === '' ? '' : ` ${more}`}>${xmlText(text)}</text>`

const round = (value: number): number => Math.round(value * 100) / 100

/** The next of 1, 2, 5, 10, 20, … or, where that leaves half of the plot empty, 4 and 8 of them. */
function niceCeiling(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 4, 5, 8].find((factor) => factor * unit >= value) ?? 10) * unit
}
