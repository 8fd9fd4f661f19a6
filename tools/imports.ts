// Refuses what the import table does not allow: rooms, modules of Node, packages, re-exports, dynamic imports, cycles
// between files (type-only imports count: they bind two files as firmly as any), and global names that reach outside.
import path from 'node:path'
import { type Finding, filesUnder, isTestFile, readText } from './finding.ts'
import { findOutsideNames, findRuntimeCode } from './reach.ts'
import { type Room, rooms, testNode, testPackages } from './rooms.ts'
import { codeOf, type Token, tokenize } from './tokens.ts'

export interface Edge {
  readonly kind: 'import' | 're-export' | 'dynamic' | 'worker' | 'require'
  /** What is between the quotes; undefined when it is computed. */
  readonly target: string | undefined
  readonly line: number
}

interface SourceFile {
  readonly file: string
  readonly edges: readonly Edge[]
  readonly tokens: readonly Token[]
}

/** The whole check of src/. */
export function checkImports(root: string): Finding[] {
  const files = filesUnder(root, 'src', /\.(ts|mts|cts|js|mjs|cjs)$/).map((file): SourceFile => {
    const tokens = tokenize(readText(root, file) ?? '')
    return { file, tokens, edges: findEdges(tokens) }
  })
  return [
    ...files.flatMap((source) => checkFile(source, new Set(files.map(({ file }) => file)))),
    ...findCycles(files),
    ...checkArchitecture(root),
  ]
}

/** Every way in which one file names another. */
export function findEdges(tokens: readonly Token[]): Edge[] {
  const code = codeOf(tokens)
  const edges: Edge[] = []
  for (const [index, token] of code.entries()) {
    if (token.kind !== 'word' || isMember(code, index)) continue
    const next = code[index + 1]
    if (token.text === 'import' && next?.text === '(') edges.push(edge('dynamic', token, code[index + 2]))
    else if (token.text === 'import' && next?.text !== '.')
      edges.push(edge('import', token, fromClause(code, index)))
    else if (token.text === 'export') {
      const from = fromClause(code, index)
      if (from !== undefined) edges.push(edge('re-export', token, from))
    } else if ((token.text === 'require' && next?.text === '(') || token.text === 'createRequire') {
      edges.push(edge('require', token, code[index + 2]))
    } else if (token.text === 'URL' && next?.text === '(' && code[index + 4]?.text === 'import') {
      edges.push(edge('worker', token, code[index + 2]))
    }
  }
  return edges
}

function edge(kind: Edge['kind'], { line }: Token, target: Token | undefined): Edge {
  return { kind, line, target: target?.kind === 'string' ? target.text.slice(1, -1) : undefined }
}

/** A name behind a dot, or the key of an object. */
function isMember(code: readonly Token[], index: number): boolean {
  const before = code[index - 1]?.text
  const after = code[index + 1]?.text
  return (
    before === '.' || before === '?.' || after === ':' || (after === '?' && code[index + 2]?.text === ':')
  )
}

/** The string of `import … from 'x'`, `import 'x'`, `export { … } from 'x'` or `export * from 'x'`. */
function fromClause(code: readonly Token[], start: number): Token | undefined {
  let index = start + 1
  if (code[start]?.text === 'import' && code[index]?.kind === 'string') return code[index]
  if (code[index]?.text === 'type') index += 1
  if (code[start]?.text === 'export' && code[index]?.text !== '{' && code[index]?.text !== '*')
    return undefined
  for (; index < code.length; index += 1) {
    const token = code[index]
    if (token?.text === 'from' && code[index + 1]?.kind === 'string') return code[index + 1]
    const isPart = token?.kind === 'word' || token?.kind === 'string' || /^[{},*]$/.test(token?.text ?? '')
    if (!isPart || (token?.text === '}' && code[index + 1]?.text !== 'from')) return undefined
  }
  return undefined
}

function roomOf(file: string): string {
  return file.split('/')[1] ?? ''
}

/** The rules of the nearest entry in the table: `protocol/sasl` before `protocol`. */
function rulesOf(file: string): Room | undefined {
  const [, room = '', sub = ''] = file.split('/')
  return rooms[`${room}/${sub}`] ?? rooms[room]
}

