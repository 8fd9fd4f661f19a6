// The program behind `npm run build`: makes the package that is installed, in dist/. TypeScript becomes JavaScript,
// the modules that it needs at run time lie beside it; nothing is to be brought or compiled where it runs.
import fs from 'node:fs'
import path from 'node:path'
import { EDITED_PAGES, linkedFiles, packagedPage } from './package-pages.ts'
import { runProgram } from './suites.ts'

const root = path.dirname(import.meta.dirname)
const dist = path.join(root, 'dist')
/** What lies in the package as it lies here. */
const COPIED = [
  'hikyaku',
  'launch.mjs',
  'LICENSE',
  'README.md',
  'README.ja.md',
  'CHANGELOG.md',
  'SECURITY.md',
  'docs',
]

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly optional?: boolean }>>
}

fs.rmSync(dist, { recursive: true, force: true })
const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc')
process.exitCode = await runProgram(root, process.execPath, [tsc, '-p', 'tsconfig.build.json'])
if (process.exitCode === 0) {
  for (const name of COPIED) fs.cpSync(path.join(root, name), path.join(dist, name), { recursive: true })
  const modules = runtimeModules()
  for (const name of modules) fs.cpSync(path.join(root, name), path.join(dist, name), { recursive: true })
  writePages()
  fs.writeFileSync(path.join(dist, 'package.json'), `${JSON.stringify(packageFile(modules), null, 2)}\n`)
  console.log(`dist/ is made: ${modules.length} modules beside it; dist/hikyaku runs it`)
}

/** Whoever gets the package alone finds all that its first page names. */
function writePages(): void {
  for (const name of EDITED_PAGES) {
    const page = packagedPage(name, fs.readFileSync(path.join(root, name), 'utf8'))
    const missing = linkedFiles(page).filter((target) => !fs.existsSync(path.join(dist, target)))
    if (missing.length > 0)
      throw new Error(`${name} of the package names what it has not: ${missing.join(', ')}`)
    fs.writeFileSync(path.join(dist, name), page)
  }
}

/** As the lockfile has them: what is no development's and no option is needed at run time. */
function runtimeModules(): string[] {
  const lock = JSON.parse(fs.readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as Lock
  const names = Object.entries(lock.packages).filter(
    ([name, { dev, optional }]) => name !== '' && !dev && !optional,
  )
  return names.map(([name]) => name)
}

function packageFile(modules: readonly string[]): Readonly<Record<string, unknown>> {
  const { devDependencies, optionalDependencies, scripts, ...kept } = JSON.parse(
    fs.readFileSync(path.join(root, 'package.json'), 'utf8'),
  )
  return {
    ...kept,
    scripts: { start: scripts.start },
    bundleDependencies: modules.map((name) => name.replace(/^node_modules\//, '')),
  }
}
