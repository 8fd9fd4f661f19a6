// Pages that are printed from the code. A printed copy in the repository is what readers find; this proves it fresh.
import fs from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Finding, readText } from './finding.ts'

interface Page {
  /** The printed copy. */
  readonly file: string
  /** The file under the root, and its export, a function without arguments, that gives the page's text. */
  readonly source: string
  readonly maker: string
}

export const pages: readonly Page[] = [
  { file: 'docs/configuration.md', source: 'src/config/print.ts', maker: 'referencePage' },
  { file: 'docs/commands.md', source: 'src/app/pages.ts', maker: 'commandsPage' },
  { file: 'docs/log-events.md', source: 'src/app/pages.ts', maker: 'logEventsPage' },
  { file: 'docs/limits.md', source: 'tools/limits.ts', maker: 'limitsPage' },
  { file: 'docs/attacks.md', source: 'tools/attacks.ts', maker: 'attacksPage' },
  { file: 'docs/proofs.md', source: 'tools/proofs.ts', maker: 'proofsPage' },
]

export async function checkGenerated(root: string, list: readonly Page[] = pages): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const page of list) {
    const text = await make(root, page)
    if (typeof text !== 'string')
      findings.push({ file: page.source, text: `exports no function ${page.maker} that gives a text` })
    else if (readText(root, page.file) !== text) {
      findings.push({
        file: page.file,
        text: 'is not what the code prints now: run "node launch.mjs check generated --fix"',
      })
    }
  }
  return findings
}

export async function writeGenerated(root: string, list: readonly Page[] = pages): Promise<void> {
  for (const page of list) {
    const text = await make(root, page)
    if (typeof text === 'string') fs.writeFileSync(path.join(root, page.file), text)
  }
}

async function make(root: string, { source, maker }: Page): Promise<unknown> {
  const module: Record<string, unknown> = await import(pathToFileURL(path.join(root, source)).href)
  const make = module[maker]
  return typeof make === 'function' ? make() : undefined
}
