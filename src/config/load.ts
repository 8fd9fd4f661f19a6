import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, resolve } from 'node:path'
import { parse, TomlError } from 'smol-toml'
import { accessSentence } from './access.ts'
import { path as pathKind } from './kinds.ts'
import { locateSettings } from './locate.ts'
import { allSettings, type Config, SETTINGS, type SectionName, type Setting } from './settings.ts'
import { checkTogether, notesOf } from './together.ts'

/** One mistake in a configuration file, with all that a person needs to mend it. */
export interface Problem {
  readonly file: string
  readonly line?: number | undefined
  /** `section.key`. */
  readonly setting?: string | undefined
  readonly wrong: string
  readonly write?: string | undefined
}

export type Loaded =
  | {
      readonly ok: true
      readonly config: Config
      readonly file: string
      /** What is allowed and yet hardly meant. */
      readonly notes: readonly Problem[]
    }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** A configuration file is a page or two; more is a mistake (a mailbox named by accident, say). */
const MAX_FILE_BYTES = 1024 * 1024

/** Reads and checks a configuration file; never throws for what the file says or that it can't be read. */
export function loadConfig(file: string): Loaded {
  const absolute = resolve(file)
  let toml: string
  try {
    toml = readFileSync(absolute, 'utf8')
  } catch (error) {
    return failed({ file: absolute, wrong: whyUnread(absolute, (error as NodeJS.ErrnoException).code) })
  }
  if (toml.length > MAX_FILE_BYTES)
    return failed({
      file: absolute,
      wrong: 'the file is larger than 1 MiB',
      write: 'the path of a configuration file',
    })
  return parseConfig(toml, absolute)
}

/** @param file the name that problems carry; relative paths in the settings start from its folder. */
export function parseConfig(toml: string, file: string): Loaded {
  let tables: Record<string, unknown>
  try {
    tables = parse(toml)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const reason = (error.message.split('\n')[0] as string).replace(/^Invalid TOML document: /, '')
    return failed({
      file,
      line: error.line,
      wrong: `this is not TOML: ${reason}`,
      write: tomlHint(toml.split(/\r?\n/)[error.line - 1] ?? ''),
    })
  }
  const lines = locateSettings(toml)
  const problems: Problem[] = [...unknownNames(tables, file, lines)]
  const config = readValues(tables, file, lines, problems)
  const placed = (problem: Omit<Problem, 'file'>): Problem => ({
    ...problem,
    file,
    line: lineOf(lines, problem.setting),
  })
  if (problems.length === 0) problems.push(...checkTogether(config).map(placed))
  return problems.length === 0
    ? { ok: true, config, file, notes: notesOf(config).map(placed) }
    : { ok: false, problems }
}

/**
 * The data folder that a file names, whatever else is wrong with it: a running server must be reached to be told of a
 * mistake in its configuration. undefined where not even that can be read.
 */
export function dataFolderOf(file: string): string | undefined {
  const absolute = resolve(file)
  try {
    const lines = readFileSync(absolute, 'utf8').split(/\r?\n/)
    const from = lines.findIndex((line) => /^\s*\[\s*server\s*\]/.test(line))
    const rest = from < 0 ? [] : lines.slice(from + 1)
    const to = rest.findIndex((line) => /^\s*\[/.test(line))
    const assignments = (to < 0 ? rest : rest.slice(0, to)).filter((line) => /^\s*data\s*=/.test(line))
    const config: Record<string, unknown> = parse(assignments.join('\n'))
    const reading = pathKind.read(config.data ?? SETTINGS.server.data.byDefault)
    return reading.ok ? resolve(dirname(absolute), reading.value) : undefined
  } catch {
    // Whoever asks has the problems of the file already.
    return undefined
  }
}

function whyUnread(file: string, code: string | undefined): string {
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return `the file cannot be read (${code}): it does not exist; \`hikyaku config sample\` prints one, \`--config FILE\` names another`
    case 'EACCES':
    case 'EPERM':
      return `the file cannot be read (${code}): ${accessSentence(file)}; run the command as that user, or name another file with \`--config FILE\``
    case 'EISDIR':
      return 'this is a folder, not a file'
    default:
      return `the file cannot be read (${code})`
  }
}

