// What a file does by itself, without an import: global names that reach outside, and runtime code where only
// interfaces belong.
import type { Finding } from './finding.ts'
import { lateNames, outsideNames, type Reach } from './rooms.ts'
import { closing, codeOf, type Token } from './tokens.ts'

/** Uses of global names that a room of this reach may not use. */
export function findOutsideNames(file: string, tokens: readonly Token[], reach: Reach): Finding[] {
  if (reach === 'free') return []
  const refused = reach === 'pure' ? { ...outsideNames, ...lateNames } : outsideNames
  const code = codeOf(tokens)
  const own = declaredNames(code)
  const findings: Finding[] = []
  for (const [index, { kind, text, line }] of code.entries()) {
    if (kind !== 'word') continue
    const why = readsClock(code, index) ?? (Object.hasOwn(refused, text) ? refused[text] : undefined)
    if (why === undefined || own.has(text) || isOwnMember(code, index)) continue
    findings.push({ file, line, text: `${text} is not used in a room that is ${reach}: ${why}` })
  }
  return findings
}

/** `Date.now()`, `new Date()` and `Date()` read the clock; `new Date(ms)` computes. `Math.random` is chance. */
function readsClock(code: readonly Token[], index: number): string | undefined {
  const [name, first, second] = code.slice(index, index + 3).map(({ text }) => text)
  if (name === 'Math' && second === 'random') return 'chance comes in as an argument, or by the random port'
  if (name !== 'Date') return undefined
  const isBare = first === '(' && second === ')'
  const isNow = first === '.' && second === 'now'
  const isWithoutCall = code[index - 1]?.text === 'new' && first !== '('
  return isBare || isNow || isWithoutCall ? 'time comes in as an argument, or by the clock port' : undefined
}

/** Names that the file itself declares or imports: IMAP has a FETCH of its own. */
function declaredNames(code: readonly Token[]): Set<string> {
  const names = new Set<string>()
  for (const [index, { kind, text }] of code.entries()) {
    const next = code[index + 1]
    if (kind !== 'word' || next === undefined) continue
    if (['function', 'const', 'let', 'class', 'interface', 'type'].includes(text)) names.add(next.text)
    if (text === 'import' && next.text !== '(') {
      for (let at = index + 1; at < code.length && code[at]?.kind !== 'string'; at += 1)
        names.add(code[at]?.text ?? '')
    }
  }
  return names
}

/** A property, a key, a parameter with its type, or the head of a method: a name, not the global. */
function isOwnMember(code: readonly Token[], index: number): boolean {
  const before = code[index - 1]?.text
  const after = code[index + 1]?.text
  if (before === '.' || before === '?.' || after === ':') return true
  if (after === '?' && code[index + 2]?.text === ':') return true
  if (after !== '(') return false
  const behind = code[closing(code, index + 1) + 1]?.text
  return (behind === '{' || behind === ':') && before !== '?' && before !== 'await'
}

const declarations = new Set(
  'const let var function class enum namespace module async default abstract declare'.split(' '),
)

/** In a room of interfaces: anything that would still be there once the types are stripped. */
export function findRuntimeCode(file: string, tokens: readonly Token[]): Finding[] {
  const code = codeOf(tokens)
  const findings: Finding[] = []
  const refuse = (token: Token): void => {
    findings.push({ file, line: token.line, text: `${token.text}: only interfaces and types live here` })
  }
  for (let index = 0; index < code.length; index += 1) {
    const token = code[index]
    if (token === undefined) break
    const next = code[index + 1]?.text
    if (token.kind === 'mark' && /^[({[]$/.test(token.text)) index = closing(code, index)
    else if (token.kind !== 'word') continue
    else if (token.text === 'import' && next !== 'type' && next !== '(') refuse(token)
    else if (token.text === 'export' && next !== 'type' && next !== 'interface') refuse(token)
    else if (declarations.has(token.text)) refuse(token)
  }
  return findings
}
