// Every parser has a test that cuts its input at every byte, one that goes there and back, and a fuzz target with a
// corpus. Parsers are found by their names and arguments, so that none is forgotten; tools/parsers.tsv names the proof
// of each, or the reason why one makes no sense.
import path from 'node:path'
import { type Finding, filesUnder, isTestFile, readText } from './finding.ts'
import { findEdges } from './imports.ts'
import { closing, codeOf, type Token, tokenize } from './tokens.ts'

const listFile = 'tools/parsers.tsv'

// Where bytes that others wrote are read.
const rooms = ['bytes', 'mail', 'mime', 'protocol', 'config', 'platform']

/** A line of the list. `*` in the file stands for any name in a folder. */
interface Row {
  readonly line: number
  readonly file: string
  readonly cut: string
  readonly roundTrip: string
  readonly fuzz: string
}

export function checkParsers(root: string): Finding[] {
  const tree = new Tree(root)
  const text = readText(root, listFile)
  if (text === undefined) return [{ file: listFile, text: 'is missing' }]
  const { rows, findings } = readRows(text)
  for (const row of rows) findings.push(...checkRow(tree, row))
  for (const { file, line, names } of findParsers(tree)) {
    if (rows.some((row) => covers(row, file))) continue
    findings.push({ file, line, text: `parses (${names.join(', ')}) and is not in ${listFile}` })
  }
  return findings
}

/** The tree of sources, each file read once. */
class Tree {
  readonly root: string
  readonly #tokens = new Map<string, readonly Token[]>()
  readonly #reach = new Map<string, ReadonlySet<string>>()

  constructor(root: string) {
    this.root = root
  }

  has(file: string): boolean {
    return readText(this.root, file) !== undefined
  }

  code(file: string): readonly Token[] {
    const known = this.#tokens.get(file)
    if (known !== undefined) return known
    const tokens = codeOf(tokenize(readText(this.root, file) ?? ''))
    this.#tokens.set(file, tokens)
    return tokens
  }

  /** Every file that is run when this one is imported, itself included. */
  reach(file: string): ReadonlySet<string> {
    const known = this.#reach.get(file)
    if (known !== undefined) return known
    const reached = new Set([file])
    for (const at of reached) {
      for (const { target } of findEdges(this.code(at))) {
        if (target?.startsWith('.')) reached.add(path.posix.join(path.posix.dirname(at), target))
      }
    }
    this.#reach.set(file, reached)
    return reached
  }
}

function readRows(text: string): { rows: Row[]; findings: Finding[] } {
  const rows: Row[] = []
  const findings: Finding[] = []
  for (const [index, entry] of text.split('\n').entries()) {
    if (entry === '' || entry.startsWith('#')) continue
    const line = index + 1
    const [file = '', cut = '', roundTrip = '', fuzz = '', ...rest] = entry
      .split('\t')
      .map((cell) => cell.trim())
    const isExcused = isReason(cut) && roundTrip === '' && fuzz === ''
    if (isExcused) rows.push({ line, file, cut, roundTrip: cut, fuzz: cut })
    else if (rest.length > 0 || [file, cut, roundTrip, fuzz].includes('')) {
      const text =
        'a line is: file, cut test, round-trip test, fuzz target, by tabs; or file, tab, -(why it is no parser)'
      findings.push({ file: listFile, line, text })
    } else rows.push({ line, file, cut, roundTrip, fuzz })
  }
  return { rows, findings }
}

function isReason(cell: string): boolean {
  return /^-\(.{8,}\)$/.test(cell)
}

function covers(row: Row, file: string): boolean {
  if (!row.file.includes('*')) return row.file === file
  const pattern = row.file.split('*').map((piece) => piece.replace(/[.\\^$|()[\]{}+?/]/g, '\\$&'))
  return new RegExp(`^${pattern.join('[^/]*')}$`).test(file)
}

function checkRow(tree: Tree, row: Row): Finding[] {
  const files = filesUnder(tree.root, 'src', '.ts').filter((file) => covers(row, file) && !isTestFile(file))
  const refuse = (text: string): Finding => ({ file: listFile, line: row.line, text })
  if (files.length === 0) return [refuse(`${row.file} does not exist`)]
  const findings: Finding[] = []
  const told = (why: string | undefined): void => {
    if (why !== undefined) findings.push(refuse(why))
  }
  told(judgeTest(tree, row.cut, files, /\bcut at (every|each) (byte|octet)/i, 'cut at every byte'))
  told(judgeTest(tree, row.roundTrip, files, /\bround[- ]trip/i, 'round trip'))
  told(judgeFuzz(tree, row.fuzz, files))
  return findings
}