/** What was likely meant by a line that is not TOML; undefined where nobody can tell. */
function tomlHint(line: string): string | undefined {
  const bare = /^\s*([\w-]+)\s*=\s*([^"'\s[{#][^"'[{#]*?)\s*(?:#.*)?$/.exec(line)
  if (bare !== null) return `text in double quotes: \`${bare[1]} = ${JSON.stringify(bare[2])}\``
  return /[=[]/.test(line)
    ? undefined
    : 'a line such as `hostname = "mail.example.org"` under a header such as `[server]`'
}

/** All defaults, for a start without a file. */
export function defaultConfig(): Config {
  const loaded = parseConfig('', resolve('hikyaku.toml'))
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'))
  return loaded.config
}

/** `hikyaku.toml:12: smtp.max_message: "25 MB" is not a size. Write a size such as "25 MiB".` */
export function formatProblem(problem: Problem): string {
  const where = problem.line === undefined ? problem.file : `${problem.file}:${problem.line}`
  const what = problem.setting === undefined ? problem.wrong : `${problem.setting}: ${problem.wrong}`
  return `${where}: ${what}.${problem.write === undefined ? '' : ` Write ${problem.write}.`}`
}

function readValues(
  tables: Record<string, unknown>,
  file: string,
  lines: ReadonlyMap<string, number>,
  problems: Problem[],
): Config {
  const values: Record<string, Record<string, unknown>> = {}
  for (const { section, key, setting } of allSettings()) {
    const table = tables[section]
    const raw = isTable(table) ? table[key] : undefined
    const target = values[section] ?? {}
    values[section] = target
    target[key] = setting.byDefault
    if (raw === undefined) continue
    const reading = setting.kind.read(raw)
    const name = `${section}.${key}`
    if (reading.ok) target[key] = absolutePath(setting, reading.value, file)
    else
      problems.push({
        file,
        line: lineOf(lines, name),
        setting: name,
        wrong: reading.wrong,
        write: setting.kind.write,
      })
  }
  return values as unknown as Config
}

function absolutePath(setting: Setting<unknown>, value: unknown, file: string): unknown {
  const isPath = setting.kind.name === pathKind.name || setting.kind.name === `${pathKind.name}, or empty`
  return isPath && typeof value === 'string' && !isAbsolute(value) ? resolve(dirname(file), value) : value
}

function unknownNames(
  tables: Record<string, unknown>,
  file: string,
  lines: ReadonlyMap<string, number>,
): Problem[] {
  const problems: Problem[] = []
  for (const [section, table] of Object.entries(tables)) {
    const known = Object.hasOwn(SETTINGS, section) ? Object.keys(SETTINGS[section as SectionName]) : undefined
    if (known === undefined || !isTable(table)) {
      const wrong = known === undefined ? 'there is no such section' : 'this is a section, not a setting'
      problems.push({
        file,
        line: lineOf(lines, section),
        setting: section,
        wrong,
        write: suggestion(section, Object.keys(SETTINGS)),
      })
      continue
    }
    for (const key of Object.keys(table)) {
      if (known.includes(key)) continue
      const name = `${section}.${key}`
      problems.push({
        file,
        line: lineOf(lines, name),
        setting: name,
        wrong: 'there is no such setting',
        write: suggestion(key, known),
      })
    }
  }
  return problems
}

function lineOf(lines: ReadonlyMap<string, number>, setting: string | undefined): number | undefined {
  if (setting === undefined) return undefined
  return lines.get(setting) ?? lines.get(setting.split('.')[0] as string)
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

/** The nearest known name where it is near, else all of them. */
function suggestion(name: string, known: readonly string[]): string {
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .sort((a, b) => a.distance - b.distance)
  const best = ranked[0]
  return best !== undefined && best.distance <= 3
    ? `\`${best.candidate}\``
    : `one of ${known.map((key) => `\`${key}\``).join(', ')}`
}

function editDistance(a: string, b: string): number {
  const short = a.slice(0, 64)
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= short.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (short[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}

function failed(problem: Problem): Loaded {
  return { ok: false, problems: [problem] }
}
