// What keeps the short tail short: length of files and functions, no notes left for later, no silenced checker, and
// no text that only makes sense on one machine.
import { type Finding, filesUnder, isTestFile, readText } from './finding.ts'
import { closing, codeOf, type Token, tokenize } from './tokens.ts'

/** Lines. Good code of this field stays below these even at its ugliest place. */
export const limits = { file: 450, testFile: 900, function: 70 }

const texts =
  /(\.(ts|mjs|js|json|md|tsv|toml|txt|sh|py|css|html)|^hikyaku|^\.ci\/run|^LICENSE|^\.npmrc|^\.gitignore)$/
const code = /\.(ts|mjs|js)$/

/** Only the one script that is told where things lie may know the folder beside the project. */
const mayNameOutside = new Set(['.ci/run'])

export function checkTidy(root: string): Finding[] {
  return filesUnder(root, '.', texts).flatMap((file) => {
    const text = readText(root, file) ?? ''
    return [...checkText(file, text), ...(code.test(file) ? checkCode(file, text) : [])]
  })
}

const refusedInText: [pattern: RegExp, why: string][] = [
  [/\.\.\/[s]hared\b/, 'nothing outside the project is named; tests read HIKYAKU_TESTDATA'],
  [/\/[w]ork\/|\.[l]ibrary\b/, 'a path of one machine'],
  [
    /registry\.(npm|yarn)|npmjs\.(org|com)|registry\.npmmirror/i,
    'no host name of a registry: npm is set up by the machine',
  ],
  [/\r$/, 'lines end with a line feed'],
]

function checkText(file: string, text: string): Finding[] {
  const findings: Finding[] = []
  const lines = text.split('\n')
  for (const [index, line] of lines.entries()) {
    for (const [pattern, why] of refusedInText) {
      if (pattern.test(line) && !mayNameOutside.has(file)) findings.push({ file, line: index + 1, text: why })
    }
  }
  if (text !== '' && !text.endsWith('\n'))
    findings.push({ file, line: lines.length, text: 'the last line has no end' })
  return findings
}

const refusedInComments: [pattern: RegExp, why: string][] = [
  [/\b(TODO|FIXME|XXX|HACK)\b/, 'nothing is left for later in the code: do it, or file it'],
  [/@ts-(ignore|nocheck|expect-error)|eslint-disable|prettier-ignore/, 'the checker is not silenced'],
  [
    /biome-ignore(?!(-start|-end)?( [\w/]+)+: *\S{3})|<explanation>/,
    'a rule is set aside with its reason: biome-ignore RULE: why',
  ],
]

function checkCode(file: string, text: string): Finding[] {
  const findings: Finding[] = []
  const isTest = isTestFile(file)
  const tokens = tokenize(text)
  const lines = text.split('\n').length - 1
  const most = isTest ? limits.testFile : limits.file
  if (lines > most)
    findings.push({ file, text: `${lines} lines; a file has at most ${most}: cut it by what it holds` })
  for (const { kind, text: note, line } of tokens) {
    if (kind !== 'comment') continue
    for (const [pattern, why] of refusedInComments) {
      const at = note.search(pattern)
      if (at !== -1) findings.push({ file, line: line + note.slice(0, at).split('\n').length - 1, text: why })
    }
  }
  for (const [index, line] of text.split('\n').entries()) {
    if (line.includes('\t'))
      findings.push({ file, line: index + 1, text: 'a tab: indent by two spaces, write \\t in a string' })
  }
  if (!isTest) findings.push(...findLongFunctions(file, codeOf(tokens)))
  return findings
}

/** Functions, methods and arrow functions that are too long for the eye, by the lines from head to closing brace. */
function findLongFunctions(file: string, code: readonly Token[]): Finding[] {
  const findings: Finding[] = []
  for (const [index, head] of code.entries()) {
    const open = bodyOf(code, index)
    if (open === undefined) continue
    const end = code[closing(code, open)]
    const lines = (end?.line ?? head.line) - head.line + 1
    if (lines <= limits.function) continue
    const name = head.text === '=>' ? 'an arrow function' : (code[index - 1]?.text ?? 'a function')
    findings.push({
      file,
      line: head.line,
      text: `${name}: ${lines} lines; a function has at most ${limits.function}`,
    })
  }
  return findings
}

const notCalls = new Set([
  'if',
  'for',
  'while',
  'switch',
  'catch',
  'with',
  'return',
  'of',
  'in',
  'await',
  'typeof',
])

/** Where the body opens of the function whose parameters or whose arrow stand at `index`. */
function bodyOf(code: readonly Token[], index: number): number | undefined {
  const token = code[index]
  if (token?.text === '=>' && token.kind === 'mark')
    return code[index + 1]?.text === '{' ? index + 1 : undefined
  if (token?.text !== '(' || token.kind !== 'mark') return undefined
  const before = code[index - 1]
  if (before?.kind !== 'word' && before?.text !== '>') return undefined
  if (notCalls.has(before.text)) return undefined
  const after = closing(code, index) + 1
  if (code[after]?.text === '{') return after
  return code[after]?.text === ':' ? bodyAfterType(code, after) : undefined
}

/** Past a return type. A brace behind one of these still belongs to the type. */
const opensType = new Set([':', '|', '&', '<', ',', '=>', 'is', 'readonly'])

function bodyAfterType(code: readonly Token[], colon: number): number | undefined {
  for (let at = colon + 1; at < code.length; at += 1) {
    const text = code[at]?.text ?? ''
    if (text === '{' && !opensType.has(code[at - 1]?.text ?? '')) return at
    if (/^[({[]$/.test(text)) at = closing(code, at)
    else if (/^([=;)}\]]|return|const|let|if|for)$/.test(text)) return undefined
  }
  return undefined
}
