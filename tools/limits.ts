// docs/limits.md: every bound of the server with its value and its reason, printed from the limits.ts of each room.

import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export interface Limit {
  /** Below src/, without `limits.ts`. */
  readonly room: string
  readonly name: string
  readonly value: unknown
  readonly reason: string
}

/** What an operator asks, in this order; a bound is shown where the first of these finds it. */
const SECTIONS: readonly { readonly title: string; readonly holds: (limit: Limit) => boolean }[] = [
  {
    title: 'Of all connections together',
    holds: ({ room, name }) =>
      /^MEMORY|^LISTEN|^RESOLVER|^CONTROL|^WORKER|^LOG/.test(name) ||
      /^(IN_FLIGHT|WRITER_BACKLOG|POSTED|MAX_HASHING|MAX_DELAYED|FREE_SPACE)/.test(name) ||
      room === 'filters' ||
      room === 'queue',
  },
  {
    title: 'Of one account',
    holds: ({ name }) =>
      /PER_ACCOUNT|PER_MAILBOX|^MAX_UID|^ALIAS|^OLD_GEN|^FLAG_LOG|^RECENT|^CREDENTIALS|perAccount/i.test(
        name,
      ),
  },
  {
    title: 'Of one connection',
    holds: ({ room, name }) =>
      /^CONNECTION|^SERVER_LIMITS|^IMAP_LIMITS|^CLIENT_LIMITS|^DIAL/.test(name) ||
      /^(protocol|session)\b/.test(room),
  },
  {
    title: 'Of one message',
    holds: ({ room, name }) => room === 'mime' || /BODY|HEADER|REFERENCES/.test(name),
  },
  { title: 'Work done at a time, and what is kept ready', holds: () => true },
]

const MEMORY = `Measured on 2 cores with Node 24: 10,000 connections that stand take 170 MiB (17 KiB each, the kernel's buffers apart); 600 messages that never end take
150 MiB, where the budget for strangers ends; 100 FETCHes whose clients do not read take 160 MiB. Afterwards it all comes back. \`test/slow.sh test/faults/bounds.slow.test.ts\`
measures it again, and prints the figures.`

/** The page. */
export async function limitsPage(): Promise<string> {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const limits = await readLimits(root)
  const left = new Set(limits)
  const sections = SECTIONS.map(({ title, holds }) => {
    const rows = [...left].filter(holds)
    for (const row of rows) left.delete(row)
    return [
      `## ${title}`,
      '',
      '| bound | value | why |',
      '| --- | --- | --- |',
      ...rows.map(rowText),
      '',
    ].join('\n')
  })
  return [
    '# Limits',
    '',
    'Everything that a client can make the server hold or do has a bound, and over it the client gets an answer. This page is printed from the `limits.ts` of each',
    'room under `src/`; do not edit it by hand. What can be set is in [configuration.md](configuration.md).',
    '',
    'When memory is short, whoever holds the most of it loses first: a stranger on port 25 is put off with `452 4.3.1`, its connections with content are told the same at',
    'their end, a client that neither reads nor sends is cut off. Strangers never get at what is kept for logged-in clients. `load.shed` in the log says who and how much.',
    '',
    MEMORY.replaceAll('\n', ' '),
    '',
    ...sections,
  ].join('\n')
}

/** All bounds of all rooms, in the order in which they are written. */
export async function readLimits(root: string): Promise<readonly Limit[]> {
  const limits: Limit[] = []
  const source = path.join(root, 'src')
  const files = fs.readdirSync(source, { recursive: true, encoding: 'utf8' })
  for (const file of files.filter((name) => /(^|[/-])limits\.ts$/.test(name)).sort()) {
    const reasons = reasonsOf(fs.readFileSync(path.join(source, file), 'utf8'))
    const module: Record<string, unknown> = await import(pathToFileURL(path.join(source, file)).href)
    const room = path.dirname(file)
    // A module's names come sorted; readers want them as they were written.
    for (const name of reasons.keys())
      if (Object.hasOwn(module, name)) limits.push(...spread(room, name, module[name], reasons))
  }
  return limits
}

