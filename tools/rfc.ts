// Holds rfc/index.tsv and the citations together. A citation is written `rfc5321 §4.5.3.1` (or `rfc5321 appendix D`,
// or the number alone); it names a document of the index, and what the index calls done is cited by the code that does it.
import { type Finding, filesUnder, isTestFile, readText } from './finding.ts'
import { tokenize } from './tokens.ts'

const indexFile = 'rfc/index.tsv'

/** Whether an index that says No, Partial or Yes against what the code cites fails the check, or is only told. */
export const statusesAreBinding = true

export interface Entry {
  readonly status: string
  readonly title: string
  /** Why code cites what is not done: refused on purpose, a name only, prepared for. */
  readonly note?: string | undefined
  readonly line: number
}

interface Citation {
  readonly file: string
  readonly line: number
  readonly rfc: number
}

export function checkRfcs(root: string, isBinding = statusesAreBinding): Finding[] {
  const text = readText(root, indexFile)
  if (text === undefined) return [{ file: indexFile, text: 'is missing' }]
  const { entries, findings } = readIndex(text)
  const citations: Citation[] = []
  for (const file of sourceFiles(root)) {
    const source = readText(root, file) ?? ''
    const isCode = file.endsWith('.ts')
    if (isCode) findings.push(...findMisspelt(file, source))
    for (const [index, line] of source.split('\n').entries()) {
      for (const rfc of citedIn(line)) citations.push({ file, line: index + 1, rfc })
    }
  }
  for (const { file, line, rfc } of citations) {
    if (!entries.has(rfc)) findings.push({ file, line, text: `rfc${rfc} is not in ${indexFile}` })
  }
  return [...findings, ...compareStatuses(entries, citations, isBinding)]
}

function sourceFiles(root: string): string[] {
  const code = ['src', 'test', 'tools', 'fuzz', 'bench'].flatMap((folder) => filesUnder(root, folder, '.ts'))
  // The check's own tests hold wrong citations on purpose.
  return [...code.filter((file) => file !== 'tools/rfc.test.ts'), ...filesUnder(root, 'docs', '.md')]
}

/** The lines of the index, and what is wrong with them. */
export function readIndex(text: string): { entries: Map<number, Entry>; findings: Finding[] } {
  const entries = new Map<number, Entry>()
  const findings: Finding[] = []
  let before = 0
  for (const [index, row] of text.split('\n').entries()) {
    if (row === '' || row.startsWith('#')) continue
    const line = index + 1
    const refuse = (why: string): void => {
      findings.push({ file: indexFile, line, text: why })
    }
    const [number = '', status = '', title = '', note, ...rest] = row.split('\t')
    const rfc = Number(number)
    if (!/^[1-9]\d*$/.test(number) || title.trim() === '' || rest.length > 0) {
      refuse(
        'a line is: number, tab, Yes or Partial or No, tab, title (and, behind a tab, why code cites what is not done)',
      )
    } else if (!['Yes', 'Partial', 'No'].includes(status)) refuse(`${status} is not Yes, Partial or No`)
    else if (rfc <= before)
      refuse(`rfc${rfc} stands after rfc${before}: the list is sorted, each number once`)
    else entries.set(rfc, { status, title, note, line })
    before = rfc
  }
  return { entries, findings }
}

function citedIn(line: string): number[] {
  return [...line.matchAll(/\brfc[ -]?([1-9]\d{2,4})\b/gi)].map(([, number]) => Number(number))
}

/** Citations in comments that are not spelt as they should be, each with the right spelling. */
export function findMisspelt(file: string, source: string): Finding[] {
  const findings: Finding[] = []
  const pattern =
    /\brfc[ -]?(\d+)([ ,]*(?:§+|sections?\b|sect?\.)?[ ]*)((?:(?<![\d.])\d+(?:\.\d+)*(?:\.[a-z])?(?![\d-]))?)/gi
  for (const { kind, text, line } of tokenize(source)) {
    if (kind !== 'comment') continue
    for (const match of text.matchAll(pattern)) {
      const [whole, number = '', between = '', section = ''] = match
      const isNamed = between.includes('§') || (/sect/i.test(between) && section !== '')
      const isDotted = section.includes('.')
      // A number behind a citation may be a reply code; with dots in it, it is a section without its sign. The word
      // section without a number is prose: parameters have sections too.
      const hasSection = isNamed || (isDotted && between !== '')
      const right = hasSection ? `rfc${number} §${section || '…'}` : `rfc${number}`
      const written = hasSection
        ? whole.trimEnd()
        : whole.slice(0, whole.length - between.length - section.length)
      const rest = text.slice((match.index ?? 0) + whole.length)
      if (hasSection && section === '' && /^[A-Z]\b/.test(rest)) {
        findings.push({
          file,
          line: lineAt(text, match.index, line),
          text: `write "rfc${number} appendix ${rest[0]}"`,
        })
      } else if (written !== right) {
        findings.push({
          file,
          line: lineAt(text, match.index, line),
          text: `write "${right}" instead of "${written}"`,
        })
      }
    }
  }
  return findings
}

function lineAt(text: string, index: number | undefined, first: number): number {
  return first + text.slice(0, index).split('\n').length - 1
}

/** What the index claims against what the code under src/ cites. */
function compareStatuses(
  entries: ReadonlyMap<number, Entry>,
  citations: readonly Citation[],
  isBinding: boolean,
): Finding[] {
  const cited = new Map<number, string>()
  for (const { file, line, rfc } of citations) {
    const isCode = file.startsWith('src/') && !isTestFile(file)
    if (isCode && !cited.has(rfc)) cited.set(rfc, `${file}:${line}`)
  }
  const findings: Finding[] = []
  for (const [rfc, { status, note, line }] of entries) {
    const at = cited.get(rfc)
    const text =
      status === 'No' && at !== undefined && note === undefined
        ? `rfc${rfc} is called No, but ${at} cites it; say why behind the title`
        : status !== 'No' && at === undefined
          ? `rfc${rfc} is called ${status}, but nothing under src/ cites it`
          : undefined
    if (text !== undefined)
      findings.push({ file: indexFile, line, text, ...(isBinding ? {} : { isWarning: true }) })
  }
  return findings
}
