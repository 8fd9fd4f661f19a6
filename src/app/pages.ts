import { LOG_EVENTS } from '../mail/log-events.ts'
import { commandsPage as page } from './cli/help.ts'
import { VERBS } from './commands.ts'

/** docs/commands.md. */
export function commandsPage(): string {
  return page(VERBS)
}

/** docs/log-events.md. */
export function logEventsPage(): string {
  return [
    '# Log events',
    '',
    'One line an event: `time host hikyaku[pid]: ID: event field=value, …`; the id is that of the message, for `hikyaku trace ID`. With `log.format = "json"`',
    'each line is a JSON object with the same names. This page is printed from the events as the server declares them; do not edit it by hand.',
    '',
    'A value with a blank, a comma, a double quote or a backslash, and an empty one, stands in double quotes, with `\\"` and `\\\\` inside; control characters are',
    'written as `\\x0a`. Outside of quotes a line can so be split at `, ` and `=` without a peer having a say in it.',
    '',
    '| event | facility | level | what it says |',
    '| --- | --- | --- | --- |',
    ...Object.entries(LOG_EVENTS).map(
      ([name, { facility, level, says }]) => `| \`${name}\` | ${facility} | ${level} | ${says} |`,
    ),
    '',
  ].join('\n')
}
