// A package from the registry is a decision: each has its paragraph under docs/decisions/.
import { type Finding, filesUnder, readText } from './finding.ts'

const packageFile = 'package.json'

export function checkDecisions(root: string): Finding[] {
  const text = readText(root, packageFile)
  if (text === undefined) return [{ file: packageFile, text: 'is missing' }]
  const wanted = dependenciesOf(JSON.parse(text))
  const pages = filesUnder(root, 'docs/decisions', '.md').map((file) => ({
    file,
    text: readText(root, file) ?? '',
  }))
  const written = pages.flatMap(({ file, text }) =>
    [...text.matchAll(/^### (@?[a-z][\w./-]*)$/gm)].map(([, name = '']) => ({ file, name })),
  )
  const missing = wanted.filter(({ name }) => !written.some((page) => page.name === name))
  const stale = written.filter(({ name }) => !wanted.some((dependency) => dependency.name === name))
  return [
    ...wanted
      .filter(({ version }) => !/^\d+\.\d+\.\d+$/.test(version))
      .map(({ name, version }) => ({
        file: packageFile,
        text: `${name} ${version}: name one exact version`,
      })),
    ...missing.map(({ name }) => ({
      file: packageFile,
      text: `${name} has no paragraph "### ${name}" in docs/decisions/`,
    })),
    ...stale.map(({ file, name }) => ({
      file,
      text: `has a paragraph on ${name}, which ${packageFile} does not name`,
    })),
  ]
}

function dependenciesOf(manifest: Readonly<Record<string, Record<string, string> | undefined>>): {
  name: string
  version: string
}[] {
  const kinds = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies']
  return kinds.flatMap((kind) =>
    Object.entries(manifest[kind] ?? {}).map(([name, version]) => ({ name, version })),
  )
}
