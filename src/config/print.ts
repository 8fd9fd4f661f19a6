import { SECTIONS } from './sections.ts'
import { allSettings, type Config, type SectionName, type Setting } from './settings.ts'

/** A complete file with every setting at its default, commented out, each with its sentence. */
export function sampleConfig(): string {
  return `# Hikyaku. Every setting stands here with its default; take the "#" away from what you change.\n${sections(
    (section, settings) =>
      [
        `# ${SECTIONS[section]}`,
        `[${section}]`,
        ...settings.flatMap(({ key, setting }) => [
          '',
          ...comment(setting),
          `#${key} = ${setting.kind.print(setting.byDefault)}`,
        ]),
      ].join('\n'),
  )}\n`
}

/** The configuration in force as TOML. */
export function showConfig(config: Config): string {
  return `${sections((section, settings) => {
    const values = config[section] as Readonly<Record<string, unknown>>
    return [
      `[${section}]`,
      ...settings.map(({ key, setting }) => `${key} = ${setting.kind.print(values[key])}`),
    ].join('\n')
  })}\n`
}

/** docs/configuration.md. */
export function referencePage(): string {
  const head = [
    '# Configuration',
    '',
    'One TOML file. This page is printed from the settings as the server declares them; do not edit it by hand',
    '(`./hikyaku config reference` prints it).',
    '`hikyaku config sample` prints a file to start from, `hikyaku config check FILE` looks for mistakes, `hikyaku config show` prints what is in force.',
    'A change takes effect at a reload (`hikyaku reload` or SIGHUP) unless the table says that it needs a new start.',
  ].join('\n')
  const body = sections((section, settings) =>
    [
      `## [${section}]`,
      '',
      SECTIONS[section],
      '',
      '| setting | value | default | takes effect | what it does |',
      '| --- | --- | --- | --- | --- |',
      ...settings.map(
        ({ key, setting }) =>
          `| \`${key}\` | ${cell(setting.kind.name)} | ${cell(code(setting.kind.print(setting.byDefault)))} | ${setting.takesEffect} | ${cell(setting.says)} |`,
      ),
    ].join('\n'),
  )
  return `${head}\n${body}\n`
}

/** Names of settings whose change needs a new start. */
export function needsStart(before: Config, after: Config): readonly string[] {
  return allSettings()
    .filter(({ setting }) => setting.takesEffect === 'start')
    .filter(
      ({ section, key, setting }) =>
        printed(before, section, key, setting) !== printed(after, section, key, setting),
    )
    .map(({ section, key }) => `${section}.${key}`)
}

function printed(config: Config, section: SectionName, key: string, setting: Setting<unknown>): string {
  return setting.kind.print((config[section] as Readonly<Record<string, unknown>>)[key])
}

function sections(print: (section: SectionName, settings: ReturnType<typeof allSettings>) => string): string {
  const all = allSettings()
  return (Object.keys(SECTIONS) as SectionName[])
    .map(
      (section) =>
        `\n${print(
          section,
          all.filter((entry) => entry.section === section),
        )}`,
    )
    .join('\n')
}

function comment(setting: Setting<unknown>): string[] {
  const words = setting.says.split(' ')
  const lines: string[] = []
  let line = '#'
  for (const word of words) {
    if (line.length + word.length + 1 > 100) {
      lines.push(line)
      line = '#'
    }
    line += ` ${word}`
  }
  return [...lines, line]
}

const code = (text: string): string => `\`${text}\``
const cell = (text: string): string => text.replace(/\|/g, '\\|')
