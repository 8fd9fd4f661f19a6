// Bar charts as SVG, written by hand: they follow the reader's light or dark screen, and a difference of two runs shows
// in a diff.

import { short } from '../goals.ts'
import type { SystemName } from '../systems/system.ts'

export interface Bar {
  readonly system: SystemName
  readonly value: number
}

export interface Group {
  readonly label: string
  readonly unit: string
  readonly bars: readonly Bar[]
}

export interface Chart {
  readonly title: string
  /** What the reader is to look for. */
  readonly hint: string
  /** Each group has a scale of its own: bars compare systems, not groups. */
  readonly groups: readonly Group[]
  readonly legend: readonly { readonly system: SystemName; readonly title: string }[]
}

const size = { width: 760, labels: 236, values: 92, bar: 13, gap: 3, between: 13, head: 78, foot: 14 }

const style = `
  text { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2328 }
  .title { font-size: 15px; font-weight: 600 }
  .quiet { fill: #59636e }
  .base { stroke: #d1d9e0 }
  .hikyaku { fill: #c8431f }
  .dovecot-sdbox { fill: #31699e }
  .dovecot-maildir { fill: #7fb0da }
  .cyrus { fill: #8c959f }
  text.own { font-weight: 600; fill: #1f2328 }
  @media (prefers-color-scheme: dark) {
    text, text.own { fill: #e6edf3 }
    .quiet { fill: #9198a1 }
    .base { stroke: #3d444d }
    .hikyaku { fill: #f2734c }
    .dovecot-sdbox { fill: #4d94d8 }
    .dovecot-maildir { fill: #2f5f8c }
    .cyrus { fill: #767e88 }
  }
`

/** The chart's SVG text. Groups without bars are left out. */
export function barChart({ title, hint, groups, legend }: Chart): string {
  const parts: string[] = [text(0, 16, title, 'title'), text(0, 34, hint, 'quiet'), ...legendParts(legend)]
  let top = size.head
  for (const group of groups.filter(({ bars }) => bars.length > 0)) {
    parts.push(...groupParts(group, top))
    top += heightOf(group) + size.between
  }
  const height = top - size.between + size.foot
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${height}" width="${size.width}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    `<style>${style}</style>`,
    ...parts,
    '</svg>\n',
  ].join('\n')
}

function heightOf({ bars }: Group): number {
  return bars.length * (size.bar + size.gap) - size.gap
}

function groupParts(group: Group, top: number): string[] {
  const { label, unit, bars } = group
  const largest = Math.max(...bars.map(({ value }) => value))
  const room = size.width - size.labels - size.values
  const height = heightOf(group)
  const parts = [
    text(size.labels - 10, top + height / 2 + 4, label, '', 'end'),
    `<line class="base" x1="${size.labels}" x2="${size.labels}" y1="${top - 3}" y2="${top + height + 3}"/>`,
  ]
  for (const [index, { system, value }] of bars.entries()) {
    const y = top + index * (size.bar + size.gap)
    // A bar that is there is seen, however small.
    const width = Math.max(1.5, largest > 0 ? (value / largest) * room : 0)
    const own = system === 'hikyaku' ? 'own' : 'quiet'
    parts.push(
      `<rect class="${system}" x="${size.labels}" y="${y}" width="${width.toFixed(1)}" height="${size.bar}"/>`,
      text(
        size.labels + width + 5,
        y + size.bar - 2.5,
        `${short(value)}${unit === '/s' ? unit : ` ${unit}`}`.trim(),
        own,
      ),
    )
  }
  return parts
}

function legendParts(legend: Chart['legend']): string[] {
  let x = 0
  return legend.flatMap(({ system, title }) => {
    const parts = [
      `<rect class="${system}" x="${x}" y="46" width="11" height="11"/>`,
      text(x + 16, 56, title, system === 'hikyaku' ? 'own' : 'quiet'),
    ]
    x += 38 + title.length * 6.4
    return parts
  })
}

function text(x: number, y: number, content: string, name: string, anchor?: 'end'): string {
  const names = name === '' ? '' : ` class="${name}"`
  const from = anchor === undefined ? '' : ` text-anchor="${anchor}"`
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}"${names}${from}>${escaped(content)}</text>`
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