function checkFile(source: SourceFile, known: ReadonlySet<string>): Finding[] {
  const { file } = source
  const rules = rulesOf(file)
  if (rules === undefined || file.split('/').length < 3) {
    return [{ file, text: `src/${roomOf(file)} is no room of the table in tools/rooms.ts` }]
  }
  const findings: Finding[] = []
  if (!file.endsWith('.ts')) findings.push({ file, text: 'sources are TypeScript, named .ts' })
  if (file.endsWith('/index.ts')) findings.push({ file, text: 'no barrels: name a file by what it holds' })
  for (const edge of source.edges) {
    const text = judge(file, edge, rules, known)
    if (text !== undefined) findings.push({ file, line: edge.line, text })
  }
  if (isTestFile(file)) return findings
  if (roomOf(file) === 'ports') findings.push(...findRuntimeCode(file, source.tokens))
  return [...findings, ...findOutsideNames(file, source.tokens, rules.reach)]
}

/** What is wrong with an edge, in a sentence, or undefined. */
function judge(
  file: string,
  { kind, target }: Edge,
  rules: Room,
  known: ReadonlySet<string>,
): string | undefined {
  if (kind === 'require') return 'require is not used: write an import'
  if (kind === 're-export') return 'no barrels: import the file that has the thing'
  if (target === undefined) return 'an import names its file by a plain string'
  if (kind === 'dynamic' && roomOf(file) !== 'app') {
    return `dynamic import of ${target}: only app may load a file late (a type is imported by "import type")`
  }
  const isTest = isTestFile(file)
  if (target.startsWith('.')) return judgeFile(file, target, rules, known)
  if (target.startsWith('node:')) return judgeNode(file, target.slice(5), rules, isTest)
  return judgePackage(file, target, rules, isTest)
}

function judgeFile(
  file: string,
  target: string,
  rules: Room,
  known: ReadonlySet<string>,
): string | undefined {
  const goal = path.posix.join(path.posix.dirname(file), target)
  if (!goal.startsWith('src/')) return `${target} leads out of src/`
  if (!goal.endsWith('.ts') && !goal.endsWith('.json')) return `${target}: an import carries its ending, .ts`
  if (goal.endsWith('.ts') && !known.has(goal)) return `${target} does not exist`
  if (goal.endsWith('.test.ts')) return `${target} is a test: nothing imports a test`
  if (isTestFile(goal) && !isTestFile(file)) return `${target} is for tests only`
  const room = roomOf(goal)
  if (room === roomOf(file) || rules.imports.includes(room)) return undefined
  return `${roomOf(file)} may not import ${room} (${rules.why})`
}

function judgeNode(file: string, name: string, rules: Room, isTest: boolean): string | undefined {
  if (rules.node === 'any' || rules.node.includes(name) || (isTest && testNode.includes(name)))
    return undefined
  return `${roomOf(file)} may not use node:${name} (${rules.why})`
}

function judgePackage(file: string, target: string, rules: Room, isTest: boolean): string | undefined {
  const name = target.split('/', target.startsWith('@') ? 2 : 1).join('/')
  if (rules.packages === 'any' || rules.packages.includes(name) || (isTest && testPackages.includes(name)))
    return undefined
  return `${roomOf(file)} may not use the package ${name} (tools/rooms.ts lists what it may)`
}

/** Each cycle between files once, told as the way round. */
function findCycles(files: readonly SourceFile[]): Finding[] {
  const graph = new Map(files.map((source) => [source.file, goalsOf(source)]))
  const done = new Set<string>()
  const way: string[] = []
  const findings: Finding[] = []
  const visit = (file: string): void => {
    const at = way.indexOf(file)
    if (at !== -1) {
      const round = [...way.slice(at), file]
      findings.push({ file, text: `import cycle: ${round.join(' → ')}` })
      return
    }
    if (done.has(file)) return
    way.push(file)
    for (const goal of graph.get(file) ?? []) visit(goal)
    way.pop()
    done.add(file)
  }
  for (const file of graph.keys()) visit(file)
  return findings
}

function goalsOf({ file, edges }: SourceFile): string[] {
  return edges.flatMap(({ kind, target }) => {
    // A worker runs in a thread of its own: naming it is no import of it.
    if (kind === 'worker' || target === undefined || !target.startsWith('.')) return []
    return [path.posix.join(path.posix.dirname(file), target)]
  })
}

/** Every room that exists is told of in ARCHITECTURE.md. */
function checkArchitecture(root: string): Finding[] {
  const text = readText(root, 'ARCHITECTURE.md')
  if (text === undefined) return []
  const present = new Set(filesUnder(root, 'src', '.ts').map(roomOf))
  return [...present]
    .filter(
      (room) =>
        !text.includes(`\`${room}\``) && !text.includes(`src/${room}`) && !text.includes(`\`${room}/`),
    )
    .map((room) => ({ file: 'ARCHITECTURE.md', text: `does not name the room src/${room}` }))
}
