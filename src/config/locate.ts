/**
 * Where settings stand in a TOML file. The TOML library gives values without positions, and an error that
 * names no line is of little use to a person; so the lines are found here by their shape alone.
 */

/** Line numbers (1-based) by `section.key`, and of section headers by `section`. */
export function locateSettings(toml: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>()
  let section = ''
  let inside: string | undefined
  for (const [i, line] of toml.split('\n').entries()) {
    if (inside !== undefined) {
      if (line.includes(inside)) inside = undefined
      continue
    }
    const header = /^\s*\[{1,2}\s*([^\]]+?)\s*\]{1,2}/.exec(line)
    if (header !== null) {
      section = unquoteKey(header[1] as string)
      note(lines, section, i + 1)
      continue
    }
    const pair = /^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=(.*)$/.exec(line)
    if (pair === null) continue
    const key = unquoteKey(pair[1] as string)
    note(lines, section === '' ? key : `${section}.${key}`, i + 1)
    inside = openString(pair[2] as string)
  }
  return lines
}

/** The delimiter of a multi-line string that the value opens and does not close. */
function openString(value: string): string | undefined {
  const match = /^\s*("""|''')/.exec(value)
  if (match === null) return undefined
  const delimiter = match[1] as string
  return value.indexOf(delimiter, value.indexOf(delimiter) + 3) < 0 ? delimiter : undefined
}

function note(lines: Map<string, number>, key: string, line: number): void {
  if (!lines.has(key)) lines.set(key, line)
}

function unquoteKey(key: string): string {
  return key
    .split(/\s*\.\s*/)
    .map((part) => part.replace(/^(["'])(.*)\1$/, '$2'))
    .join('.')
}