function spread(room: string, name: string, value: unknown, reasons: ReadonlyMap<string, string>): Limit[] {
  if (typeof value === 'function') return []
  const own = reasons.get(name) ?? ''
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [{ room, name, value, reason: own }]
  return Object.entries(value).map(([key, one]) => {
    const reason = reasons.get(`${name}.${key}`) || own
    return { room, name: `${name}.${key}`, value: one, reason }
  })
}

const CONSTANT = /^export const (\w+)(?:: (\w+))? =( \{)?/
const INTERFACE = /^export interface (\w+) \{/
const PROPERTY = /^ {2}(?:readonly )?(\w+):/

/**
 * For each declared name (`NAME`, `NAME.key`) the comment above it; one without shares that of the name above. What the
 * interface of an object says comes first: it tells what the number is, the object why it is this one.
 */
export function reasonsOf(text: string): ReadonlyMap<string, string> {
  const reasons = new Map<string, string>()
  let [comment, last, scope, type] = ['', '', '', '']
  for (const [whole, line] of piecesOf(text)) {
    if (whole === 'comment') comment = `${comment} ${line}`.trim()
    else {
      const constant = CONSTANT.exec(line)
      const opened = INTERFACE.exec(line)?.[1]
      const key = PROPERTY.exec(line)?.[1]
      if (comment !== '') last = comment
      else if (line.trim() === '') last = ''
      if (constant !== null) {
        reasons.set(constant[1] as string, last)
        ;[scope, type] = constant[3] === undefined ? ['', ''] : [constant[1] as string, constant[2] ?? '']
      } else if (opened !== undefined) [scope, type] = [opened, '']
      else if (key !== undefined && scope !== '')
        reasons.set(`${scope}.${key}`, [reasons.get(`${type}.${key}`) ?? '', last].join(' ').trim())
      if (constant !== null || opened !== undefined) last = constant?.[3] === undefined ? last : ''
      comment = ''
    }
  }
  return reasons
}

/** The lines of a source, its comments without their marks. */
function* piecesOf(text: string): Generator<readonly ['comment' | 'code', string], void> {
  let isInBlock = false
  for (const line of text.split('\n')) {
    const trimmed = line.trim()
    const begins = /^(\/\*|\/\/)/.test(trimmed)
    if (!isInBlock && !begins) yield ['code', line]
    else {
      if (!isInBlock) isInBlock = trimmed.startsWith('/*')
      if (trimmed.endsWith('*/')) isInBlock = false
      yield ['comment', trimmed.replace(/^(\/\*\*?|\*\/|\*|\/\/)\s?/, '').replace(/\s*\*\/$/, '')]
    }
  }
}

function rowText({ room, name, value, reason }: Limit): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
  return `| \`${name}\` (${room}) | ${valueText(name, value)} | ${cell(reason)} |`
}

const UNITS: readonly (readonly [
  pattern: RegExp,
  units: readonly (readonly [size: number, name: string])[],
])[] = [
  [
    /(Ms|_MS)$/,
    [
      [86_400_000, 'd'],
      [3_600_000, 'h'],
      [60_000, 'min'],
      [1_000, 's'],
      [1, 'ms'],
    ],
  ],
  [
    /(Bytes|_BYTES|Octets|_OCTETS)(BeforeLogin)?$/,
    [
      [2 ** 30, 'GiB'],
      [2 ** 20, 'MiB'],
      [2 ** 10, 'KiB'],
      [1, 'octets'],
    ],
  ],
]

/** A number as people read it: in the largest unit that it is a whole number of. */
export function valueText(name: string, value: unknown): string {
  if (typeof value === 'object' && value !== null)
    return Object.entries(value)
      .map(([key, one]) => `${key} ${valueText(name, one)}`)
      .join(', ')
  if (typeof value !== 'number') return String(value)
  const units = UNITS.find(([pattern]) => pattern.test(name))?.[1] ?? []
  const unit = units.find(([size]) => value >= size && value % size === 0)
  if (unit !== undefined) return `${value / unit[0]} ${unit[1]}`
  return value.toLocaleString('en')
}
