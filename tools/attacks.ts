// docs/attacks.md: what breaks mail servers, and the tests that are named after it. A part of the list without a test
// and without a reason stops the printing, so that the page can't claim what is not tested.
import fs from 'node:fs'
import path from 'node:path'
import { ATTACKS, type Attack, type Group, type Part } from './attacks-list.ts'

/** A test by its name: `attack 25a, 25d: what is tried`. */
export interface NamedTest {
  readonly file: string
  /** `25a`: number and letter. */
  readonly parts: readonly string[]
  readonly what: string
}

const NAME = /(['`"])attack ((?:\d+[a-z](?:, )?)+): ((?:(?!\1)[^\\\n]|\\.)+)\1/g
const HEAD = `# Attacks

What has broken mail servers and mail libraries, each with where it was seen, and the tests here that are named after it: \`node --test FILE\` runs one file,
\`test/slow.sh FILE\` one that ends in \`.slow.test.ts\`. This page is printed from the names of the tests; do not edit it by hand.`

/** The page. */
export function attacksPage(): string {
  const root = path.dirname(import.meta.dirname)
  const tests = ['src', 'test', 'tools'].flatMap((folder) =>
    fs
      .readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => `${folder}/${name}`)
      .filter((name) => /\.test(-kit)?\.ts$/.test(name) && name !== 'tools/attacks.test.ts')
      .sort()
      .flatMap((name) => namedTests(name, fs.readFileSync(path.join(root, name), 'utf8'))),
  )
  return pageOf(ATTACKS, tests)
}

export function namedTests(file: string, source: string): readonly NamedTest[] {
  return [...source.matchAll(NAME)].map(([, , parts = '', what = '']) => ({
    file,
    parts: parts.split(', '),
    what: what.replace(/\\(.)/g, '$1').replace(/\$\{[^}]*\}/g, '…'),
  }))
}

/** Throws where a part has neither test nor reason, or both, or a test names a part that is not in the list. */
export function pageOf(groups: readonly Group[], tests: readonly NamedTest[]): string {
  const known = new Map(
    groups.flatMap(({ attacks }) =>
      Object.entries(attacks).flatMap(([number, attack]) =>
        Object.entries(attack.parts).map(([letter, part]): [string, Part] => [`${number}${letter}`, part]),
      ),
    ),
  )
  const wrong = [
    ...tests.flatMap(({ file, parts, what }) =>
      parts.filter((id) => !known.has(id)).map((id) => `${file}: "${what}": there is no attack ${id}`),
    ),
    ...[...known].flatMap(([id, { notYet, what }]) => {
      const isTested = tests.some(({ parts }) => parts.includes(id))
      if (isTested === (notYet === undefined)) return []
      return [
        `attack ${id} (${what}) has ${isTested ? 'tests, and a reason why not' : 'no test, and no reason why not'}`,
      ]
    }),
  ]
  if (wrong.length > 0) throw new Error(wrong.join('\n'))
  const sections = groups.map(
    ({ title, attacks }) =>
      `## ${title}\n\n${Object.entries(attacks)
        .map(([number, attack]) => attackText(number, attack, tests))
        .join('\n')}`,
  )
  return `${[HEAD, ...sections].join('\n\n').trimEnd()}\n`
}

function attackText(number: string, { title, parts }: Attack, tests: readonly NamedTest[]): string {
  const texts = Object.entries(parts).map(([letter, part]) => {
    const id = `${number}${letter}`
    if (part.notYet !== undefined) return `- **${id}** ${part.what}: *not here yet: ${part.notYet}.*\n`
    const rows = tests
      .filter((test) => test.parts.includes(id))
      .map(({ file, what }) => `  - ${what.replace(/[<>*_`|]/g, '\\$&')} (\`${file}\`)\n`)
    return `- **${id}** ${part.what}\n${rows.join('')}`
  })
  return `### ${number} ${title}\n\n${texts.join('')}`
}