/** A cell `src/x.test.ts`, with the test's title behind it where the title does not say the usual words. */
function judgeTest(
  tree: Tree,
  cell: string,
  parsers: readonly string[],
  usual: RegExp,
  words: string,
): string | undefined {
  if (isReason(cell)) return undefined
  const [, named = '', title = ''] = /^(\S+?\.test\.ts)(?:[:#]?\s*(.*))?$/.exec(cell) ?? []
  if (named === '') return `"${cell}" names no test file and gives no reason: write a path, or -(reason)`
  const file = [named, `${path.posix.dirname(parsers[0] ?? '')}/${named}`].find((name) => tree.has(name))
  if (file === undefined) return `${named} does not exist`
  const titles = testTitles(tree.code(file))
  const isThere = titles.some((text) => (title === '' ? usual.test(text) : text.includes(title)))
  if (!isThere) return `${file} has no test named "${title === '' ? words : title}"`
  return unreached(tree, file, parsers)
}

function unreached(tree: Tree, file: string, parsers: readonly string[]): string | undefined {
  const missing = parsers.find((parser) => !tree.reach(file).has(parser))
  return missing === undefined ? undefined : `${file} never reaches ${missing}`
}

function testTitles(code: readonly Token[]): string[] {
  const titles: string[] = []
  for (const [index, { text }] of code.entries()) {
    if (text !== 'test' && text !== 'it' && text !== 'describe' && text !== 'suite') continue
    if (code[index + 1]?.text !== '(') continue
    let title = ''
    for (let at = index + 2; at < code.length && code[at]?.text !== ','; at += 1)
      title += code[at]?.text ?? ''
    titles.push(title)
  }
  return titles
}

function judgeFuzz(tree: Tree, cell: string, parsers: readonly string[]): string | undefined {
  if (isReason(cell)) return undefined
  const file = [cell, `${cell}.fuzz.ts`, `fuzz/${cell}`, `fuzz/${cell}.fuzz.ts`].find(
    (name) => name.endsWith('.fuzz.ts') && tree.has(name),
  )
  if (file === undefined) return `the fuzz target ${cell} does not exist`
  const texts = tree.code(file).map(({ text }) => text)
  const exported = (name: string): number =>
    texts.findIndex((text, index) => text === name && texts[index - 2] === 'export')
  for (const name of ['name', 'corpus', 'fuzz']) {
    if (exported(name) === -1) return `${file} exports no ${name}`
  }
  const list = texts.indexOf('=', exported('corpus'))
  if (texts[list + 1] === '[' && texts[list + 2] === ']') return `${file} has an empty corpus`
  return unreached(tree, file, parsers)
}

interface Parser {
  readonly file: string
  readonly line: number
  readonly names: string[]
}

function findParsers(tree: Tree): Parser[] {
  const files = rooms.flatMap((room) => filesUnder(tree.root, `src/${room}`, '.ts'))
  return files.flatMap((file) => {
    if (isTestFile(file)) return []
    const found = parsersIn(tree.code(file))
    const [first] = found
    return first === undefined ? [] : [{ file, line: first.line, names: found.map(({ text }) => text) }]
  })
}

/** The names of exported functions and classes that read what others wrote. */
function parsersIn(code: readonly Token[]): Token[] {
  const found: Token[] = []
  for (const [index, { text }] of code.entries()) {
    if (text !== 'export') continue
    const at = code[index + 1]?.text === 'async' ? index + 2 : index + 1
    const kind = code[at]?.text
    const name = code[at + 1]
    if (name === undefined) continue
    const isReader = kind === 'class' && /(Parser|Lexer|Reader|Decoder|Machine)$/.test(name.text)
    const isFunction =
      (kind === 'function' || kind === 'const') && /^(parse|read|decode)([A-Z]|$)/.test(name.text)
    if (isReader || (isFunction && takesText(code, at + 2))) found.push(name)
  }
  return found
}

/** Whether the parameters that begin at or after `start` hold bytes or text. */
function takesText(code: readonly Token[], start: number): boolean {
  const open = code.findIndex(({ text }, index) => index >= start && text === '(')
  if (open === -1) return false
  const parameters = code.slice(open, closing(code, open))
  return parameters.some(({ text }) => /^(string|Uint8Array|Buffer|Line|CommandPart)$/.test(text))
}
