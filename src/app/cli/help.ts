import type { Verb } from './verb.ts'

export function helpLines(verbs: readonly Verb[]): readonly string[] {
  return [
    'hikyaku VERB …: a complete mail server.',
    '',
    ...verbLines(verbs),
    '',
    'Each takes `--config FILE`; without it HIKYAKU_CONFIG, data/hikyaku.toml beside the program and /etc/hikyaku/hikyaku.toml are looked at.',
    '`hikyaku help VERB` tells more of one; `hikyaku --version` names the version.',
  ]
}

/** One line a verb. */
export function verbLines(verbs: readonly Verb[]): readonly string[] {
  const width = Math.max(...verbs.map(({ words }) => words.length))
  return verbs.map(({ words, says }) => `  ${words.padEnd(width)}  ${says}`)
}

/** One verb, wholly. */
export function verbHelp(verb: Verb): readonly string[] {
  return [usageLine(verb), `  ${verb.says}`, ...(verb.details ?? []).map((line) => `  ${line}`)]
}

export function usageLine(verb: Verb): string {
  return `hikyaku ${verb.words}${verb.usage === '' ? '' : ` ${verb.usage}`}`
}

/** docs/commands.md. */
export function commandsPage(verbs: readonly Verb[]): string {
  return [
    '# Commands',
    '',
    'This page is printed from the commands as the program declares them (`./hikyaku help --page` prints it too); do not edit it by hand.',
    'Each command takes `--config FILE`. Those that touch data ask the running server over its control socket, and open the data folder themselves when no server runs.',
    'The exit code is 0 where all went well, 1 where it did not, 2 where the command line is wrong.',
    '',
    ...verbs.flatMap((verb) => [
      `## ${verb.words}`,
      '',
      '```',
      usageLine(verb),
      '```',
      '',
      verb.says,
      '',
      ...(verb.details === undefined ? [] : [...verb.details.map((line) => `- ${line}`), '']),
    ]),
  ].join('\n')
}
