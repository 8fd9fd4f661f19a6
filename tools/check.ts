// The program behind `node launch.mjs check [NAME …] [--fix] [--verbose]`; without a name, all checks.
import path from 'node:path'
import { parseArgs } from 'node:util'
import { checkNames, runChecks } from './checks.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { fix: { type: 'boolean', default: false }, verbose: { type: 'boolean', default: false } },
})
const unknown = positionals.filter((name) => !checkNames.includes(name))
if (unknown.length > 0) {
  console.error(`no check is called ${unknown.join(', ')}; there are ${checkNames.join(', ')}`)
  process.exitCode = 2
} else {
  const root = path.dirname(import.meta.dirname)
  const names = positionals.length > 0 ? positionals : checkNames
  const failed = await runChecks(root, names, { isFixing: values.fix, isVerbose: values.verbose })
  if (failed > 0) process.exitCode = 1
}
